"""What the relational tables hold of an archive: from files that a test writes to rows that it reads back."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
import yaml

from pipeline.assets.coverage import coverage_builder
from pipeline.assets.documents import take_in
from pipeline.lake.logs import Logs
from pipeline.lake.refresh import begin_refresh
from pipeline.lake.relations import leans_on, relation
from pipeline.model.ids import content_id
from pipeline.model.urls import identity_form
from pipeline.settings import Settings
from tests.front_matter import exact
from tests.published import rebuilt_files
from tests.tables import FIRST_REFRESH, Archive, front_matter

SITE_CONFIG = 'url: https://tidewatch.example\nbaseurl: "/energy"\n'


@pytest.fixture
def archive(tmp_path: Path, settings_for: Callable[..., Settings]) -> Archive:
    """An empty archive of one source."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "_config.yml").write_text(SITE_CONFIG)
    return Archive(settings_for(site, sanity={"min_files_share": 0}))


def item(url: str | None, **more: object) -> dict[str, object]:
    """An item of a file: what it says of the article at `url`."""
    values: dict[str, object] = {
        "title": f"About {url}",
        "excerpt": "In short.",
        "publishedDateTime": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
        "webUrl": url,
        "type": "article",
        "provider": {"name": "Harbour Post", "domain": "harbour-post.example"},
        "quality": 50,
    }
    return {key: value for key, value in (values | more).items() if value is not None}


def news(url: str | None, *related: dict[str, object], **more: object) -> dict[str, object]:
    """The front matter of a story."""
    listed = {"related": list(related)} if related else {}
    return item(url, **({"category": "news", "heat": 50 + 10 * len(related)} | listed | more))


def article(url: str) -> str:
    return content_id("article", identity_form(url))


def url_of(slug: str) -> str:
    return f"https://harbour-post.example/{slug}"


ONE, TWO, THREE = url_of("one"), url_of("two"), url_of("three")

# A story and its articles


def test_a_story_with_twelve_related_items_is_thirteen_articles(archive: Archive) -> None:
    """The shape of the article this project began with."""
    related = [item(url_of(f"related-{number}"), quality=90 - number) for number in range(1, 13)]
    main = news(
        url_of("main"),
        *related,
        originalUrl=url_of("main"),
        ampWebUrl=url_of("main.amp"),
        quality=89,
        heat=209,
        published=True,
        topics=["AI", "Computer Vision"],
        secured="c2VjcmV0;dmVjdG9y",
    )
    archive.write("_news/main.md", main)
    archive.refresh()
    assert archive.query("select path, heat, quality, related_count, is_lead, published from coverage.stories") == [
        ("_news/main.md", 209, 89, 12, True, True)
    ]
    assert archive.query("select count(*), count(distinct article_id) from coverage.mentions") == [(13, 13)]
    assert archive.column("select count(*) from coverage.articles") == [13]
    assert archive.query(
        "select rank, role, identity_url from coverage.story_articles join coverage.articles using (article_id)"
        " order by rank"
    ) == [(0, "main", url_of("main"))] + [(number, "related", url_of(f"related-{number}")) for number in range(1, 13)]
    assert archive.query(
        "select position, name from coverage.story_topics join coverage.topics using (topic_id) order by position"
    ) == [(0, "AI"), (1, "Computer Vision")]
    assert archive.query("select pointer, value from coverage.leftovers") == [("/secured", '"c2VjcmV0;dmVjdG9y"')]
    assert archive.query("select amp_url from coverage.articles where amp_url is not null") == [(url_of("main.amp"),)]


def test_an_article_in_two_stories_is_one_article(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, item(THREE)))
    archive.write("_news/b.md", news(TWO, item(THREE)))
    archive.refresh()
    assert archive.query(
        "select mention_count, story_count from coverage.articles where identity_url = ?", [THREE]
    ) == [(2, 2)]
    assert archive.column("select count(*) from coverage.articles") == [3]


def test_the_main_item_of_one_story_may_be_a_related_item_of_another(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, item(TWO)))
    archive.write("_news/b.md", news(TWO))
    archive.refresh()
    assert archive.query(
        "select path, role from coverage.story_articles join coverage.stories using (story_id)"
        " where article_id = ? order by path",
        [article(TWO)],
    ) == [("_news/a.md", "related"), ("_news/b.md", "main")]
    assert archive.column("select count(*) from coverage.articles") == [2]


def test_two_stories_may_list_each_other(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, item(TWO)))
    archive.write("_news/b.md", news(TWO, item(ONE)))
    archive.write("_news/c.md", news(THREE, item(ONE)))
    archive.refresh()
    assert archive.query("select identity_url, story_count from coverage.articles order by 1") == [
        (ONE, 3),
        (THREE, 1),
        (TWO, 2),
    ]
    assert archive.column("select count(*) from coverage.story_articles") == [6]
    assert archive.query(
        "select stories.path, others.path from coverage.stories"
        " join coverage.story_articles as listed on listed.story_id = stories.story_id and listed.role = 'related'"
        " join coverage.stories as others on others.lead_article_id = listed.article_id"
        " join coverage.story_articles as back on back.story_id = others.story_id and back.role = 'related'"
        " and back.article_id = stories.lead_article_id where stories.path < others.path"
    ) == [("_news/a.md", "_news/b.md")]


def test_stories_that_share_an_article_are_one_cluster(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, item(THREE)))
    archive.write("_news/b.md", news(TWO, item(THREE)))
    archive.write("_news/c.md", news(url_of("four")))
    archive.refresh()
    assert archive.query(
        "select path, cluster_id = min(story_id) over (partition by cluster_id), story_count, shared_article_count"
        " from coverage.story_clusters join coverage.stories using (story_id) order by path"
    ) == [("_news/a.md", True, 2, 1), ("_news/b.md", True, 2, 1), ("_news/c.md", True, 1, 0)]


def test_a_story_that_lists_itself_holds_its_article_once_as_main(archive: Archive) -> None:
    """The quality is that of the main item, also where it has none."""
    archive.write("_news/a.md", news(ONE, item(ONE, quality=40), quality=None))
    archive.refresh()
    assert archive.query("select role, rank, quality from coverage.story_articles") == [("main", 0, None)]
    assert archive.column("select role from coverage.mentions order by position") == ["main", "related"]


def test_a_repeat_in_one_list_is_two_mentions_of_one_article(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, item(TWO, quality=40), item(THREE), item(TWO, quality=30)))
    archive.refresh()
    assert archive.query("select rank, quality from coverage.story_articles where article_id = ?", [article(TWO)]) == [
        (1, 40)
    ]
    assert archive.query(
        "select pointer, position from coverage.mentions where article_id = ? order by position", [article(TWO)]
    ) == [("/related/0", 1), ("/related/2", 3)]
    assert archive.query("select related_count, is_lead from coverage.stories") == [(3, True)]


def test_a_story_that_a_related_item_outranks_is_no_lead(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, item(TWO, quality=90), heat=-1))
    archive.write("_news/b.md", news(TWO))
    archive.refresh()
    assert archive.query("select path, is_lead from coverage.stories order by path") == [
        ("_news/a.md", False),
        ("_news/b.md", False),
    ]


def test_news_is_what_lies_in_news_or_says_so(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, category=None))
    archive.write("2020/_news/b.md", news(ONE, category="events"))
    archive.write("posts/c.md", news(ONE, category="News"))
    archive.write("_learning/d.md", news(ONE, category="learning"))
    archive.write("_learning/e.md", news(ONE, category=None))
    archive.refresh()
    assert archive.column("select path from coverage.stories order by path") == [
        "2020/_news/b.md",
        "_news/a.md",
        "posts/c.md",
    ]
    assert archive.column("select count(*) from coverage.documents") == [5]


# Identity


def test_ways_to_write_one_url_merge_and_another_query_does_not(archive: Archive) -> None:
    archive.write(
        "_news/a.md",
        news(
            "https://www.a.example/x?b=2&a=1",
            item("http://a.example/x?a=1&b=2&utm_source=feed"),
            item("  https://a.example/x?a=1&#038;b=2#top "),
            item("https://a.example/x?a=1&b=3"),
            item("https://a.example/X?a=1&b=2"),
        ),
    )
    archive.refresh()
    assert archive.query(
        "select identity_url, mention_count from coverage.articles order by mention_count desc, 1"
    ) == [
        ("https://a.example/x?a=1&b=2", 3),
        ("https://a.example/X?a=1&b=2", 1),
        ("https://a.example/x?a=1&b=3", 1),
    ]


def test_the_original_url_names_what_has_no_web_url(archive: Archive) -> None:
    """A video has none; nor does a blank web URL count, or one that cannot be asked."""
    archive.write("_news/0.md", news("\u00a0", originalUrl=ONE + "?b=2&a=1#part"))
    archive.write("_news/a.md", news(None, originalUrl=ONE))
    archive.write("_news/b.md", news("ftp://a.example/x", originalUrl=TWO))
    archive.write("_news/c.md", news(THREE, originalUrl=url_of("other")))
    archive.refresh()
    assert archive.column(
        "select identity_url from coverage.stories join coverage.articles on article_id = lead_article_id order by path"
    ) == [ONE + "?a=1&b=2", ONE, TWO, THREE]


def test_without_a_usable_url_identity_is_domain_title_and_time_and_flagged(archive: Archive) -> None:
    archive.write("_news/a.md", news(None, title="A Quiet Week"))
    archive.write("_news/b.md", news("mailto:desk@a.example", title="A quiet week&#33;".replace("&#33;", "")))
    archive.write("_news/c.md", news(None, title="A Quiet Week", provider={"domain": "other.example"}))
    archive.write("_news/d.md", news("https://a.example/good"))
    archive.refresh()
    assert archive.query(
        "select identity_url, is_identified, url_id is null, mention_count from coverage.articles order by 1"
    ) == [
        ("https://a.example/good", True, False, 1),
        ("urn:newsledger:harbour-post.example:2026-01-02T03:04:05Z:a quiet week", False, True, 2),
        ("urn:newsledger:other.example:2026-01-02T03:04:05Z:a quiet week", False, True, 1),
    ]


@pytest.mark.parametrize("title", [None, "", "\u00a0"])
def test_items_without_url_and_title_are_never_taken_for_one(archive: Archive, title: str | None) -> None:
    archive.write("_news/a.md", news(None, item(None, title=title), title=title))
    archive.write("_news/b.md", news(None, title=title))
    archive.refresh()
    assert archive.query("select mention_count, is_identified from coverage.articles") == [(1, False)] * 3


# The best-known values


def test_an_article_is_told_by_its_main_item_before_any_related_one(archive: Archive) -> None:
    """What the others say stays in the mentions; what the main item does not say is filled from them."""
    archive.write("_news/a.md", news(ONE, item(TWO, title="As listed", excerpt="Listed.", quality=10)))
    archive.write("_news/b.md", news(TWO, title="As told", excerpt=None, quality=80))
    archive.refresh()
    archive.write("_news/c.md", news(THREE, item(TWO, title="Listed later", excerpt="Later.", quality=11)))
    archive.refresh()
    assert archive.query(
        "select title, quality, excerpt from coverage.articles where article_id = ?", [article(TWO)]
    ) == [("As told", 80, "Later.")]
    assert archive.query(
        "select title, quality from coverage.mentions where article_id = ? order by title", [article(TWO)]
    ) == [("As listed", 10), ("As told", 80), ("Listed later", 11)]


def test_a_newer_meaning_tells_an_article_before_an_older_one(archive: Archive) -> None:
    """Also one that is older but was taken up again."""
    archive.write("_news/a.md", news(ONE, item(THREE, title="First")))
    archive.refresh()
    archive.write("_news/b.md", news(TWO, item(THREE, title="Second")))
    archive.refresh()
    told = "select title from coverage.articles where article_id = ?"
    assert archive.column(told, [article(THREE)]) == ["Second"]
    archive.write("_news/a.md", news(ONE))
    archive.refresh()
    archive.write("_news/a.md", news(ONE, item(THREE, title="First")))
    archive.refresh()
    assert archive.column(told, [article(THREE)]) == ["First"]


# Texts


def test_entities_are_undone_once_and_what_was_escaped_twice_is_flagged(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, title=" Wind &amp; Wave\u00a0", excerpt="The harbour&#8217;s own"))
    archive.write("_news/b.md", news(TWO, title="R&amp;amp;D"))
    archive.refresh()
    assert archive.query("select title, excerpt from coverage.articles order by title") == [
        ("R&amp;D", "In short."),
        ("Wind & Wave", "The harbour’s own"),
    ]
    assert archive.query("select title, is_twice_escaped from coverage.mentions order by title") == [
        (" Wind &amp; Wave\u00a0", False),
        ("R&amp;amp;D", True),
    ]
    assert archive.column("select title from coverage.documents order by path") == ["Wind & Wave", "R&amp;D"]


def test_names_that_differ_in_composition_and_edges_alone_are_one(archive: Archive) -> None:
    """NFC, and no white space at the edges; as written in the mentions."""
    composed, decomposed = "Cafe\u0301 du Port", " Caf\u00e9 du Port\u200b"
    for path, url, name in (("_news/a.md", ONE, composed), ("_news/b.md", TWO, decomposed)):
        provider = {"name": name, "domain": "port.example"}
        archive.write(path, news(url, provider=provider, topics=[name], title=name))
    archive.refresh()
    assert archive.column("select name from coverage.outlets") == ["Caf\u00e9 du Port"]
    assert archive.column("select name from coverage.topics") == ["Caf\u00e9 du Port"]
    assert archive.column("select distinct title from coverage.stories") == ["Caf\u00e9 du Port"]
    assert archive.query("select title, provider_name, topics from coverage.mentions order by title desc") == [
        (composed, composed, [composed]),
        (decomposed, decomposed, [decomposed]),
    ]


# `related` in other shapes


def test_related_slugs_are_no_mentions_and_are_kept(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, related=["a-slug", item(TWO), "https://a.example/slug"]))
    archive.write("_news/b.md", news(TWO, related=None) | {"related": None})
    archive.refresh()
    assert archive.query("select path, related_count from coverage.stories order by path") == [
        ("_news/a.md", 1),
        ("_news/b.md", 0),
    ]
    assert archive.query("select pointer, position from coverage.mentions where role = 'related'") == [
        ("/related/1", 2)
    ]
    assert archive.query("select path, related_count from coverage.document_versions order by path") == [
        ("_news/a.md", 1),
        ("_news/b.md", 0),
    ], "counted as the stories count them"
    assert archive.query("select pointer, value from coverage.leftovers order by pointer") == [
        ("/related", "null"),
        ("/related/0", '"a-slug"'),
        ("/related/2", '"https://a.example/slug"'),
    ]
    assert archive.query("select role, mention_pointer from coverage.url_uses where pointer = '/related/2'") == [
        ("other", "")
    ], "a URL that is no item stands in the story's own"


def test_one_bare_related_mapping_is_one_mention_at_its_own_pointer(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, related=item(TWO, images=[{"url": url_of("x.jpg")}])))
    archive.refresh()
    assert archive.query("select pointer, role, position from coverage.mentions order by position") == [
        ("", "main", 0),
        ("/related", "related", 1),
    ]
    assert archive.query("select pointer, role, mention_pointer from coverage.url_uses order by pointer") == [
        ("/related/images/0/url", "image", "/related"),
        ("/related/webUrl", "web", "/related"),
        ("/webUrl", "web", ""),
    ]
    assert archive.column("select pointer from coverage.image_uses") == ["/related/images/0/url"]
    assert archive.column("select code from coverage.document_issues") == ["related_not_a_list"]


# Outlets, topics, images


def test_a_domain_with_two_names_prefers_the_one_seen_most(archive: Archive) -> None:
    post = {"name": "The Harbour &amp; Post", "domain": "Harbour-Post.example "}
    desk = {"name": "Post Desk", "domain": "harbour-post.example"}
    bare = {"domain": "bare.example"}
    archive.write("_news/a.md", news(ONE, item(TWO, provider=post), item(THREE, provider=desk), provider=post))
    archive.write("_news/b.md", news(url_of("four"), item(url_of("five"), provider=None), provider=bare))
    archive.refresh()
    assert archive.query(
        "select domain, name, times_seen, is_preferred from coverage.outlets order by domain, times_seen"
    ) == [
        ("bare.example", "bare.example", 1, True),
        ("harbour-post.example", "Post Desk", 1, False),
        ("harbour-post.example", "The Harbour & Post", 2, True),
    ]
    assert archive.query(
        "select domain, name, preferred_name, name_count, times_seen, organization_name from coverage.providers"
        " order by domain"
    ) == [
        ("bare.example", "bare.example", "bare.example", 1, 1, None),
        ("harbour-post.example", "The Harbour & Post", "The Harbour & Post", 2, 3, None),
    ]
    assert archive.column("select count(*) from coverage.articles where outlet_id is null") == [1]


def test_a_provider_is_named_by_the_site_s_own_organizations(archive: Archive) -> None:
    logo = {"images": [{"url": "/assets/post.jpg", "width": 50}]}
    organization = {
        "taxonomy": "organization",
        "_id": "post",
        "name": "Harbour Post Ltd",
        "domain": "Harbour-Post.example",
    }
    archive.write("_data/organizations/post.md", organization | {"description": "Since 1901"} | logo)
    archive.write("_data/organizations/post-again.md", organization | {"name": "Z Post"})
    archive.write("_data/organizations/unseen.md", organization | {"domain": "unseen.example"})
    archive.write("_news/a.md", news(ONE))
    archive.refresh()
    assert archive.query("select domain, name, preferred_name, description, logo_url from coverage.providers") == [
        (
            "harbour-post.example",
            "Z Post",
            "Harbour Post",
            "Since 1901",
            "https://tidewatch.example/energy/assets/post.jpg",
        )
    ]


def test_topics_are_those_used_those_described_and_their_parents(archive: Archive) -> None:
    archive.write("_data/topics/tide.yaml", "taxonomy: topic\n_id: tide\nname: Tidal Power\nparent: Marine Energy\n")
    archive.write("_data/topics/wave.yaml", "taxonomy: topic\n_id: wave\nname: Wave Power\nparent: ''\n")
    archive.write("_data/topics/wave-again.yaml", "_id: wave-again\nname: Wave Power\nparent: Marine Energy\n")
    archive.write("_data/topics/nameless.yaml", "_id: nameless\nname: ''\n")
    archive.write("_news/a.md", news(ONE, topics=["Tidal Power", "Grid &amp; Cables", "Tidal Power", "", None]))
    archive.write("_news/b.md", news(TWO, topics=["Grid & Cables"]))
    archive.refresh()
    assert archive.query(
        "select topics.name, parents.name, topics.slug, topics.is_defined, topics.story_count from coverage.topics"
        " left join coverage.topics as parents on parents.topic_id = topics.parent_topic_id order by topics.name"
    ) == [
        ("Grid & Cables", None, None, False, 2),
        ("Marine Energy", None, None, False, 0),
        ("Tidal Power", "Marine Energy", "tide", True, 1),
        ("Wave Power", "Marine Energy", "wave-again", True, 0),
    ]
    assert archive.query(
        "select path, name, story_topics.position from coverage.story_topics join coverage.stories using (story_id)"
        " join coverage.topics using (topic_id) order by path, position"
    ) == [("_news/a.md", "Tidal Power", 0), ("_news/a.md", "Grid & Cables", 1), ("_news/b.md", "Grid & Cables", 0)]


def test_an_image_is_one_wherever_it_stands(archive: Archive) -> None:
    shared = url_of("share.png")
    archive.write(
        "_news/a.md",
        news(
            ONE,
            item(TWO, images=[{"url": shared + "#part", "width": 600, "title": "Small"}]),
            images=[{"url": shared, "width": 1200, "height": 630, "isCached": True}, {"url": "/assets/x.jpg"}],
            provider={"name": "P", "domain": "p.example", "images": [{"url": shared, "width": 1200}, {"url": ""}, "?"]},
        ),
    )
    archive.refresh()
    assert archive.query("select fetch_url, width, height, is_cached, use_count from coverage.images order by 1") == [
        (shared, 1200, 630, True, 3),
        ("https://tidewatch.example/energy/assets/x.jpg", None, None, False, 1),
    ]
    assert archive.query(
        "select pointer, owner_pointer, role, position, width, title from coverage.image_uses order by pointer"
    ) == [
        ("/images/0/url", "", "image", 0, 1200, None),
        ("/images/1/url", "", "image", 1, None, None),
        ("/provider/images/0/url", "/provider", "provider_image", 0, 1200, None),
        ("/related/0/images/0/url", "/related/0", "image", 0, 600, "Small"),
    ]
    assert archive.column("select asked_as from coverage.urls where fetch_url = ?", [shared]) == ["file"]
    assert archive.column("select logo_url from coverage.outlets where name = 'P'") == [shared]


# URLs and where they stand


def test_every_url_says_where_it_stands_in_which_role_and_in_whose_appearance(archive: Archive) -> None:
    archive.write(
        "_news/a.md",
        news(
            ONE,
            item(TWO, ampWebUrl=url_of("two/amp"), cdnAmpWebUrl=url_of("two/cdn"), seeAlso={"more": url_of("deep")}),
            originalUrl="https://user:word@harbour-post.example/one#top",
            images=[{"url": "/a.png"}],
            provider={"domain": "p.example", "images": [{"url": "/logo.png"}]},
            source=url_of("source"),
        ),
    )
    archive.write("_learning/b.md", {"title": "No story", "webUrl": ONE})
    archive.refresh()
    assert archive.query(
        "select pointer, role, mention_pointer, fetch_url, has_userinfo from coverage.url_uses"
        " join coverage.urls using (url_id) where story_id is not null order by pointer"
    ) == [
        ("/images/0/url", "image", "", "https://tidewatch.example/energy/a.png", False),
        ("/originalUrl", "original", "", ONE, True),
        ("/provider/images/0/url", "provider_image", "", "https://tidewatch.example/energy/logo.png", False),
        ("/related/0/ampWebUrl", "amp", "/related/0", url_of("two/amp"), False),
        ("/related/0/cdnAmpWebUrl", "cdn_amp", "/related/0", url_of("two/cdn"), False),
        ("/related/0/seeAlso/more", "other", "/related/0", url_of("deep"), False),
        ("/related/0/webUrl", "web", "/related/0", TWO, False),
        ("/source", "other", "", url_of("source"), False),
        ("/webUrl", "web", "", ONE, False),
    ]
    assert archive.query("select path, pointer, mention_pointer from coverage.url_uses where story_id is null") == [
        ("_learning/b.md", "/webUrl", None)
    ]
    assert archive.column("select use_count from coverage.urls where fetch_url = ?", [ONE]) == [3]


def test_keys_that_one_pointer_names_alike_keep_every_url(archive: Archive) -> None:
    """`1` and `"1"` are two keys of YAML and one step of a JSON pointer."""
    archive.write(
        "_news/a.md", f'---\nwebUrl: {ONE}\nlinks:\n  1: {TWO}\n  "1": {THREE}\n  2: {TWO}\n  "2": {TWO}\n---\n'
    )
    archive.refresh()
    assert archive.query("select pointer, raw from coverage.url_uses where role = 'other' order by pointer, raw") == [
        ("/links/1", THREE),
        ("/links/1", TWO),
        ("/links/2", TWO),
    ]


def test_a_key_that_stands_three_times_is_told_each_time(archive: Archive) -> None:
    archive.write("_news/a.md", f"---\nwebUrl: {ONE}\ntype: a\ntype: b\ntype: c\n---\n")
    archive.refresh()
    assert archive.query("select pointer, code, line, raw from coverage.document_issues order by line") == [
        ("/type", "duplicate_key", 4, '"a"'),
        ("/type", "duplicate_key", 5, '"b"'),
    ]


@pytest.mark.parametrize("path", ["_news/a.json", "_news/a.md"])
def test_a_key_of_json_that_stands_three_times_with_one_value_is_told(archive: Archive, path: str) -> None:
    archive.write(path, f'{{"webUrl": "{ONE}", "type": "a", "type": "a", "type": "a", "type": "b"}}\n')
    archive.refresh()
    assert archive.query("select distinct pointer, code, raw from coverage.document_issues") == [
        ("/type", "duplicate_key", '"a"')
    ]


def test_a_url_that_cannot_be_asked_is_kept_with_its_problem(archive: Archive) -> None:
    archive.write("_news/a.md", news("https://a.example\\x", item("javascript:alert(1)")))
    archive.refresh()
    assert archive.query("select fetch_url, problem, host from coverage.urls order by 1") == [
        ("https://a.example\\x", "backslash", ""),
        ("javascript:alert(1)", "scheme_unsupported", ""),
    ]


def test_each_source_stands_on_its_own_site(tmp_path: Path, settings_for: Callable[..., Settings]) -> None:
    sources = []
    for name, config in (("bare", ""), ("tide", SITE_CONFIG)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "_config.yml").write_text(config)
        sources.append({"name": name, "path": str(tmp_path / name)})
    archive = Archive(settings_for(tmp_path, sources=sources))
    front = front_matter(news("/x", topics=["Grid"]))
    for name in ("bare", "tide"):
        (tmp_path / name / "_news").mkdir()
        (tmp_path / name / "_news" / "a.md").write_text(front)
    archive.refresh()
    assert archive.query("select fetch_url, problem from coverage.urls order by 1") == [
        ("/x", "relative"),
        ("https://tidewatch.example/energy/x", None),
    ]
    assert archive.query("select source, story_count from coverage.topics order by source") == [
        ("bare", 1),
        ("tide", 1),
    ]
    assert archive.column("select count(distinct story_id) from coverage.stories") == [2]


# Over time

IDS = """
select 'story', story_id from coverage.stories
union select 'article', article_id from coverage.articles
union select 'outlet', outlet_id from coverage.outlets
union select 'url', url_id from coverage.urls
"""


def test_another_order_of_related_is_a_new_version_and_no_new_thing(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, item(TWO), item(THREE)))
    archive.refresh()
    before = set(archive.query(IDS))
    archive.write("_news/a.md", news(ONE, item(THREE), item(TWO)))
    archive.refresh()
    assert archive.column("select is_current from coverage.document_versions order by first_seen_at") == [False, True]
    assert set(archive.query(IDS)) == before


@pytest.mark.parametrize(
    "rewritten",
    [
        pytest.param(lambda text: text.replace("\n", "\r\n"), id="line endings"),
        pytest.param(lambda text: text.replace("secured: old", "secured: new"), id="secured"),
        pytest.param(
            lambda text: text.replace("quality: 50\nheat: 50\n", "heat: 50\nquality: 50\n"), id="order of keys"
        ),
    ],
)
def test_a_file_written_anew_with_the_same_meaning_is_unchanged(
    archive: Archive, rewritten: Callable[[str], str]
) -> None:
    text = f"---\ncategory: news\nwebUrl: {ONE}\nquality: 50\nheat: 50\nsecured: old\n---\nBody\n"
    archive.write("_news/a.md", text)
    archive.refresh()
    assert rewritten(text) != text
    archive.write("_news/a.md", rewritten(text))
    built = archive.refresh()
    assert (archive.counts.unchanged, archive.counts.parsed) == (1, 1)
    assert archive.query("select times_seen, first_seen_at <> last_seen_at from coverage.document_versions") == [
        (1, True)
    ]
    assert {name for name, table in built.items() if table.is_new} == {"coverage.document_versions"}


def test_a_meaning_that_comes_back_is_two_meanings_in_three_rows(archive: Archive) -> None:
    for heat in (60, 70, 60):
        archive.write("_news/a.md", news(ONE, heat=heat))
        archive.refresh()
    assert len(Logs.of(archive.settings.lake_dir).documents.files()) == 3
    assert archive.query(
        "select heat, times_seen, is_current, day(first_seen_at), day(last_seen_at) from coverage.document_versions"
        " order by heat"
    ) == [(60, 2, True, 1, 3), (70, 1, False, 2, 2)]
    assert archive.query("select heat from coverage.stories") == [(60,)]
    assert archive.query("select day(seen_at) from coverage.documents") == [(3,)]


def test_the_history_of_a_story_tells_its_heat_each_time_it_changed(archive: Archive) -> None:
    """Also where a meaning came back; a night without the file, or with a bad one, is a gap."""
    archive.write("_news/other.md", news(TWO, heat=5))
    nights: list[dict[str, object] | str | None] = [
        news(ONE, heat=60),
        news(ONE, item(THREE), heat=70, quality=60),
        news(ONE, heat=60),
        news(ONE, heat=60),
        "---\ntitle: [\n---\n",
        None,
        news(ONE, heat=None),
    ]
    for night in nights:
        if night is None:
            (archive.folder / "_news" / "a.md").unlink()
        else:
            archive.write("_news/a.md", night)
        archive.refresh()
    assert archive.query(
        "select appearance, day(history.seen_at), day(replaced_at), history.heat, history.quality,"
        " history.related_count, heat_change, quality_change, related_change"
        " from coverage.heat_history as history join coverage.stories using (story_id) where path = '_news/a.md'"
        " order by appearance"
    ) == [
        (1, 1, 2, 60, 50, 0, None, None, None),
        (2, 2, 3, 70, 60, 1, 10, 10, 1),
        (3, 3, 5, 60, 50, 0, -10, -10, -1),
        (4, 7, None, None, 50, 0, None, 0, 0),
    ]
    assert archive.query("select count(*), count(distinct version_id) from coverage.heat_history") == [(5, 4)]
    (archive.folder / "_news" / "a.md").unlink()
    archive.refresh()
    assert archive.column("select heat from coverage.heat_history") == [5], "a story that is no more has none"


def test_a_deleted_file_ends_its_story_and_a_restored_one_tells_it_again(archive: Archive) -> None:
    archive.write("_news/b.md", news(TWO))
    file = archive.write("_news/a.md", news(ONE))
    archive.refresh()
    story = archive.column("select story_id from coverage.stories where path = '_news/a.md'")
    kept = file.read_bytes()
    file.unlink()
    archive.refresh()
    assert archive.column("select path from coverage.stories") == ["_news/b.md"]
    assert archive.column("select identity_url from coverage.articles") == [TWO]
    assert archive.query("select status, title from coverage.documents where path = '_news/a.md'") == [
        ("removed", None)
    ]
    assert archive.column("select is_current from coverage.document_versions where path = '_news/a.md'") == [False]
    archive.write("_news/a.md", kept)
    archive.refresh()
    assert archive.column("select story_id from coverage.stories where path = '_news/a.md'") == story
    assert archive.query("select times_seen from coverage.document_versions where path = '_news/a.md'") == [(2,)]


def test_a_rejected_file_keeps_its_story_and_marks_it_stale(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE, item(TWO)))
    archive.refresh()
    archive.write("_news/a.md", "---\ntitle: [\n---\n")
    archive.refresh()
    assert archive.query("select is_stale, related_count from coverage.stories") == [(True, 1)]
    assert archive.query(
        "select status, is_stale, version_id <> accepted_version_id, title, issue_count from coverage.documents"
    ) == [("rejected", True, True, f"About {ONE}", 1)]
    assert archive.column("select severity from coverage.document_issues") == ["error"]
    archive.write("_news/a.md", news(ONE, item(TWO)))
    archive.refresh()
    assert archive.query("select is_stale from coverage.stories") == [(False,)]
    assert archive.column("select count(*) from coverage.document_issues") == [0]


def test_a_file_without_front_matter_any_more_ends_its_story(archive: Archive) -> None:
    archive.write("_news/a.md", news(ONE))
    archive.refresh()
    archive.write("_news/a.md", "Only text.\n")
    archive.refresh()
    assert archive.column("select count(*) from coverage.stories") == [0]
    assert archive.query("select status, accepted_version_id from coverage.documents") == [("skipped", None)]


def test_a_file_that_could_not_be_read_speaks_again_once_it_can(archive: Archive) -> None:
    """Its row of the log has no hash of bytes: the hash of an earlier row must not stand in for it."""
    file = archive.write("_news/a.md", news(ONE))
    archive.refresh()
    with begin_refresh(archive.settings, "a bad night", "2026-03-01T12:00:00Z") as refresh:
        log = refresh.logs.documents
        with refresh.session() as session:
            rows = session.table("from log.documents").to_pylist()
        unreadable = {key: rows[0][key] for key in ("source", "path", "version_id")}
        unreadable |= {"status": "rejected", "semantic_sha256": "unreadable", "version_id": content_id("version", "x")}
        unreadable |= {"seen_at": refresh.started_at, "refresh_id": refresh.refresh_id}
        log.append(pa.Table.from_pylist([unreadable], schema=log.schema))
    file.touch()
    archive.refresh()
    assert archive.query("select status, is_stale from coverage.documents") == [("accepted", False)]


# The same input


def test_unchanged_input_makes_nothing_anew(archive: Archive) -> None:
    """But document_versions, which tells when a meaning was last seen."""
    archive.write("_news/a.md", news(ONE, item(TWO)))
    assert all(table.is_new for table in archive.refresh().values())
    before = archive.files()
    built = archive.refresh()
    assert {name for name, table in built.items() if table.is_new} == {"coverage.document_versions"}
    after = archive.files()
    assert {name for name in before if before[name] != after[name]} == {"coverage.document_versions"}


def test_what_nothing_reads_any_more_is_given_back_while_the_tables_are_made(archive: Archive) -> None:
    """And made again for whoever needs it after all; what a check reads stays."""
    archive.write("_news/a.md", news(ONE, item(TWO)))
    archive.refresh()
    archive.write("_news/b.md", news(THREE))
    witness = relation("checks.every_url_use_is_kept")
    now = (FIRST_REFRESH + timedelta(days=1)).isoformat()
    with begin_refresh(archive.settings, "another", now) as refresh:
        take_in(refresh, archive.settings.sources[0])
        with refresh.session() as session:
            builder = coverage_builder(refresh, session)
            builder.build("coverage", [witness])
            held = session.run(
                "select 'staging.' || table_name from information_schema.tables where table_schema = 'staging'"
            )
            assert {name for (name,) in held} <= leans_on(witness)
            assert builder.answer(witness).num_rows == 0
            builder.need("staging.items")
            assert session.value("select count(*) from staging.items") == 3


def test_the_same_archive_at_the_same_time_makes_the_same_bytes(
    sample_site: Path, tmp_path: Path, settings_for: Callable[..., Settings]
) -> None:
    """In another place, from scratch."""
    archives = [Archive(settings_for(sample_site, data_dir=str(tmp_path / name))) for name in ("here", "there")]
    for archive in archives:
        archive.refresh()
    here, there = (archive.files() for archive in archives)
    assert here.keys() == there.keys()
    assert [name for name in here if here[name].read_bytes() != there[name].read_bytes()] == []


# A real archive


def test_the_real_archive_holds_what_was_counted_by_other_means(
    corpus: Path, tmp_path: Path, settings_for: Callable[..., Settings]
) -> None:
    site = Path(shutil.copytree(corpus / "microsoft-power-apps" / "2021-06-03", tmp_path / "site"))
    archive = Archive(settings_for(site))
    archive.refresh()
    assert archive.counts.seen == 866
    counted = {
        "stories": "select count(*) from coverage.stories",
        "articles": "select count(*) from coverage.articles",
        "URL uses of stories": "select count(*) from coverage.url_uses where story_id is not null",
        "URLs of stories": "select count(distinct url_id) from coverage.url_uses where story_id is not null",
        "URL uses in bodies": "select count(*) from coverage.url_uses where role = 'body'",
        "bodies with URLs": "select count(distinct path) from coverage.url_uses where role = 'body'",
    }
    assert {name: archive.column(sql) for name, sql in counted.items()} == {
        "stories": [192],
        "articles": [191],
        "URL uses of stories": [736],
        "URLs of stories": [269],
        "URL uses in bodies": [3214],
        "bodies with URLs": [119],
    }
    fronts = {
        path: yaml.load(path.read_text().removeprefix("---\n").partition("\n---")[0], yaml.CSafeLoader)
        for folder in ("_news", "_data/organizations", "_data/topics")
        for path in (site / folder).iterdir()
        if path.suffix in (".md", ".yaml")
    }
    told = {front["provider"]["domain"] for path, front in fronts.items() if path.parent.name == "_news"}
    known = {front["domain"]: front["name"] for path, front in fronts.items() if path.parent.name == "organizations"}
    assert archive.query(
        "select domain, name from coverage.providers where organization_name is not null order by domain"
    ) == sorted((domain, name) for domain, name in known.items() if domain in told)
    topics = [front for path, front in fronts.items() if path.parent.name == "topics"]
    assert archive.query("select name, parent_name from coverage.topics where is_defined order by name") == sorted(
        ((topic["name"], topic.get("parent") or None) for topic in topics), key=lambda pair: pair[0]
    )


@pytest.mark.parametrize("date", ["2021-05-26", "2021-06-03"])
def test_the_published_tables_rebuild_every_file_of_the_real_archive(
    corpus: Path, date: str, settings_for: Callable[..., Settings]
) -> None:
    """As PyYAML reads it; from the Parquet files alone."""
    archive = Archive(settings_for(corpus / "microsoft-power-apps" / date))
    archive.refresh()
    with duckdb.connect() as connection:
        connection.execute("create schema coverage")
        for name, file in archive.files().items():
            if name.startswith("coverage."):
                connection.execute(f"create view {name} as from read_parquet('{file}')")
        rebuilt = rebuilt_files(connection)
    assert len(rebuilt) == archive.counts.seen > 800
    for (_, path), mapping in rebuilt.items():
        text = (archive.folder / path).read_bytes().decode().replace("\r\n", "\n")
        front = text[4 : text.index("\n---", 3) + 1] if text.startswith("---\n") else text
        assert exact(mapping) == exact(yaml.load(front, yaml.CSafeLoader)), path


def test_the_seed_article_is_thirteen_articles_and_nothing_of_it_is_lost(
    corpus: Path, tmp_path: Path, settings_for: Callable[..., Settings]
) -> None:
    site = tmp_path / "site"
    (site / "_news").mkdir(parents=True)
    shutil.copy(corpus / "seed-article.md", site / "_news")
    archive = Archive(settings_for(site))
    archive.refresh()
    front = yaml.load((corpus / "seed-article.md").read_text().split("---\n")[1], yaml.CSafeLoader)
    items = [front, *front["related"]]
    assert archive.query("select count(*), any_value(related_count), bool_and(is_lead) from coverage.stories") == [
        (1, 12, True)
    ]
    assert archive.column("select count(*) from coverage.articles") == [13]
    assert archive.query("select position, role, title, web_url from coverage.mentions order by position") == [
        (position, "related" if position else "main", item["title"], item.get("webUrl"))
        for position, item in enumerate(items)
    ]
    assert archive.query(
        "select rank, identity_url from coverage.story_articles join coverage.articles using (article_id) order by rank"
    ) == [(position, identity_form(item.get("webUrl") or item["originalUrl"])) for position, item in enumerate(items)]
    assert (
        archive.column("select name from coverage.story_topics join coverage.topics using (topic_id) order by position")
        == front["topics"]
    )
    assert len(front["topics"]) == 2
    assert archive.query("select role, pointer, raw from coverage.url_uses order by pointer") == sorted(
        _urls_of(items), key=lambda use: use[1]
    )
    assert archive.query("select pointer, value from coverage.leftovers") == [
        ("/secured", json.dumps(front["secured"]))
    ], "what the schema does not name, and nothing else"


def _urls_of(items: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Role, pointer and text of each URL under a key that the archive uses for one."""
    uses = []
    for position, item in enumerate(items):
        at = f"/related/{position - 1}" if position else ""
        for key, role in {
            "webUrl": "web",
            "originalUrl": "original",
            "ampWebUrl": "amp",
            "cdnAmpWebUrl": "cdn_amp",
        }.items():
            if key in item:
                uses.append((role, f"{at}/{key}", item[key]))
        for owner, role, place in ((item, "image", at), (item["provider"], "provider_image", f"{at}/provider")):
            for number, image in enumerate(owner.get("images") or ()):
                uses.append((role, f"{place}/images/{number}/url", image["url"]))
    return uses
