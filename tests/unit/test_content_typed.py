"""What goes into typed columns, what is left over, and which URLs are noted."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.content import Rules, rebuild
from pipeline.content.paths import collection_of
from tests.reading import read_files

RULES = Rules(frozenset({"secured"}), 64 * 1024, 1024 * 1024)
NOW = datetime(2021, 6, 3, 2, tzinfo=UTC)
MIDNIGHT = datetime(2021, 2, 4, tzinfo=UTC)
MORNING = datetime(2021, 2, 4, 8, 30, tzinfo=UTC)


def read(folder: Path, front: str) -> dict[str, Any]:
    (folder / "a.md").write_text(f"---\n{front}\n---\n")
    row = read_files(folder, "s", ["a.md"], RULES, NOW, "r").to_pylist()[0]
    assert row["status"] == "accepted", row["issues"]
    return row


def leftovers(row: dict[str, Any]) -> dict[str, str]:
    return {leftover["pointer"]: leftover["value"] for leftover in row["leftovers"]}


def issues(row: dict[str, Any]) -> list[tuple[str, str]]:
    return [(issue["code"], issue["pointer"]) for issue in row["issues"]]


def uses(row: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(use["pointer"], use["role"], use["raw"]) for use in row["url_uses"]]


@pytest.mark.parametrize(
    ("written", "time", "precision", "left", "codes"),
    [
        ("2021-02-04T08:30:00Z", MORNING, "second", False, []),
        ("2021-02-04T00:00:00Z", MIDNIGHT, "midnight", False, []),
        ("2021-02-04T00:00:00.5Z", MIDNIGHT.replace(microsecond=500_000), "second", False, []),
        ("2021-02-04T00:00:00+00:00", MIDNIGHT, "midnight", False, []),
        ("'2021-02-04T08:30:00Z'", MORNING, "second", True, []),
        ("'2021-02-04'", MIDNIGHT, "day", True, []),
        ("yesterday", None, None, True, ["invalid_date"]),
        ("'20210204'", None, None, True, ["invalid_date"]),
        ("1612427400", None, None, True, ["wrong_type"]),
        ("null", None, None, True, []),
        ("''", None, None, True, ["invalid_date"]),
    ],
)
def test_a_time_is_read_as_utc_with_its_precision(
    tmp_path: Path, written: str, time: datetime | None, precision: str | None, left: bool, codes: list[str]
) -> None:
    row = read(tmp_path, f"publishedDateTime: {written}")
    assert (row["item"]["publishedDateTime"], row["item"]["publishedPrecision"]) == (time, precision)
    assert ("/publishedDateTime" in leftovers(row)) is left
    assert [code for code, _ in issues(row)] == codes


@pytest.mark.parametrize(
    ("front", "pointer", "codes"),
    [
        ("quality: true", "/quality", ["wrong_type"]),
        ("quality: 89.0", "/quality", ["wrong_type"]),
        ("published: 1", "/published", ["wrong_type"]),
        ("published: 'true'", "/published", ["wrong_type"]),
        ("topics: [AI, 1]", "/topics/1", ["wrong_type"]),
        ("images: {url: /a.png}", "/images", ["wrong_type"]),
        ("images: [x]", "/images/0", ["wrong_type"]),
        ("images: [{width: 3000000000}]", "/images/0/width", ["out_of_range"]),
        ("images: [{alt: x}]", "/images/0/alt", []),
        ("provider: Forbes", "/provider", ["wrong_type"]),
        ("provider: {name: 1}", "/provider/name", ["wrong_type"]),
        ("provider: {images: [{url: 1}]}", "/provider/images/0/url", ["wrong_type"]),
        ("provider: {x/y~z: 1}", "/provider/x~1y~0z", []),
        ("title: null", "/title", []),
        ("provider: null", "/provider", []),
        ("related: null", "/related", []),
        ("secured: a;b", "/secured", []),
        ("related: [{title: a, related: [b]}]", "/related/0/related", []),
    ],
)
def test_what_no_column_holds_is_left_over(tmp_path: Path, front: str, pointer: str, codes: list[str]) -> None:
    row = read(tmp_path, front)
    assert list(leftovers(row)) == [pointer]
    assert issues(row) == [(code, pointer) for code in codes]


@pytest.mark.parametrize(
    "front", ["quality: -9223372036854775808", "topics: []", "images: []", "provider: {}",
              "related: []", "related: [null, {}]", "images: [null]", "topics: [null, a]", "provider: {images: []}",
              "title: ''", "images: [{}]"],
)  # fmt: skip
def test_empty_and_odd_values_fit_their_columns(tmp_path: Path, front: str) -> None:
    """An empty list, a null in a list and a missing key stay three things."""
    import yaml

    row = read(tmp_path, front)
    assert (leftovers(row), issues(row)) == ({}, [])
    assert rebuild(row) == yaml.safe_load(front)


def test_a_mapping_with_keys_that_are_no_strings_is_left_over_whole(tmp_path: Path) -> None:
    row = read(tmp_path, "title: a\nprovider: {1: x, '1': y, name: n}\nrelated: [{2: b, title: c}]")
    assert row["item"]["provider"]["name"] == "n"
    assert row["related"][0]["title"] == "c"
    assert list(leftovers(row)) == ["/provider", "/related/0"]
    assert rebuild(row) == {
        "title": "a",
        "provider": {1: "x", "1": "y", "name": "n"},
        "related": [{2: "b", "title": "c"}],
    }


def test_related_slugs_are_null_items_with_leftovers(tmp_path: Path) -> None:
    row = read(tmp_path, "related: [a-slug, {title: b}, null, 'https://e.org/x']")
    assert [item and item["title"] for item in row["related"]] == [None, "b", None, None]
    assert leftovers(row) == {"/related/0": '"a-slug"', "/related/3": '"https://e.org/x"'}
    assert issues(row) == [("related_not_a_mapping", "/related/0"), ("related_not_a_mapping", "/related/3")]
    assert {issue["severity"] for issue in row["issues"]} == {"info"}
    assert uses(row) == [("/related/3", "other", "https://e.org/x")]
    assert rebuild(row) == {"related": ["a-slug", {"title": "b"}, None, "https://e.org/x"]}


def test_one_bare_related_mapping_is_one_item(tmp_path: Path) -> None:
    row = read(tmp_path, "related: {title: a, webUrl: 'https://e.org/a', provider: {x: 1}}")
    assert [item["title"] for item in row["related"]] == ["a"]
    assert issues(row) == [("related_not_a_list", "/related")]
    assert uses(row) == [("/related/webUrl", "web", "https://e.org/a")]
    assert rebuild(row) == {"related": {"title": "a", "webUrl": "https://e.org/a", "provider": {"x": 1}}}


def test_related_null_gives_none_and_absent_gives_none_but_only_null_is_left_over(tmp_path: Path) -> None:
    null, absent = read(tmp_path, "related: null\na: 1"), read(tmp_path, "a: 1")
    assert (null["related"], absent["related"]) == (None, None)
    assert (rebuild(null), rebuild(absent)) == ({"related": None, "a": 1}, {"a": 1})


def test_every_url_is_noted_with_its_place_and_role(tmp_path: Path) -> None:
    row = read(
        tmp_path,
        """
webUrl: https://e.org/w
originalUrl: http://e.org/o
ampWebUrl: https://e.org/a
cdnAmpWebUrl: https://cdn.org/a
images: [{url: /assets/i.png}, {title: HTTPS://e.org/t}]
provider: {domain: e.org, images: [{url: 'https://e.org/p.png'}]}
featuredContent: '<iframe src="https://e.org/f"></iframe>'
title: "  https://e.org/title "
excerpt: see https://e.org/not-as-a-whole
secured: https://e.org/secret
links: [{href: 'https://e.org/l', to: /relative}, 'mailto:x@e.org', 'ftp://e.org', 'http://']
related: [{webUrl: 'https://e.org/r', images: [{url: 'https://e.org/ri'}]}]
ampWebUrl2: ''
""",
    )
    assert sorted(uses(row)) == sorted(
        [
            ("/webUrl", "web", "https://e.org/w"),
            ("/originalUrl", "original", "http://e.org/o"),
            ("/ampWebUrl", "amp", "https://e.org/a"),
            ("/cdnAmpWebUrl", "cdn_amp", "https://cdn.org/a"),
            ("/images/0/url", "image", "/assets/i.png"),
            ("/images/1/title", "other", "HTTPS://e.org/t"),
            ("/provider/images/0/url", "provider_image", "https://e.org/p.png"),
            ("/title", "other", "  https://e.org/title "),
            ("/links/0/href", "other", "https://e.org/l"),
            ("/related/0/webUrl", "web", "https://e.org/r"),
            ("/related/0/images/0/url", "image", "https://e.org/ri"),
        ]
    )


@pytest.mark.parametrize("blank", ["''", "'  '", '"\\u00a0"'])
def test_a_blank_url_is_none(tmp_path: Path, blank: str) -> None:
    assert uses(read(tmp_path, f"webUrl: {blank}\nimages: [{{url: {blank}}}]")) == []


@pytest.mark.parametrize(
    ("path", "collection"),
    [
        ("_news/2021/a.md", "news"),
        ("content/posts/2021/a.md", "posts"),
        ("content/about.md", "content"),
        ("docs/a.md", "docs"),
        ("index.md", None),
        ("_/a.md", None),
    ],
)
def test_the_collection_is_the_first_folder(path: str, collection: str | None) -> None:
    assert collection_of(path) == collection
