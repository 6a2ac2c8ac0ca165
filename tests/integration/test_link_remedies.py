"""What could stand in a link's place: the SQL alone, over hand-made tables."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from pipeline.lake.session import Session
from tests.tables import Row, give, hand_made, staged, uid, yielded

NIGHT = date(2026, 3, 9)
PUBLISHED = datetime(2024, 5, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    with hand_made({}, tmp_path_factory.mktemp("remedies")) as session:
        yield session


class Web:
    """The links of a test, by a name each."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.urls: list[Row] = []
        self.states: list[Row] = []
        self.verdicts: list[Row] = []
        self.uses: list[Row] = []
        self.mentions: list[Row] = []
        self.checks: list[Row] = []

    def link(
        self,
        url: str,
        state: str = "unknown",
        verdict: str | None = None,
        moved_to: str | None = None,
        confidence: float = 1.0,
    ) -> str:
        url_id = uid(len(self.urls) + 1)
        identity = "https://" + url.partition("://")[2].removeprefix("www.")
        self.urls.append({"url_id": url_id, "fetch_url": url, "identity_url": identity})
        self.states.append({"url_id": url_id, "state": state, "last_verdict": verdict, "last_night": NIGHT})
        if verdict:
            self.verdicts.append(
                {
                    "url_id": url_id,
                    "night": NIGHT,
                    "verdict": verdict,
                    "moved_permanently_to": moved_to,
                    "confidence": confidence,
                    "check_ids": [f"check of {url}"],
                }
            )
        return url_id

    def article(self, number: int, published_at: datetime | None = PUBLISHED, **forms: str) -> None:
        """An article whose forms are these URLs, in a story of its own."""
        version = uid(900 + number)
        self.mentions.append(
            {"version_id": version, "pointer": "", "article_id": uid(number), "published_at": published_at}
        )
        self.uses += [
            {"url_id": url_id, "version_id": version, "pointer": f"/{role}", "role": role, "mention_pointer": ""}
            for role, url_id in forms.items()
        ]

    def lookup(self, url_id: str, nights_ago: int, snapshot: datetime | None, **more: object) -> None:
        self.checks.append(
            {
                "check_id": f"lookup {nights_ago}",
                "url_id": url_id,
                "kind": "archive",
                "night": NIGHT - timedelta(nights_ago),
                "refresh_id": f"r{nights_ago}",
                "started_at": datetime(2026, 3, 9, tzinfo=UTC) - timedelta(nights_ago),
                "http_status": 200,
                "request_url": "https://archive.example/available?url=x&timestamp=20240501000000",
                "snapshot_url": snapshot and f"https://web.archive.example/{snapshot:%Y%m%d}/x",
                "snapshot_at": snapshot,
            }
            | more
        )

    def give(self) -> None:
        give(self.session, "coverage.urls", self.urls)
        give(self.session, "links.states", self.states)
        self.session.run(
            "create or replace table staging.link_states as from links.states;"
            " comment on table staging.link_states is 'given'"
        )
        give(self.session, "links.verdicts", self.verdicts)
        give(self.session, "coverage.url_uses", self.uses)
        give(self.session, "coverage.mentions", self.mentions)
        give(self.session, "coverage.stories", [])
        give(self.session, "log.link_checks", self.checks)

    def remedies(self) -> list[dict[str, object]]:
        self.give()
        return yielded(self.session, "links.remedies")

    def told(self) -> list[tuple[object, ...]]:
        names = {row["url_id"]: row["fetch_url"] for row in self.urls}
        return [
            (names[row["url_id"]], row["rank"], row["reason"], row["replacement"], row["confidence"])
            for row in sorted(self.remedies(), key=lambda row: (str(row["url_id"]), int(str(row["rank"]))))
        ]


def test_a_moved_link_is_replaced_by_where_it_went_with_the_observations_that_saw_it(session: Session) -> None:
    web = Web(session)
    moved = web.link("https://a.example/old", "alive", "moved", "https://b.example/new", 0.8)
    assert web.remedies() == [
        {
            "url_id": moved,
            "rank": 1,
            "replacement": "https://b.example/new",
            "reason": "moved_permanently",
            "confidence": 0.76,
            "night": NIGHT,
            "check_ids": ["check of https://a.example/old"],
            "article_id": None,
            "snapshot_at": None,
        }
    ]


@pytest.mark.parametrize(
    "target", ["https://a.example/login?next=/x", "https://consent.example/", "https://a.example/account/sign-in"]
)
def test_a_door_for_strangers_replaces_nothing(session: Session, target: str) -> None:
    web = Web(session)
    web.link("https://a.example/x", "alive", "moved", target)
    assert web.remedies() == []


@pytest.mark.parametrize(
    ("state", "verdict", "has_remedy"),
    [
        ("dead", "gone", True),
        ("dead", "server_error", True),
        ("failing", "soft_404", True),
        ("insecure", "insecure", True),
        ("dead", "blocked", True),
        ("failing", "gone", False),
        ("failing", "unreachable", False),
        ("blocked", "blocked", False),
        ("alive", "alive", False),
        ("unknown", None, False),
    ],
)
def test_only_what_is_dead_moved_a_soft_404_or_insecure_has_a_replacement(
    session: Session, state: str, verdict: str | None, has_remedy: bool
) -> None:
    """Patience first: a link that fails for the first time may be back tomorrow."""
    web = Web(session)
    url = web.link("https://a.example/x", state, verdict)
    web.article(1, web=url, original=web.link("https://o.example/x", "alive", "alive"))
    assert [row["replacement"] for row in web.remedies()] == ["https://o.example/x"] * has_remedy


def test_the_forms_of_an_article_are_ranked_and_https_of_the_same_page_stands_before_them(session: Session) -> None:
    web = Web(session)
    dead = web.link("http://www.a.example/x", "dead", "gone")
    forms = {role: web.link(f"https://{role}.example/x", "alive", "alive") for role in ("original", "amp", "cdn_amp")}
    web.link("https://a.example/x", "alive", "alive")
    web.link("http://a.example/x", "alive", "alive")
    web.article(1, web=dead, **forms)
    web.article(2, web=dead, amp=forms["amp"])
    other = web.link("https://other.example/", "alive", "alive")
    web.article(3, web=other)
    assert web.told() == [
        ("http://www.a.example/x", 1, "https_twin", "https://a.example/x", 0.95),
        ("http://www.a.example/x", 2, "same_article", "https://original.example/x", 0.9),
        ("http://www.a.example/x", 3, "same_article", "https://amp.example/x", 0.8),
        ("http://www.a.example/x", 4, "same_article", "https://cdn_amp.example/x", 0.6),
    ]
    article = next(row for row in web.remedies() if row["rank"] == 2)
    assert (article["article_id"], article["check_ids"]) == (uid(1), ["check of https://original.example/x"])


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("dead", "gone"),
        ("failing", "unreachable"),
        ("blocked", "blocked"),
        ("insecure", "insecure"),
        ("unknown", None),
        ("alive", "moved"),
    ],
)
def test_what_is_not_known_to_live_replaces_nothing(session: Session, state: str, verdict: str | None) -> None:
    """What moved is itself in want of a replacement."""
    web = Web(session)
    dead = web.link("http://a.example/x", "dead", "gone")
    web.article(1, web=dead, original=web.link("https://o.example/x", state, verdict))
    web.link("https://a.example/x", state, verdict)
    assert [row for row in web.remedies() if row["url_id"] == dead] == []


@pytest.mark.parametrize(("verdict", "fits"), [("gone", 0), ("blocked", 0), ("insecure", 0), ("alive", 1), (None, 1)])
def test_a_target_that_was_asked_itself_is_judged_by_that(session: Session, verdict: str | None, fits: int) -> None:
    """Never asked, its answer at the end of the redirects counts."""
    web = Web(session)
    moved = web.link("https://a.example/old", "alive", "moved", "https://b.example/new")
    web.link("https://b.example/new", "unknown", verdict)
    assert len([row for row in web.remedies() if row["url_id"] == moved]) == fits


def test_a_link_is_never_its_own_replacement(session: Session) -> None:
    web = Web(session)
    web.link("https://a.example/x", "alive", "moved", "https://a.example/x")
    assert web.remedies() == []


@pytest.mark.parametrize(
    ("published", "taken", "confidence"),
    [
        (PUBLISHED, datetime(2024, 12, 1, tzinfo=UTC), 0.7),
        (PUBLISHED, datetime(2025, 12, 1, tzinfo=UTC), 0.5),
        (PUBLISHED, datetime(2022, 12, 1, tzinfo=UTC), 0.5),
        (None, datetime(2024, 5, 2, tzinfo=UTC), 0.5),
    ],
)
def test_a_copy_in_the_archive_is_the_last_resort(
    session: Session, published: datetime | None, taken: datetime, confidence: float
) -> None:
    web = Web(session)
    dead = web.link("https://a.example/x", "dead", "gone")
    web.article(1, published, web=dead, cdn_amp=web.link("https://c.example/x", "alive", "alive"))
    web.lookup(dead, 40, None)
    web.lookup(dead, 5, taken)
    first, second = web.remedies()
    assert (first["reason"], second["reason"]) == ("same_article", "archived")
    assert second["replacement"] == f"https://web.archive.example/{taken:%Y%m%d}/x"
    assert (second["confidence"], second["snapshot_at"]) == (confidence, taken)
    assert (second["check_ids"], second["night"]) == (["lookup 5"], NIGHT - timedelta(5))


def test_what_answers_again_needs_no_copy(session: Session) -> None:
    web = Web(session)
    for verdict, state in (("alive", "alive"), ("moved", "alive"), ("blocked", "blocked")):
        web.lookup(web.link(f"https://{verdict}.example/", state, verdict), 5, PUBLISHED)
    assert web.remedies() == []


# What the archive is asked for


def lookups(web: Web) -> list[tuple[object, object]]:
    """URL and time of each lookup of tonight, in order."""
    session = web.session
    web.give()
    give(session, "this.refresh", [{"night": NIGHT}])
    give(session, "links.remedies", yielded(session, "links.remedies"))
    rows = staged(session, "staging.archive_lookups", "priority")
    return [(row["fetch_url"], row["timestamp"]) for row in rows]


def test_the_archive_is_asked_for_what_is_gone_and_first_for_what_has_no_other_replacement(session: Session) -> None:
    web = Web(session)
    helped = web.link("https://a.example/helped", "dead", "gone")
    web.article(1, web=helped, original=web.link("https://o.example/", "alive", "alive"))
    web.article(2, None, web=web.link("https://a.example/undated", "failing", "soft_404"))
    web.link("https://a.example/nowhere", "insecure", "insecure")
    web.link("https://a.example/moved", "alive", "moved", "https://b.example/")
    web.link("https://a.example/failing", "failing", "gone")
    assert lookups(web) == [
        ("https://a.example/undated", ""),
        ("https://a.example/nowhere", ""),
        ("https://a.example/helped", "20240501000000"),
    ]


@pytest.mark.parametrize(
    ("nights_ago", "answer", "is_asked"),
    [
        (400, {"snapshot": PUBLISHED}, False),
        (1, {}, False),
        (29, {}, False),
        (30, {}, True),
        (0, {"http_status": 429}, True),
        (1, {"http_status": None, "error_class": "read_timeout"}, True),
        (1, {"error_class": "bad_response"}, True),
        (1, {"snapshot": PUBLISHED, "request_url": "https://archive.example/?url=x&timestamp=20230101000000"}, True),
    ],
)
def test_an_answer_is_not_asked_for_again_until_it_is_old(
    session: Session, nights_ago: int, answer: dict[str, object], is_asked: bool
) -> None:
    """A copy stays, a miss holds for 30 nights, a failure for none; another date of the item is another question."""
    web = Web(session)
    dead = web.link("https://a.example/x", "dead", "gone")
    web.article(1, web=dead)
    web.lookup(dead, nights_ago, answer.pop("snapshot", None), **answer)  # type: ignore[arg-type]
    assert [url for url, _ in lookups(web)] == ["https://a.example/x"] * is_asked
