"""The links below the front matter in the tables: of every collection, at their places, each body read once."""

import json
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from pipeline.coverage.markup import MOST_CHARACTERS
from pipeline.settings import Settings
from tests.tables import Archive, front_matter

USES = """
select path, pointer, raw from coverage.url_uses where role = 'body'
order by path, regexp_extract(pointer, '[0-9]+')::int, pointer
"""
KEPT = "forms.body_links"


@pytest.fixture
def archive(tmp_path: Path, settings_for: Callable[..., Settings]) -> Archive:
    site = tmp_path / "site"
    site.mkdir()
    (site / "_config.yml").write_text("url: https://tidewatch.example\nbaseurl: /energy\n")
    return Archive(settings_for(site, sanity={"min_files_share": 0}))


def page(title: str, body: str, **more: object) -> str:
    return front_matter({"title": title, **more}, body)


def test_every_collection_keeps_its_own_keys_and_the_links_of_its_bodies(archive: Archive) -> None:
    files = {
        "_people/a.md": page("A", "[home](https://a.example/)\n", role="editor"),
        "_learning/courses/b.md": page("B", "![plan](/assets/plan.png)\n", length="12 hours"),
        "_learning/videos/c.markdown": page("C", "<iframe src='https://v.example/c'></iframe>\n"),
        "_samples/d.md": page("D", "<div>\n<a href='https://a.example/'>d</a></div>\n", price="Free"),
        "_newsletters/e.html": page("E", "<p>\n<a href='https://e.example/'>e</a> [no](/no)"),
        "notes/f.txt": page("F", "<a href='https://f.example/'>shown as it is</a>"),
        "_data/g.yaml": "title: G\n",
    }
    for path, content in files.items():
        archive.write(path, content)
    archive.refresh()
    assert archive.query("select path, status from coverage.documents order by path") == [
        (path, "accepted") for path in sorted(files)
    ]
    assert archive.query("select pointer, value from coverage.leftovers order by pointer") == [
        ("/length", '"12 hours"'),
        ("/price", '"Free"'),
        ("/role", '"editor"'),
    ]
    assert archive.query(USES) == [
        ("_learning/courses/b.md", "#L5C1", "/assets/plan.png"),
        ("_learning/videos/c.markdown", "#L4C1", "https://v.example/c"),
        ("_newsletters/e.html", "#L5C1", "https://e.example/"),
        ("_people/a.md", "#L5C1", "https://a.example/"),
        ("_samples/d.md", "#L6C1", "https://a.example/"),
    ]
    assert archive.query(
        "select fetch_url, asked_as, use_count from coverage.urls where fetch_url not like '%/e.example/' order by 1"
    ) == [
        ("https://a.example/", "page", 2),
        ("https://tidewatch.example/energy/assets/plan.png", "file", 1),
        ("https://v.example/c", "page", 1),
    ]


@pytest.mark.parametrize(
    "front",
    [
        "---\ntitle: A\n---\n",
        "---\r\ntitle: A\r\n---\r\n",
        "\ufeff---\ntitle: A\ntext: |\n  ---\n  x\n...\n",
        "+++\ntitle = 'A'\n+++\n",
        '{\n  "title": "A"\n}\n',
        "---\n---\n",
    ],
)
def test_the_place_is_that_in_the_file(archive: Archive, front: str) -> None:
    text = f"{front}First line.\n\n> quoted [link](/x)\n"
    archive.write("_people/a.md", text)
    archive.refresh()
    [line] = [number for number, line in enumerate(text.split("\n"), start=1) if "[link]" in line]
    assert archive.query(USES) == [("_people/a.md", f"#L{line}C10", "/x")]


def test_links_in_the_body_of_a_story_stand_apart_from_its_appearances(archive: Archive) -> None:
    """A link that stands twice is told twice."""
    web = "https://a.example/news"
    archive.write("_news/a.md", page("A", f"[x]({web}) and [again]({web})\n", webUrl=web))
    archive.refresh()
    assert archive.query(
        "select pointer, role, mention_pointer, story_id is not null from coverage.url_uses order by pointer"
    ) == [
        ("#L5C1", "body", "", True),
        ("#L5C33", "body", "", True),
        ("/webUrl", "web", "", True),
    ]
    assert archive.column("select count(*) from coverage.mentions") == [1]
    assert archive.query("select use_count, asked_as from coverage.urls") == [(3, "page")]


def _mark(archive: Archive) -> None:
    """Make what was kept of bodies tell itself from what a parser would find."""
    file = archive.files()[KEPT]
    with duckdb.connect() as connection:
        marked = file.with_suffix(".marked")
        connection.execute(
            "copy (select version_id, is_searched,"
            " list_transform(links, lambda link : struct_update(link, raw := '/kept')) as links"
            f" from '{file}') to '{marked}' (format parquet)"
        )
    marked.replace(file)


def _raws(archive: Archive) -> list[object]:
    return archive.column("select raw from coverage.url_uses where role = 'body' order by path")


def test_a_body_is_read_once(archive: Archive) -> None:
    """Until it changes, or the rules by which links are found."""
    archive.write("_people/a.md", page("A", "[a](/a)\n"))
    archive.write("_people/b.md", page("B", "[b](/b)\n"))
    archive.write("_people/c.md", page("C", "[c](/c)\n"))
    archive.refresh()
    _mark(archive)
    archive.write("_people/b.md", page("B", "[b](/b2)\n"))
    (archive.folder / "_people" / "c.md").unlink()
    archive.refresh()
    assert _raws(archive) == ["/kept", "/b2"]
    with duckdb.connect() as connection:
        assert connection.sql(f"select count(*) from '{archive.files()[KEPT]}'").fetchall() == [(2,)]

    pointer = archive.settings.lake_dir / "tables" / "staged.json"
    staged = json.loads(pointer.read_text())
    for table in staged["tables"].values():
        table["made_from"] = "by other rules"
    pointer.write_text(json.dumps(staged))
    archive.refresh()
    assert _raws(archive) == ["/a", "/b2"]


def test_what_is_kept_of_bodies_stays_where_it_is_while_none_changes(archive: Archive) -> None:
    archive.write("_people/a.md", page("A", "[a](/a)\n"))
    archive.refresh()
    before = archive.files()[KEPT]
    archive.write("_people/b.md", page("B", "No link.\n"))
    archive.refresh()
    assert archive.files()[KEPT] == before


def test_many_and_large_bodies_are_read_in_parts_and_one_too_long_is_told(archive: Archive) -> None:
    filler = "x" * (MOST_CHARACTERS - 100)
    for number in range(20):
        archive.write(f"_people/{number:02}.md", page("P", f"[a](/{number})\n{filler}\n"))
    archive.write("_people/long.md", page("P", f"[a](/long)\n{filler}{filler}\n"))
    archive.refresh()
    assert sorted(_raws(archive)) == sorted(f"/{number}" for number in range(20))
    with duckdb.connect() as connection:
        unread = connection.sql(f"select count(*) from '{archive.files()[KEPT]}' where not is_searched")
        assert unread.fetchall() == [(1,)]
