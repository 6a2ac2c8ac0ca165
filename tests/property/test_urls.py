"""Forms of URLs hold for any text, not only for the ones we thought of."""

import duckdb
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.model.urls import URL_MACROS, SiteBase, url_forms

SITE = SiteBase("https://tidewatch.example", "/coastal-energy")
_WORD = st.text("abcXYZ019-_.~%é", min_size=1, max_size=8)
_URLS = st.builds(
    lambda scheme, host, path, query: (
        f"{scheme}://{host}.example/{'/'.join(path)}" + (f"?{'&'.join(query)}" if query else "")
    ),
    st.sampled_from(["http", "https"]),
    st.from_regex(r"(www\.)?[a-z]{1,8}(\.[a-z]{1,5})?", fullmatch=True),
    st.lists(_WORD, max_size=4),
    st.lists(st.builds("{}={}".format, _WORD, _WORD), max_size=4),
)


@given(st.text(max_size=60))
def test_no_text_breaks_it(raw: str) -> None:
    forms = url_forms(raw, SITE)
    assert forms.problem is not None or forms.fetch_url.startswith(("http://", "https://"))


@given(_URLS)
def test_the_fetch_form_of_a_fetch_form_is_itself(raw: str) -> None:
    forms = url_forms(raw)
    assert forms.problem is None
    assert url_forms(forms.fetch_url) == forms


@given(_URLS, st.randoms())
def test_identity_is_idempotent_and_blind_to_the_order_of_the_query(raw: str, random: object) -> None:
    forms = url_forms(raw)
    assert url_forms(forms.identity_url).identity_url == forms.identity_url
    head, mark, query = raw.partition("?")
    parts = query.split("&")
    random.shuffle(parts)  # type: ignore[attr-defined]
    assert url_forms(head + mark + "&".join(parts)).identity_url == forms.identity_url


_CONNECTION = duckdb.connect()
_CONNECTION.execute(URL_MACROS)
_LABEL = st.text("abwx019-n", min_size=1, max_size=6) | st.just("www") | st.just("xn--a")
_NEARLY_PLAIN = st.builds(
    lambda scheme, labels, path, tail: f"{scheme}://{'.'.join(labels)}/{'/'.join(path)}{tail}",
    st.sampled_from(["http", "https", "HTTP", "ftp"]),
    st.lists(_LABEL, min_size=1, max_size=5).map(lambda labels: [*labels, "example"])
    | st.lists(_LABEL, min_size=1, max_size=5),
    st.lists(st.text("aZ0_~!$()*+,:@.=-%;&'", max_size=5), max_size=4),
    st.sampled_from(["", "", "", "?a=1", "#a", "\\", " ", "\n", "é", '"', "^", "|", "`", "{", "<"]),
)


@given(_NEARLY_PLAIN)
@example("https://www.www.example/")
@example("https://www.example/")
@example("https://WWW.example/a")
@example("https://a.example")
@example("https://a.example/./b")
@example("https://a.example/..")
@example("https://127.0.0.1/")
@example("https://a.0x1/")
@example("https://xn--a.example/")
@example("https://a.example:8080/")
@example("https://ab--c.a--.example/x//y/@:z")
def test_sql_and_python_say_the_same_of_a_plain_url(raw: str) -> None:
    rows = _CONNECTION.execute("select is_plain_url($1), plain_host($1), plain_identity($1)", [raw]).fetchall()
    is_plain, host, identity = rows[0]
    if is_plain:
        forms = url_forms(raw, SITE)
        assert (forms.fetch_url, forms.host, forms.identity_url) == (raw, host, identity)
        assert (forms.problem, forms.stripped_userinfo) == (None, False)


def test_most_urls_of_an_archive_are_plain() -> None:
    plain = [
        "https://www.tidewatch.example/2021/05/03/a-tide-mill-opens.html",
        "http://cdn.tidewatch.example/wp-content/uploads/10594-1200x630.jpg",
        "https://tidewatch-example.cdn--host.example/c/s/tidewatch.example//amp/",
    ]
    for raw in plain:
        assert _CONNECTION.execute("select is_plain_url($1)", [raw]).fetchall() == [(True,)], raw
