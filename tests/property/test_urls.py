"""Forms of URLs hold for any text, not only for the ones we thought of."""

from hypothesis import given
from hypothesis import strategies as st

from pipeline.model.urls import SiteBase, url_forms

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
