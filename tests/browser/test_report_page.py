"""The morning page in a real browser: quiet, sortable, filterable, and whole at every width.

Screenshots go to tmp_path.
"""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import UUID

import duckdb
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from pipeline.model.tables import TABLES
from pipeline.report import write_report
from pipeline.report.pictures import PICTURES

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PHONE, DESK = 360, 1440
TITLES = [
    "Repair ship reaches the broken Venn cable after eleven days of swell",
    "The man who listened to waves for forty years",
    "<script>alert(1)</script>",
    "Sixty home-made wave buoys and one very full spreadsheet",
    "Potters and turbine owners sign a map",
]
DOMAINS = ["harbor-post.example", "waveform-mag.example", "tidaldesk.example", "marineledger.example"]
VERDICTS = ["gone", "soft_404", "unreachable", "server_error"]

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not Path(CHROMIUM).exists(), reason=f"no Chromium at {CHROMIUM}; set CHROMIUM"),
]


def morning() -> dict[str, list[dict[str, object]]]:
    """A morning of plausible rows."""
    night = date(2026, 11, 22)
    spread = ["alive"] * 211 + ["moved"] * 34 + ["gone"] * 17 + ["soft_404"] * 6 + ["unreachable"] * 9
    spread += ["blocked"] * 21 + ["insecure"] * 2 + ["server_error"] * 3
    names = [title.lower().replace(" ", "-").strip("<>/") for title in TITLES]
    dead = [
        {
            "url_id": UUID(int=n),
            "fetch_url": f"https://www.{DOMAINS[n % 4]}/stories/2024/{n + 1:02}/{names[n % 5]}?ref={n}",
            "state": "dead" if n % 3 == 0 else "failing",
            "strikes": 3 if n % 3 == 0 else n % 3,
            "verdict": VERDICTS[n % 4],
            "http_status": [410, 200, None, 503][n % 4],
            "error_class": "dns_nxdomain" if n % 4 == 2 else None,
            "last_alive": None if n % 5 == 0 else night - timedelta(days=12 + n),
            "source": "coastal-energy",
            "path": f"_news/2024-01-{10 + n % 9}-{names[n % 5]}.md",
            "pointer": f"/relatedItems/{place}/webUrl",
            "story_title": TITLES[n % 5],
            "places": 1 + n % 3,
        }
        for n in range(35)
        for place in range(1 + n % 3)
    ]
    return {
        "ops.refreshes": [
            {"refresh_id": "r", "started_at": datetime(2026, 11, 22, 2, tzinfo=UTC) - timedelta(before)}
            | {"night": night - timedelta(before), "mentions_out": 1217 - 3 * before}
            | {"clock": "given", "outcome": "published", "rehearsal": True, "files_seen": 1284}
            | {"files_accepted": 17 + before * 7 % 13, "files_rejected": 3, "files_skipped": 1, "files_removed": 2}
            | {"files_unchanged": 1263, "urls_due": 421, "urls_checked": 400, "urls_postponed": 21, "version": "0.1.0"}
            for before in range(40)
        ],
        "reports.link_health_by_night": [
            {"night": night - timedelta(before), "judged": 60, "broke": before % 4, "revived": before % 3}
            | {"alive": 245 - before % 9, "broken": 35 - before // 3 + before % 5, "unjudged": 37 + before}
            for before in range(40)
        ],
        "reports.link_rot": [
            {"domain": "a.example", "role": role, "age": "under a year", "age_order": 3, "links": 100 - 9 * n}
            | {"alive": 80 - 9 * n, "broken": 12, "unjudged": 8, "broken_share": 12 / (92 - 9 * n)}
            for n, role in enumerate(["web", "image", "original", "amp", "body"])
        ],
        "reports.link_survival": [
            {
                "grouping": "all" if name == "all" else "age",
                "name": name,
                "day": day,
                "links": 300,
                "at_risk": 300 - day,
            }
            | {
                "died": day // 10,
                "survival": fall**day,
                "survival_low": fall**day * 0.9,
                "survival_high": fall ** (day / 2),
            }
            for name, fall in (("all", 0.998), ("under a month", 0.999), ("under a year", 0.998), ("older", 0.995))
            for day in (0, 30, 90, 180)
        ],
        "reports.topic_weeks": [
            {"topic_id": UUID(int=n), "source": "coastal-energy", "topic": topic, "stories_before": 2, "change": 1}
            | {"stories": (5 * n + 3 * week) % 7, "week": date(2026, 11, 16) - timedelta(7 * week)}
            for n, topic in enumerate(
                ["Wave Power", "Subsea Cables", TITLES[2], *(f"Topic {one}" for one in range(15))]
            )
            for week in range(30)
        ],
        "reports.clusters_of_stories": [
            {"cluster_id": UUID(int=n), "hottest_title": TITLES[n % 5], "story_count": 20 - 2 * n, "heat": 90}
            | {"shared_article_count": 9, "mutual_count": n % 3, "paths": [f"_news/{name}.md" for name in names]}
            for n in range(8)
        ],
        "coverage.story_clusters": [
            {"cluster_id": UUID(int=n), "story_id": UUID(int=100 * n + m)} for n in range(8) for m in range(20 - 2 * n)
        ],
        "coverage.story_articles": [
            {"story_id": UUID(int=100 * n + m), "article_id": UUID(int=1000 * n + m * step // 3)}
            for n in range(8)
            for m in range(20 - 2 * n)
            for step in (1, 2, 5)
        ],
        "coverage.stories": [
            {"story_id": UUID(int=100 * n + m), "title": TITLES[m % 5], "path": f"_news/{names[m % 5]}-{m}.md"}
            for n in range(8)
            for m in range(20 - 2 * n)
        ],
        "coverage.articles": [{"article_id": UUID(int=n)} for n in range(486)],
        "coverage.mentions": [{"mention_id": UUID(int=n)} for n in range(1217)],
        "coverage.outlets": [{"outlet_id": UUID(int=n)} for n in range(64)],
        "coverage.urls": [{"url_id": UUID(int=n)} for n in range(340)],
        "links.states": [{"url_id": UUID(int=n), "last_verdict": verdict} for n, verdict in enumerate(spread)],
        "reports.dead_links": dead,
        "reports.link_health_by_outlet": [
            {"domain": f"{'abcdefghij'[n]}-{DOMAINS[n % 4]}", "outlet": None if n == 2 else "Harbor Post"}
            | {"links": 9 * n + 8, "alive": 8 * n + 2, "broken": n, "unjudged": 6, "broken_share": n / (9 * n + 2)}
            for n in range(10)
        ],
        "reports.articles_in_several_stories": [
            {"title": TITLES[n], "outlet": "Waveform", "identity_url": f"https://{DOMAINS[n % 4]}/{names[n]}"}
            | {"story_count": n + 2, "leads": n % 2, "paths": [f"_news/{names[m % 5]}.md" for m in range(n + 2)]}
            for n in range(5)
        ],
        "reports.coverage_lag": [
            {"topic": topic, "stories": 4, "related_items": 20 - n, "median_lag_hours": 3.2 - n * 1.9}
            | {"p90_lag_hours": 40.5 * n, "share_before": n / 9}
            for n, topic in enumerate(["Wave Power", "Subsea Cables", "Marine Wildlife", None])
        ],
        "reports.changed_in_last_refresh": [
            {"source": "coastal-energy", "path": f"_news/2024-02-{n + 1:02}-{names[n % 5]}.md", "title": TITLES[n % 5]}
            | {"change": ["added", "changed", "rejected", "removed", "restored"][n % 5], "heat_now": 80 + n}
            | {"heat_before": None if n % 5 == 0 else 85, "related_before": n, "related_now": n + 2}
            for n in range(12)
        ],
        "coverage.document_issues": [
            {
                "source": "coastal-energy",
                "path": f"_news/2024-02-{n + 1:02}-{names[n % 5]}.md",
                "line": n + 3,
                "column": 8,
            }
            | {"severity": "error" if n < 3 else "warning", "code": "yaml_syntax" if n < 3 else "not_an_integer"}
            | {"message": "the value does not fit an integer, and is kept in leftovers", "raw": 'quality: "high"'}
            for n in range(9)
        ],
    }


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("morning")
    connection = duckdb.connect(str(folder / "r.duckdb"))
    connection.begin()  # one sync for all of it
    for schema in sorted({table.schema for table in TABLES.values()}):
        connection.execute(f"create schema {schema}")
    rows = morning()
    for table in TABLES.values():
        columns = ", ".join(f'"{column.name}" {column.type}' for column in table.columns)
        connection.execute(f"create table {table.full_name} ({columns})")
        for row in rows.get(table.full_name, ()):
            names, values = ", ".join(f'"{name}"' for name in row), ", ".join("?" for _ in row)
            connection.execute(f"insert into {table.full_name} ({names}) values ({values})", list(row.values()))
    connection.commit()
    connection.close()
    return write_report(folder / "r.duckdb", folder / "report").as_uri()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """The page at desk width; whatever it complains of, asks for or pops up fails the test."""
    page = browser.new_page(viewport={"width": DESK, "height": 900})
    heard: list[str] = []
    page.on("console", lambda message: heard.append(message.text))
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("dialog", lambda dialog: (heard.append(f"dialog: {dialog.message}"), dialog.dismiss()))
    known = (address, address.replace("index.html", "sql.html"), "data:,")
    page.on("request", lambda request: None if request.url.partition("#")[0] in known else heard.append(request.url))
    page.goto(address)
    yield page
    page.close()
    assert heard == []


def column(page: Page, section: str, place: int) -> list[str]:
    """The words of a column's cells, from the top, of the rows that are seen."""
    return page.locator(f"#{section} tbody tr:visible > :nth-child({place})").all_inner_texts()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [PHONE, 768, DESK])
def test_the_page_fits_every_width(page: Page, tmp_path: Path, width: int, scheme: str) -> None:
    """Tables scroll inside their own container; the page itself never scrolls sideways."""
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": width, "height": 900})
    page.screenshot(path=tmp_path / f"report-{width}-{scheme}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate("document.documentElement.clientWidth") == width


def test_opened_sql_does_not_widen_the_page(page: Page) -> None:
    page.set_viewport_size({"width": PHONE, "height": 900})
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_pictures_are_seen_whole_beside_their_words(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    pictures = page.get_by_role("img")
    assert pictures.count() == len(PICTURES)
    for place in range(len(PICTURES)):
        box = pictures.nth(place).locator("svg").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert 60 < box["height"] < 900


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pictures_take_the_colours_of_the_page(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    label = page.locator("#outlet_health svg text").first
    ink, paper = page.evaluate(
        "[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]"
    )
    assert label.evaluate("(one) => getComputedStyle(one).fill") == ink
    assert ink != paper


def test_a_picture_tells_its_numbers_in_a_table(page: Page) -> None:
    page.locator("#links_by_night").get_by_text("Numbers", exact=True).focus()
    page.keyboard.press("Enter")
    assert page.locator("#links_by_night tbody tr:visible").count() == 40


def test_the_way_from_a_number_to_the_sql_that_made_it(page: Page) -> None:
    page.locator("#outlets > details > summary").click()
    page.locator("#outlets").get_by_role("link", name="reports.link_health_by_outlet").last.click()
    assert page.url.endswith("sql.html#reports.link_health_by_outlet")
    assert page.locator(":target pre").inner_text().startswith("-- How many links of each domain")
    page.locator(":target").get_by_role("link", name="links.states").click()
    assert page.locator(":target h2").inner_text() == "links.states"
    page.get_by_role("link", name="Back to the report").click()
    assert page.locator("h1").inner_text() == "Newsledger"


@pytest.mark.parametrize("width", [PHONE, DESK])
def test_the_page_of_sql_fits_too(page: Page, address: str, width: int, tmp_path: Path) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address.replace("index.html", "sql.html"))
    page.screenshot(path=tmp_path / f"sql-{width}.png", full_page=True)
    assert page.evaluate("document.documentElement.scrollWidth") == width


def test_each_news_of_the_morning_leads_to_its_rows(page: Page) -> None:
    page.locator(".news").get_by_role("link").last.click()
    assert page.url.endswith("#issues")


def test_the_page_prints(page: Page, tmp_path: Path) -> None:
    page.pdf(path=tmp_path / "report.pdf", format="A4")
    page.emulate_media(media="print")
    assert page.locator(".filter:visible, .fold:visible").count() == 0
    assert page.locator(".picture svg:visible").count() == len(PICTURES)


def test_a_click_on_a_heading_sorts_and_another_turns_it_round(page: Page) -> None:
    heading = page.locator("#outlets thead th", has_text="Links")
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "ascending"
    upward = column(page, "outlets", 3)
    assert upward == [str(9 * n + 8) for n in range(10)]
    heading.get_by_role("button").click()
    assert heading.get_attribute("aria-sort") == "descending"
    assert column(page, "outlets", 3) == upward[::-1]


def test_sorting_works_from_the_keyboard(page: Page) -> None:
    page.locator("#lag thead th", has_text="Median lag").get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert column(page, "lag", 4) == ["−2.5 h", "−0.6 h", "+1.3 h", "+3.2 h"]


def test_what_is_absent_sorts_last_both_ways(page: Page) -> None:
    button = page.locator("#lag thead th", has_text="Topic").get_by_role("button")
    button.click()
    assert column(page, "lag", 1) == ["Marine Wildlife", "Subsea Cables", "Wave Power", "without a topic"]
    button.click()
    assert column(page, "lag", 1) == ["Wave Power", "Subsea Cables", "Marine Wildlife", "without a topic"]


def test_the_filter_leaves_the_rows_that_hold_the_words(page: Page) -> None:
    page.locator("#dead_links").get_by_label("Filter").fill("NXDOMAIN")
    assert set(column(page, "dead_links", 5)) == {"dns_nxdomain"}
    assert page.locator("#dead_links output").inner_text() == "9 of 35 shown"
    page.locator("#dead_links").get_by_label("Filter").fill("")
    assert len(column(page, "dead_links", 5)) == 35


def test_hostile_titles_are_read_as_they_are_written(page: Page) -> None:
    assert page.locator("#shared_articles tbody").get_by_text("<script>alert(1)</script>", exact=True).count() == 1


def test_the_page_says_everything_without_script(browser: Browser, address: str, tmp_path: Path) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(address)
    assert page.locator("#dead_links tbody tr").count() == 35
    assert page.locator(".filter:visible, thead button").count() == 0
    context.close()
