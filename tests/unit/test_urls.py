"""The three forms of a URL: what is asked, and what it is about."""

import pytest

from pipeline.model.urls import SiteBase, identity_form, registrable_domain, url_forms

SITE = SiteBase("https://tidewatch.example", "/coastal-energy")


@pytest.mark.parametrize(
    ("raw", "fetch"),
    [
        ("  https://a.example/x \u00a0", "https://a.example/x"),
        ("HTTPS://WWW.A.Example:443/Path//x", "https://www.a.example/Path//x"),
        ("https://a.example/x?a=1&#038;b=2", "https://a.example/x?a=1&b=2"),
        ("https://a.example/x?a=1&copy=2", "https://a.example/x?a=1&copy=2"),
        ("https://a.example/x#part", "https://a.example/x"),
        ("https://user:secret@a.example/x", "https://a.example/x"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
        ("/assets/logo.png", "https://tidewatch.example/coastal-energy/assets/logo.png"),
        ("/coastal-energy/assets/logo.png", "https://tidewatch.example/coastal-energy/assets/logo.png"),
        ("//cdn.a.example/logo.png", "https://cdn.a.example/logo.png"),
        ("logo.png", "https://tidewatch.example/coastal-energy/logo.png"),
    ],
)
def test_fetch_form_is_what_a_browser_would_ask(raw: str, fetch: str) -> None:
    forms = url_forms(raw, SITE)
    assert (forms.fetch_url, forms.problem) == (fetch, None)


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        ("", "empty"),
        ("https://a.example\\x", "backslash"),
        ("https://a.example/\nx", "control_character"),
        ("mailto:a@b.example", "scheme_unsupported"),
        ("javascript:alert(1)", "scheme_unsupported"),
        ("ht tp://a.example/", "invalid"),
        ("https://exa mple.example/", "invalid"),
        ("https:///", "invalid"),
    ],
)
def test_a_url_that_cannot_be_asked_says_why(raw: str, problem: str) -> None:
    forms = url_forms(raw, SITE)
    assert forms.problem == problem
    assert forms.host == ""


def test_a_relative_url_without_a_site_has_no_place() -> None:
    assert url_forms("/x", None).problem == "relative"


def test_user_info_is_left_out_and_told() -> None:
    forms = url_forms("https://user:secret@a.example/x")
    assert forms.stripped_userinfo
    assert "secret" not in forms.fetch_url + forms.identity_url


@pytest.mark.parametrize(
    "same",
    [
        "http://a.example/x?b=2&a=1",
        "https://www.a.example/x?a=1&b=2",
        "https://a.example:443/x?a=1&b=2#top",
        "https://a.example/x?a=1&utm_source=feed&b=2&fbclid=zz",
    ],
)
def test_ways_to_write_one_article_have_one_identity(same: str) -> None:
    assert url_forms(same).identity_url == "https://a.example/x?a=1&b=2"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example/X", "https://a.example/x"),
        ("https://a.example/watch?v=1", "https://a.example/watch?v=2"),
        ("https://a.example/x", "https://a.example/x/"),
        ("https://a.example//x", "https://a.example/x"),
        ("https://a.example/x", "https://m.a.example/x"),
    ],
)
def test_different_articles_keep_different_identities(one: str, other: str) -> None:
    assert url_forms(one).identity_url != url_forms(other).identity_url


@pytest.mark.parametrize(
    ("host", "domain"),
    [
        ("www.bbc.co.uk", "bbc.co.uk"),
        ("news.harbor-post.example", "harbor-post.example"),
        ("localhost", "localhost"),
        ("127.0.0.1", "127.0.0.1"),
        ("[::1]", "::1"),
    ],
)
def test_registrable_domain_is_what_a_registrant_holds(host: str, domain: str) -> None:
    assert registrable_domain(host) == domain


def test_identity_of_an_identity_is_itself() -> None:
    once = identity_form("http://www.www.a.example/x?z=1&a")
    assert identity_form(once) == once
