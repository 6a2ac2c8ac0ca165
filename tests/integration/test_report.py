"""The morning page: what it must say of a warehouse, and what hostile content must not make of it."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from uuid import UUID

import duckdb
import pytest

from pipeline.errors import WarehouseError
from pipeline.lake.relations import relation
from pipeline.model.tables import TABLES
from pipeline.report import write_report
from pipeline.report.pictures import PICTURES, Picture
from pipeline.report.reading import ROWS_SHOWN
from pipeline.report.sections import SECTIONS, statement

Rows = Mapping[str, Sequence[Mapping[str, object]]]

REHEARSAL = "A rehearsal web answered these links, not the world."
SCRIPT = "<script>alert(1)</script>"
KITES = "Kites'\"></svg><img src=x onerror=alert(1)>"
EVE = date(2026, 11, 21)
REFRESH = {
    "refresh_id": "20261122T020000-1a2b",
    "started_at": datetime(2026, 11, 22, 2, 0, tzinfo=UTC),
    "night": date(2026, 11, 22),
    "clock": "system",
    "outcome": "published",
    "rehearsal": False,
    "files_seen": 12345,
    "files_accepted": 101,
    "files_rejected": 102,
    "files_skipped": 103,
    "files_unchanged": 12039,
    "files_removed": 104,
    "urls_due": 901,
    "urls_checked": 870,
    "urls_postponed": 31,
    "version": "0.1.0",
}
DEAD = {
    "url_id": UUID(int=1),
    "fetch_url": "https://gone.example/a?b=1&c=2",
    "state": "dead",
    "strikes": 3,
    "verdict": "gone",
    "http_status": 410,
    "last_alive": date(2026, 9, 1),
    "source": "site",
    "path": "_news/one.md",
    "pointer": "/relatedItems/3/webUrl",
    "story_title": "The first story",
    "places": 2,
}
FILLED: Rows = {
    "ops.refreshes": [
        REFRESH | {"started_at": datetime(2026, 11, 21, 2, 0, tzinfo=UTC), "version": "0.0.9"} | {"night": EVE},
        REFRESH,
    ],
    "reports.link_health_by_night": [
        {"night": EVE, "judged": 40, "broke": 6, "revived": 0, "alive": 34, "broken": 6, "unjudged": 13},
        {"night": date(2026, 11, 22), "judged": 53, "broke": 8, "revived": 1, "alive": 29, "broken": 13}
        | {"unjudged": 11},
    ],
    "coverage.documents": [{"status": status} for status in ("rejected", "accepted", "rejected", "removed")],
    "coverage.stories": [{"story_id": UUID(int=n)} for n in range(7)],
    "coverage.articles": [{"article_id": UUID(int=n)} for n in range(23)],
    "coverage.mentions": [{"mention_id": UUID(int=n)} for n in range(1031)],
    "coverage.outlets": [{"outlet_id": UUID(int=n)} for n in range(17)],
    "coverage.urls": [{"url_id": UUID(int=n)} for n in range(53)],
    "links.states": [
        {"url_id": UUID(int=n), "last_verdict": "alive" if n < 29 else "soft_404" if n < 42 else None}
        for n in range(53)
    ],
    "reports.dead_links": [
        DEAD,
        DEAD | {"path": "_news/two.md", "pointer": "/webUrl", "story_title": SCRIPT},
        DEAD
        | {
            "places": 1,
            "url_id": UUID(int=2),
            "fetch_url": "javascript:alert(1)",
            "state": "failing",
            "strikes": 1,
            "verdict": "unreachable",
            "http_status": None,
            "error_class": "dns_nxdomain",
        },
    ],
    "reports.link_health_by_outlet": [
        {"domain": "harbor.example", "outlet": "Harbor & Co", "links": 61, "alive": 37, "broken": 5, "unjudged": 19}
        | {"broken_share": 5 / 42}
    ],
    "reports.articles_in_several_stories": [
        {"title": SCRIPT, "outlet": None, "identity_url": "https://x.example/\"onmouseover='alert(1)'"}
        | {"story_count": 14, "leads": 2, "paths": [f"_news/{n}.md" for n in range(14)]}
    ],
    "reports.coverage_lag": [
        {"topic": None, "stories": 3, "related_items": 8, "median_lag_hours": -1.25, "p90_lag_hours": 48.04}
        | {"share_before": 0.625}
    ],
    "reports.changed_in_last_refresh": [
        {"source": "site", "path": "_news/one.md", "change": "changed", "title": "Now \u202egnp.exe", "heat_before": -1}
        | {"changed_parts": ["title", "related"], "heat_now": 88, "related_before": 4, "related_now": 6}
    ],
    "reports.links_changed_last_night": [
        {"fetch_url": "https://gone.example/late", "change": "broke", "verdict": "gone", "verdict_before": "alive"}
        | {"http_status": 404, "night_before": date(2026, 11, 15), "places": 2, "path": "_news/one.md"},
        {"fetch_url": "https://dead.example/", "change": "died", "verdict": "gone", "verdict_before": "gone"},
        {"fetch_url": "https://back.example/", "change": "revived", "verdict": "alive", "verdict_before": "gone"}
        | {"http_status": 200, "night_before": date(2026, 11, 19), "places": 1, "path": "_news/two.md"},
    ],
    "reports.link_rot": [
        {"domain": domain, "role": "web", "age": "under a year", "age_order": 3, "links": 10, "alive": 6, "broken": 2}
        | {"unjudged": 2, "broken_share": 0.25}
        for domain in ("a.example", "b.example")
    ],
    "reports.link_survival": [
        {"grouping": grouping, "name": name, "day": day, "links": 40, "at_risk": risk, "died": died}
        | {"survival": survival, "survival_low": low, "survival_high": high, "half_life_days": 90}
        for grouping, name in (("all", "all"), ("age", "under a year"), ("outlet", "a.example"))
        for day, risk, died, survival, low, high in ((0, 40, 0, 1.0, None, None), (90, 40, 24, 0.4, 0.25, 0.55))
    ],
    "reports.leaders_and_followers": [
        {"domain": "harbor.example", "outlet": "Harbor & Co", "stories_led": 9, "stories_followed_by_others": 7}
        | {"stories_joined": 3, "lead_share": 0.75}
        | {"followed_by": [{"domain": f"{letter}.example", "stories": 2} for letter in "abcd"], "follows": []}
    ],
    "reports.clusters_of_stories": [
        {"cluster_id": UUID(int=1), "hottest_title": SCRIPT, "story_count": 12, "shared_article_count": 5}
        | {"mutual_count": 2, "first_published_at": datetime(2026, 3, 1, 4, tzinfo=UTC), "paths": ["_news/one.md"]}
    ],
    "coverage.story_clusters": [{"cluster_id": UUID(int=1), "story_id": UUID(int=n)} for n in range(3)],
    "coverage.story_articles": [{"story_id": UUID(int=n), "article_id": UUID(int=n // 2)} for n in range(3)],
    "reports.topic_weeks": [
        {"topic": topic, "week": date(2026, 11, 9) + 7 * timedelta(week), "source": "site", "stories": stories}
        | {"stories_before": before, "change": stories - before}
        for topic, week, stories, before in [("Grid", 0, 8, 1), ("Grid", 1, 3, 8), (KITES, 1, 0, 0)]
    ],
    "reports.name_conflicts": [
        {"kind": "provider_name", "subject": "harbor.example", "value": value, "mentions": n, "is_shown": n > 3}
        | {"path": "_news/one.md"}
        for value, n in (("Harbor & Co", 8), ("<b>Cookies</b>", 1))
    ],
    "reports.lead_rule_violations": [
        {"path": "_news/one.md", "title": "One", "violation": "leads_though_outranked", "heat": 70}
        | {"expected_heat": -1, "quality": 50, "related_count": 2, "top_related_quality": 60}
    ],
    "coverage.document_issues": [
        {"code": "yaml.syntax", "severity": "error", "line": 4, "column": 9, "message": "a quote is open"}
        | {"source": "site", "path": "_news/bad.md", "raw": 'title: "<img src=x onerror=alert(1)>'},
        {"code": "whole", "severity": "warning", "message": "no fence", "source": "site", "path": "_news/odd.md"},
        {"code": "only.said", "severity": "info", "message": "unseen", "source": "site", "path": "_news/odd.md"},
    ],
}


def build(file: Path, rows: Rows) -> Path:
    connection = duckdb.connect(str(file))
    connection.begin()  # one sync for all of it
    for schema in sorted({table.schema for table in TABLES.values()}):
        connection.execute(f"create schema {schema}")
    for table in TABLES.values():
        columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
        connection.execute(f"create table {table.full_name} ({columns})")
        for row in rows.get(table.full_name, ()):
            names = ", ".join(f'"{name}"' for name in row)
            values = ", ".join("?" for _ in row)
            connection.execute(f"insert into {table.full_name} ({names}) values ({values})", list(row.values()))
    connection.commit()
    connection.close()
    return file


class Reader(HTMLParser):
    """The page as a browser would take it: its elements, and the words of each section."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, list[str]] = {}
        self._section = "head"
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "section":
            self._section = dict(attrs)["id"] or ""
        elif tag in ("footer", "header"):
            self._section = tag
        elif tag in ("td", "dd"):
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        self.words.setdefault(self._section, []).append(data)

    def text(self, section: str) -> str:
        return " ".join("".join(self.words[section]).split())


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Reader:
    folder = tmp_path_factory.mktemp("report")
    return Reader(write_report(build(folder / "r1.duckdb.building", FILLED), folder / "report"))


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("header", "Refresh of 2026-11-22 02:00 UTC"),
        ("header", "Night of 2026-11-22"),
        ("summary", "Links died 1 Broke 1 Came back 1 Moved 0 Shut us out 0 Cannot be judged 19 Files rejected 2"),
        ("refreshes", "2026-11-22 published 12,345 101 102 104 – 870 8 1 13 11 2026-11-21"),
        ("refreshes", "After each of the last 2 nights that judged any."),
        ("outlets", "All of them, those with most broken links first"),
        ("topics", "All of them, those with most stories first, in the last 26 weeks."),
        ("clusters", "All of them, the largest first; 3 of their 12 stories, the hottest."),
        ("summary", "Stories 7 Articles 23 Mentions 1,031 Outlets 17 Links 53"),
        ("summary", "seen 12,345 accepted 101 rejected 102 skipped 103 unchanged 12,039 removed 104"),
        ("summary", "901 links were due: 870 asked, 31 put off to another night."),
        ("summary", "alive 29 54.7% soft 404 13 24.5% never judged 11 20.8%"),
        ("dead_links", "2 links"),
        (
            "dead_links",
            "https://gone.example/a?b=1&c=2 dead 3 gone HTTP 410 2026-09-01 2 _news/one.md /relatedItems/3/webUrl",
        ),
        ("dead_links", "The first story"),
        ("dead_links", "failing 1 unreachable dns_nxdomain"),
        ("outlets", "harbor.example Harbor & Co 61 37 5 19 11.9%"),
        ("shared_articles", "14 2 _news/0.md"),
        ("shared_articles", "and 4 more files"),
        ("lag", "without a topic 3 8 −1.2 h +48.0 h 62.5%"),
        (
            "turns",
            "https://gone.example/late broke alive gone HTTP 404 2026-11-15 2 _news/one.md https://back.example/",
        ),
        ("survival", "all links all 40 24 90 40.0% 90"),
        ("survival", "age under a year 40 24 90 40.0% 90"),
        ("rot", "web under a year 20 12 4 4 25.0%"),
        ("leaders", "Harbor & Co harbor.example 9 7 3 75.0% a.example, b.example, c.example –"),
        ("clusters", f"{SCRIPT} 12 5 2 2026-03-01 –"),
        ("topics", "Grid – 2026-11-16 3 8 −5 site"),
        ("names", "harbor.example provider name Harbor & Co 8 shown _news/one.md"),
        ("names", "<b>Cookies</b> 1 – _news/one.md"),
        ("lead_rule", "_news/one.md One leads though outranked 70 −1 50 2 60"),
        ("changes", "_news/one.md site changed Now ⟨U+202E⟩gnp.exe title, related −1 88 4 6"),
        ("issues", "_news/bad.md:4:9 site error yaml.syntax a quote is open"),
        ("issues", "_news/odd.md site warning whole no fence"),
        ("footer", "ops.catalog"),
        ("footer", "Newsledger 0.1.0"),
    ],
)
def test_the_page_says(page: Reader, section: str, said: str) -> None:
    assert said in page.text(section)


def test_topics_are_those_of_the_last_week_that_moved(page: Reader) -> None:
    table = page.text("topics").partition("Filter")[2]
    assert table.count("2026-11-") == 1
    assert "Kites" not in table


def test_a_problem_that_is_only_information_is_left_out(page: Reader) -> None:
    assert "only.said" not in page.text("issues")


@pytest.mark.parametrize("name", [*(section.name for section in SECTIONS), "refresh", "holdings", "verdicts"])
def test_each_table_leads_to_its_sql(page: Reader, name: str) -> None:
    """The statement stands on the page to the letter, in the table's own section."""
    section = name if name in page.words else "summary"
    assert statement(name) in page.words[section]


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_the_columns_laid_out_are_those_the_statement_yields(tmp_path: Path, section) -> None:  # type: ignore[no-untyped-def]
    connection = duckdb.connect(str(build(tmp_path / "empty.duckdb", {})), read_only=True)
    described = connection.execute(f"describe {section.statement}").fetchall()
    connection.close()
    assert [column.name for column in section.columns] == [row[0] for row in described]


@pytest.mark.parametrize("picture", PICTURES.values(), ids=lambda picture: picture.name)
def test_each_picture_leads_to_its_sql_and_its_numbers(page: Reader, picture: Picture) -> None:
    (section,) = (section.name for section in SECTIONS if picture.name in section.pictures)
    assert picture.statement in page.words[section]
    assert picture.title in page.text(section)
    for heading in picture.columns:
        assert heading in page.text(section)
    described = [attributes for tag, attributes in page.elements if attributes.get("role") == "img"]
    assert {"aria-labelledby": f"{picture.name}-title"}.items() <= next(
        attributes for attributes in described if picture.name in (attributes["aria-labelledby"] or "")
    ).items()


def test_the_tables_behind_each_statement_are_shown_on_the_page_of_sql(tmp_path: Path) -> None:
    """Every link to it leads to the SQL of that table, to the letter."""
    index = write_report(build(tmp_path / "r.duckdb", {}), tmp_path)
    links = [attributes.get("href") or "" for _, attributes in Reader(index).elements]
    wanted = {link.partition("#")[2] for link in links if link.startswith("sql.html#")}
    assert {"reports.dead_links", "reports.topic_weeks", "ops.refreshes", "coverage.stories"} <= wanted
    behind = Reader(tmp_path / "sql.html")
    for name in wanted:
        assert relation(name).sql in behind.words[name]
    there = {attributes["id"] for tag, attributes in behind.elements if tag == "section"}
    inner = [attributes.get("href") or "" for _, attributes in behind.elements]
    assert {link[1:] for link in inner if link.startswith("#")} - {"relations"} <= there


def test_a_picture_without_enough_to_see_says_so(tmp_path: Path) -> None:
    page = Reader(write_report(build(tmp_path / "r.duckdb", {"ops.refreshes": [REFRESH]}), tmp_path))
    assert "Two published refreshes are needed" in page.text("refreshes")
    assert not [tag for tag, attributes in page.elements if attributes.get("role") == "img"]


def test_many_clusters_are_drawn_within_bounds_and_the_rest_is_counted(tmp_path: Path) -> None:
    """However large they are: forty stories that all share their articles."""
    clusters, stories = range(9), range(40)
    ids = {(cluster, story): UUID(int=100 * cluster + story + 1) for cluster in clusters for story in stories}
    rows: Rows = {
        "reports.clusters_of_stories": [
            {"cluster_id": ids[cluster, 0], "story_count": 40, "shared_article_count": 1} for cluster in clusters
        ],
        "coverage.story_clusters": [
            {"cluster_id": ids[cluster, 0], "story_id": story} for (cluster, _), story in ids.items()
        ],
        "coverage.stories": [{"story_id": story, "title": SCRIPT, "path": "a.md"} for story in ids.values()],
        "coverage.story_articles": [
            {"story_id": story, "article_id": UUID(int=cluster)} for (cluster, _), story in ids.items()
        ],
    }
    index = write_report(build(tmp_path / "r.duckdb", rows), tmp_path)
    assert "6 of 9 clusters, the largest first; 96 of their 240 stories" in Reader(index).text("clusters")
    assert index.stat().st_size < 600_000


def test_markup_in_titles_stays_text(page: Reader) -> None:
    """Those that pictures show, too."""
    assert SCRIPT in page.text("dead_links")
    assert page.text("topics").count(KITES[:12]) == 2
    assert page.text("clusters").count(f"{SCRIPT} · 12") == 1
    assert [tag for tag, _ in page.elements].count("script") == 1
    forbidden = {"img", "image", "foreignobject", "iframe", "object", "embed", "base", "form"}
    assert not forbidden & {tag for tag, _ in page.elements}


def test_no_text_of_the_world_becomes_an_attribute(page: Reader) -> None:
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_only_web_urls_become_links(page: Reader) -> None:
    links = [attributes["href"] or "" for tag, attributes in page.elements if tag == "a"]
    assert "https://gone.example/a?b=1&c=2" in links
    assert all(re.match(r"https?://|#|sql\.html(#|$)", link) for link in links)
    assert "javascript:alert(1)" in page.text("dead_links")


def test_links_tell_nobody_where_they_were_followed_from(page: Reader) -> None:
    outward = [attributes for tag, attributes in page.elements if tag == "a" and "://" in (attributes["href"] or "")]
    assert all("noreferrer" in (attributes["rel"] or "") for attributes in outward)


def test_nothing_is_loaded_from_elsewhere(page: Reader) -> None:
    assert not [attributes for _, attributes in page.elements if "src" in attributes or "srcset" in attributes]
    assert [attributes["href"] for tag, attributes in page.elements if tag == "link"] == ["data:,"]
    page_text = "".join(page.words["head"])
    assert "url(" not in page_text
    assert "@import" not in page_text


def test_a_rehearsal_is_said_before_anything_else(tmp_path: Path) -> None:
    file = build(tmp_path / "r.duckdb", {"ops.refreshes": [REFRESH | {"rehearsal": True, "clock": "given"}]})
    page = Reader(write_report(file, tmp_path))
    assert REHEARSAL in page.text("header")
    assert "On a given clock (--now)" in page.text("header")


def test_no_rehearsal_is_said_where_only_an_earlier_refresh_was_one(tmp_path: Path) -> None:
    earlier = REFRESH | {"started_at": datetime(2026, 11, 1, tzinfo=UTC), "rehearsal": True}
    page = Reader(write_report(build(tmp_path / "r.duckdb", {"ops.refreshes": [earlier, REFRESH]}), tmp_path))
    assert REHEARSAL not in page.text("header")


def test_a_night_that_does_not_count_is_said(tmp_path: Path) -> None:
    file = build(tmp_path / "r.duckdb", {"ops.refreshes": [REFRESH | {"void_reason": "the control URLs failed"}]})
    assert "the control URLs failed" in Reader(write_report(file, tmp_path)).text("header")


def test_a_first_refresh_without_links_says_so(tmp_path: Path) -> None:
    rows: Rows = {
        "ops.refreshes": [REFRESH | {"urls_due": None, "urls_checked": None, "urls_postponed": None}],
        "coverage.urls": [{"url_id": UUID(int=n)} for n in range(4)],
    }
    summary = Reader(write_report(build(tmp_path / "r.duckdb", rows), tmp_path)).text("summary")
    assert "The links were not asked in this refresh." in summary
    assert "never judged 4 100.0%" in summary


def test_an_empty_warehouse_says_so_in_words(tmp_path: Path) -> None:
    page = Reader(write_report(build(tmp_path / "r.duckdb", {}), tmp_path))
    assert "No refresh is recorded in this warehouse." in page.text("header")
    for section in SECTIONS:
        assert section.empty in page.text(section.name)
        assert section.statement in page.words[section.name]


def test_more_rows_than_are_shown_are_counted(tmp_path: Path) -> None:
    many = [
        {"domain": f"d{n}.example", "links": 1, "alive": 1, "broken": 0, "unjudged": 0} for n in range(ROWS_SHOWN + 7)
    ]
    page = Reader(write_report(build(tmp_path / "r.duckdb", {"reports.link_health_by_outlet": many}), tmp_path))
    assert "507 domains" in page.text("outlets")
    assert "The first 500 are shown; 7 more are in the warehouse." in page.text("outlets")


def test_the_page_is_replaced_whole_and_the_warehouse_is_left_as_it_was(tmp_path: Path) -> None:
    file = build(tmp_path / "r.duckdb.building", FILLED)
    before = file.read_bytes()
    folder = tmp_path / "deep" / "report"
    folder.mkdir(parents=True)
    (folder / "index.html").write_text("yesterday")
    assert write_report(file, folder) == folder / "index.html"
    assert sorted(file.name for file in folder.iterdir()) == ["index.html", "sql.html"]
    assert file.read_bytes() == before


def test_the_same_warehouse_makes_the_same_page(tmp_path: Path) -> None:
    file = build(tmp_path / "r.duckdb", FILLED)
    assert write_report(file, tmp_path / "a").read_bytes() == write_report(file, tmp_path / "b").read_bytes()


def test_a_file_that_is_no_warehouse_is_named_and_the_old_page_stays(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("yesterday")
    (tmp_path / "not.duckdb").write_text("not a database, " * 1000)
    with pytest.raises(WarehouseError, match=r"not\.duckdb"):
        write_report(tmp_path / "not.duckdb", tmp_path)
    assert (tmp_path / "index.html").read_text() == "yesterday"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    file = build(tmp_path / "r.duckdb", {})
    (tmp_path / "taken").write_text("a file, not a folder")
    with pytest.raises(WarehouseError, match="taken"):
        write_report(file, tmp_path / "taken")
