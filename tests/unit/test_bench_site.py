"""The archives that benchmarks and tests run on: the same bytes for a seed, real in shape, true to what they tell."""

import html
import re
from collections import Counter
from hashlib import sha256
from itertools import combinations
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from bench.invention import FILES_SEEN
from bench.site import SiteTruth, write_site

STORIES = 400


@pytest.fixture(scope="module")
def usual(tmp_path_factory) -> tuple[Path, SiteTruth]:
    """An archive with the usual numbers of related items."""
    folder = tmp_path_factory.mktemp("usual")
    return folder, write_site(folder, stories=STORIES, seed=7)


@pytest.fixture(scope="module")
def twelve(tmp_path_factory) -> tuple[Path, SiteTruth]:
    """An archive with twelve related items a story, as the speed figure is measured on."""
    folder = tmp_path_factory.mktemp("twelve")
    return folder, write_site(folder, stories=STORIES, seed=7, related=12)


def test_the_same_seed_writes_the_same_bytes(tmp_path):
    """And tells the same truth; another seed writes others."""
    truths = [write_site(tmp_path / name, stories=60, seed=seed) for name, seed in (("a", 3), ("b", 3), ("c", 4))]
    assert _digest(tmp_path / "a") == _digest(tmp_path / "b") != _digest(tmp_path / "c")
    assert truths[0] == truths[1] != truths[2]


def test_the_number_of_related_items_is_drawn_or_fixed(tmp_path):
    drawn = write_site(tmp_path / "drawn", stories=50, related=lambda rng: rng.randrange(3))
    fixed = write_site(tmp_path / "fixed", stories=50, related=2)
    assert {len(identities) for identities in drawn.listings.values()} == {1, 2, 3}
    assert {len(identities) for identities in fixed.listings.values()} == {3}


def test_the_truth_is_what_pyyaml_reads(usual):
    """Identity URLs by the letter of the design, without the pipeline's own code."""
    folder, truth = usual
    read = {
        f"_news/{path.name}": tuple(_identity(item) for item in (front, *front.get("related", [])))
        for path, front in _fronts(folder)
    }
    assert read == truth.listings
    assert (truth.stories, truth.mentions) == (STORIES, sum(map(len, read.values())))
    assert truth.articles == len({identity for identities in read.values() for identity in identities})
    assert sorted(truth.triples()) == sorted(
        (path, position, identity) for path, identities in read.items() for position, identity in enumerate(identities)
    )


def test_the_truth_counts_the_files_and_bytes_of_the_archive(usual):
    folder, truth = usual
    found = [path for path in folder.rglob("*") if path.suffix in (".md", ".yaml")]
    assert len(found) == truth.files
    assert truth.story_bytes == sum(path.stat().st_size for path in (folder / "_news").iterdir())


def test_a_story_of_twelve_related_items_is_as_large_as_the_first_real_one(twelve):
    """11,719 bytes."""
    _, truth = twelve
    assert truth.story_bytes / truth.stories == pytest.approx(11_719, rel=0.05)


def test_files_are_written_as_often_in_each_way_as_real_ones(usual):
    folder, _ = usual
    fronts = [front for _, front in _fronts(folder)]
    shares = {
        "crlf": sum(b"\r\n" in path.read_bytes() for path in (folder / "_news").iterdir()),
        "entity in the excerpt": sum(html.unescape(front["excerpt"]) != front["excerpt"] for front in fronts),
        "midnight": sum(f"{front['publishedDateTime']:%T}" == "00:00:00" for front in fronts),
        "no images": sum("images" not in front for front in fronts),
        "no webUrl": sum("webUrl" not in front for front in fronts),
        "older, with fewer keys": sum("quality" not in front for front in fronts),
        "unpublished": sum(front.get("published") is False for front in fronts),
        "other date in the name": sum(
            f"{front['publishedDateTime']:%F}" != path.name[:10] for path, front in _fronts(folder)
        ),
    }
    real = {
        "crlf": 57,
        "entity in the excerpt": 27,
        "midnight": 9,
        "no images": 6,
        "no webUrl": 12,
        "older, with fewer keys": 10,
        "unpublished": 60,
        "other date in the name": 10,
    }
    for what, count in real.items():
        expected = count * STORIES / FILES_SEEN
        assert abs(shares[what] - expected) <= 4 * expected**0.5, what


def test_every_story_has_the_keys_that_real_ones_always_have(usual):
    folder, _ = usual
    for _, front in _fronts(folder):
        assert {"category", "title", "excerpt", "publishedDateTime", "type", "provider", "topics", "secured"} <= {
            *front
        }
        assert re.fullmatch(r"[A-Za-z0-9+/]+=*;[A-Za-z0-9+/]{22}==", front["secured"])
        assert ("webUrl" in front) == (front["type"] == "article")


def test_about_four_of_sixteen_related_articles_have_two_parents(twelve):
    _, truth = twelve
    parents = Counter(identity for _, position, identity in truth.triples() if position)
    assert 0.15 < sum(count > 1 for count in parents.values()) / len(parents) < 0.35


def test_stories_list_the_main_items_of_others_and_each_other(twelve):
    _, truth = twelve
    mains = {path: identities[0] for path, identities in truth.listings.items()}
    listed = {path: set(identities[1:]) for path, identities in truth.listings.items()}
    assert all(mains[path] not in listed[path] for path in mains)
    assert 0.04 < sum(len(listed[path] & set(mains.values())) for path in mains) / (12 * STORIES) < 0.15
    assert any(mains[one] in listed[other] and mains[other] in listed[one] for one, other in combinations(mains, 2))


def test_heat_follows_the_publishers_rule(twelve):
    """Quality and ten for each related item; -1 where one of them outranks the file. Related items by quality."""
    folder, _ = twelve
    outranked = 0
    for _, front in _fronts(folder):
        qualities = [item["quality"] for item in front["related"]]
        assert qualities == sorted(qualities, reverse=True)
        if "heat" in front:
            is_outranked = qualities[0] > front["quality"]
            assert front["heat"] == (-1 if is_outranked else front["quality"] + 120)
            assert 11 <= front["quality"] <= 189
            outranked += is_outranked
    assert 0 < outranked < STORIES / 2


def test_urls_are_absolute_relative_or_escaped_and_lead_nowhere(twelve):
    """Every host is under `.example`, so that no benchmark can ever ask anybody."""
    folder, _ = twelve
    text = b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()).decode()
    urls = re.findall(r"https?://[^\s\"\\]+", text)
    assert all(urlsplit(url).hostname.endswith(".example") for url in urls)
    for sign in ("&#038;", 'url: "/assets/', 'url: "http', ".example//", "utm_source", "http://"):
        assert sign in text, sign


def _digest(folder: Path) -> str:
    digest = sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _fronts(folder: Path) -> list[tuple[Path, dict]]:
    if folder not in _PARSED:
        _PARSED[folder] = [
            (path, yaml.load(path.read_bytes().replace(b"\r\n", b"\n").split(b"\n---\n")[0][4:], yaml.CSafeLoader))
            for path in sorted((folder / "_news").iterdir())
        ]
    return _PARSED[folder]


_PARSED: dict[Path, list[tuple[Path, dict]]] = {}


def _identity(item: dict) -> str:
    parts = urlsplit(html.unescape(item.get("webUrl") or item["originalUrl"]))
    query = "&".join(sorted(part for part in parts.query.split("&") if part and not part.startswith("utm_")))
    return f"https://{parts.netloc.removeprefix('www.')}{parts.path}" + (f"?{query}" if query else "")
