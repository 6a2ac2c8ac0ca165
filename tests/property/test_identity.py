"""Ids and tables follow what files mean: not how they are written, nor in which order they come."""

import random
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.content import Folder, Reader
from pipeline.content.reading import Known
from pipeline.lake.relations import relations
from pipeline.model.urls import url_forms
from tests.front_matter import NOW, RULES
from tests.published import published
from tests.reading import read_files
from tests.tables import front_matter

quick = settings(deadline=None, max_examples=4, suppress_health_check=[HealthCheck.too_slow])

URLS = [f"https://{host}.example/{slug}" for host in ("post", "www.mail") for slug in ("a", "B?v=1", "b?v=2", "c/")]
names = st.sampled_from(["Harbour Post", "Mail &amp; Tide", "Mail & Tide", " Harbour Post "])
items = st.fixed_dictionaries(
    {"title": st.sampled_from(["One", "Two &#8211; three", "Four"]), "webUrl": st.sampled_from(URLS)},
    optional={
        "quality": st.integers(0, 100),
        "originalUrl": st.sampled_from(URLS),
        "provider": st.fixed_dictionaries({"name": names, "domain": st.sampled_from(["post.example", "mail.example"])}),
        "images": st.lists(st.fixed_dictionaries({"url": st.sampled_from(["/a.png", "/b.png"])}), max_size=2),
        "topics": st.lists(st.sampled_from(["Tide", "Grid"]), max_size=2),
    },
)
stories = st.builds(
    lambda main, related, secured: main | {"category": "news", "related": related, "secured": secured},
    items,
    st.lists(items, max_size=5),
    st.text("abc", max_size=3),
)
archives = st.lists(stories, min_size=3, max_size=5)
Files = Mapping[str, bytes]


def written(stories: Sequence[Mapping[str, object]]) -> dict[str, bytes]:
    return {
        f"_news/{number}.md": front_matter(story, f"[body](https://body.example/{number % 2})\n").encode()
        for number, story in enumerate(stories)
    }


def tables_of(files: Files) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table that is made of the files, in the order of the tables' keys."""
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site"
        for path, content in files.items():
            (site / path).parent.mkdir(parents=True, exist_ok=True)
            (site / path).write_bytes(content)
        rows = read_files(site, "s", list(files), RULES, NOW, "r")
        with published(rows, Path(folder)) as connection:
            return {
                made.full_name: connection.execute(
                    f"from {made.full_name} order by {', '.join(f'{chr(34)}{column}{chr(34)}' for column in made.key)}"
                ).fetchall()
                for made in relations("coverage")
            }


IDS = {
    "coverage.stories": "story_id",
    "coverage.articles": "article_id",
    "coverage.outlets": "outlet_id",
    "coverage.urls": "url_id",
    "coverage.topics": "topic_id",
    "coverage.images": "image_id",
}


def ids(tables: Mapping[str, list[tuple[object, ...]]]) -> dict[str, set[object]]:
    """The ids of things, each the first column of its table."""
    return {name: {row[0] for row in tables[name]} for name in IDS}


@quick
@given(archives, st.randoms(use_true_random=False))
def test_the_order_in_which_files_come_is_nothing(archive: list[dict[str, Any]], dice: random.Random) -> None:
    files = list(written(archive).items())
    shuffled = files.copy()
    dice.shuffle(shuffled)
    assert tables_of(dict(files)) == tables_of(dict(shuffled))


@quick
@given(archives, st.randoms(use_true_random=False))
def test_another_order_of_related_changes_no_id(archive: list[dict[str, Any]], dice: random.Random) -> None:
    """Of a story, article, outlet, URL, topic or image; nor which article stands in which story, nor the clusters."""
    shuffled = [story | {"related": dice.sample(story["related"], len(story["related"]))} for story in archive]
    before, after = tables_of(written(archive)), tables_of(written(shuffled))
    assert ids(before) == ids(after)
    assert {row[:2] for row in before["coverage.story_articles"]} == {
        row[:2] for row in after["coverage.story_articles"]
    }
    assert before["coverage.story_clusters"] == after["coverage.story_clusters"]


def crlf(content: bytes) -> bytes:
    return content.replace(b"\n", b"\r\n")


def secured_anew(content: bytes) -> bytes:
    _, front, body = content.split(b"---\n")
    keys = yaml.safe_load(front) | {"secured": "encrypted afresh"}
    return front_matter(keys, body.decode()).encode()


def as_it_was(content: bytes) -> bytes:
    return content


@pytest.mark.parametrize("rewritten", [as_it_was, crlf, secured_anew])
@settings(quick, max_examples=25)
@given(archive=archives)
def test_reading_again_what_means_the_same_adds_no_row(
    rewritten: Callable[[bytes], bytes], archive: list[dict[str, Any]]
) -> None:
    files = written(archive)
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "_news").mkdir()
        for path, content in files.items():
            (Path(folder) / path).write_bytes(content)
        rows = read_files(Path(folder), "s", list(files), RULES, NOW, "r").to_pylist()
        known = {row["path"]: Known(row["status"], row["semantic_sha256"], row["sha256"]) for row in rows}
        for path, content in files.items():
            (Path(folder) / path).write_bytes(rewritten(content))
        shard = Reader("s", RULES, NOW, "r2").read(Folder(Path(folder)), list(files), known)
    assert (len(rows), shard.rows.num_rows) == (len(files), 0)


@pytest.mark.parametrize("rewritten", [crlf, secured_anew])
@quick
@given(archive=archives)
def test_a_file_written_anew_with_the_same_meaning_changes_no_row(
    rewritten: Callable[[bytes], bytes], archive: list[dict[str, Any]]
) -> None:
    """But what is told of its bytes, and of what changes each time it is encrypted."""
    files = written(archive)
    anew = {path: rewritten(content) for path, content in files.items()}
    assert anew != files
    before, after = tables_of(files), tables_of(anew)
    about_bytes = {"coverage.documents", "coverage.document_versions", "coverage.leftovers"}
    assert {name for name in before if before[name] != after[name]} <= about_bytes
    for name in ("coverage.documents", "coverage.document_versions"):
        assert [row[:3] for row in before[name]] == [row[:3] for row in after[name]]


words = st.text("abcXYZ019-_~", min_size=1, max_size=8)
hosts = st.from_regex(r"[a-z]{1,8}\.example", fullmatch=True)
paths = st.lists(words, min_size=1, max_size=3).map("/".join)
keys = words.filter(lambda word: url_forms(f"https://a.example/?{word}=1").identity_url.endswith("=1"))
queries = st.lists(st.builds("{}={}".format, keys, words), max_size=3)


def identity(url: str) -> str:
    forms = url_forms(url)
    assert forms.problem is None
    return forms.identity_url


def joined(host: str, path: str, query: Sequence[str], scheme: str = "https") -> str:
    return f"{scheme}://{host}/{path}" + (f"?{'&'.join(query)}" if query else "")


@given(hosts, paths, queries, st.data())
def test_ways_to_reach_one_article_are_one_identity(
    host: str, path: str, query: list[str], data: st.DataObject
) -> None:
    tracking = data.draw(st.lists(st.sampled_from(["utm_source=x", "UTM_Campaign=y", "fbclid=1", "gclid=2"])))
    mixed = data.draw(st.permutations([*query, *tracking]))
    scheme = data.draw(st.sampled_from(["http", "https"]))
    port = data.draw(st.sampled_from(["", {"http": ":80", "https": ":443"}[scheme]]))
    www = data.draw(st.sampled_from(["", "www.", "WWW."]))
    fragment = data.draw(st.sampled_from(["", "#top", "#:~:text=x"]))
    other = joined(www + host.upper() + port, path, mixed, scheme) + fragment
    assert identity(other) == identity(joined(host, path, query))


@given(hosts, paths, queries, st.data())
def test_what_differs_in_path_case_query_or_video_is_two_articles(
    host: str, path: str, query: list[str], data: st.DataObject
) -> None:
    one = joined(host, path, query)
    others = [
        joined(host, path.swapcase(), query),
        joined(host, path, [*query, "another=1"]),
        joined(host, path + "/", query),
        joined("m." + host, path, query),
        joined(host, "watch", [*query, "v=" + data.draw(words)]),
    ]
    if query:
        others += [joined(host, path, query[1:]), joined(host, path, [query[0] + "x", *query[1:]])]
        others.append(joined(host, path, [query[0].swapcase(), *query[1:]]))
    for other in others:
        same_query = sorted(one.partition("?")[2].split("&")) == sorted(other.partition("?")[2].split("&"))
        if one.partition("?")[0] == other.partition("?")[0] and same_query:
            continue  # nothing was there to be changed
        assert identity(one) != identity(other)


@given(words, words)
def test_two_videos_of_one_page_are_two_articles(one: str, other: str) -> None:
    same = identity(f"https://tube.example/watch?v={one}") == identity(f"https://www.tube.example/watch?t=1&v={other}")
    assert not same
    assert (identity(f"https://tube.example/watch?v={one}") == identity(f"http://tube.example/watch?v={other}")) == (
        one == other
    )
