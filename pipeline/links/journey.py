"""The way of one URL through hops, retries and clients, as decisions without a network.

`next_step` looks at an answer and says what comes next; the sweep carries it out. Belongs here: the rules of
link-rules section 2 that speak of one URL. Does not belong here: pace, addresses, rows.
"""

import re
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto
from typing import NamedTuple

import can_ada

from pipeline.links.exchange import Answer
from pipeline.links.plan import DueUrl, Sweep
from pipeline.links.vocabulary import (
    REDIRECT_STATUSES,
    RETRIED_ERRORS,
    RETRIED_STATUSES,
    Client,
    ErrorClass,
    Method,
)

_FORBIDDEN = re.compile(r"[\x00-\x1f\x7f\\]")
_MAX_URL = 8_000


@dataclass(slots=True)
class Visit:
    """Where one due URL stands. One client asks at a time; the second begins again at hop 0."""

    due: DueUrl
    client: Client
    method: Method
    url: str
    domain: str
    hop: int = 0
    ranged: bool = True
    retries: int = 0
    asked: tuple[str, ...] = ()
    """The URLs of the hops before."""
    attempts: list[tuple[Client, int]] = field(default_factory=list)
    """The client and hop of each."""

    def restart(self, client: Client, method: Method) -> None:
        """Ask the due URL itself again, with another client or another method."""
        self.client, self.method = client, method
        self.url, self.domain = self.due.fetch_url, self.due.domain
        self.hop, self.ranged, self.retries = 0, True, 0
        self.asked = ()

    def follow(self, url: str, domain: str) -> None:
        self.asked += (self.url,)
        self.url, self.domain, self.hop = url, domain, self.hop + 1

    def next_attempt(self) -> int:
        self.attempts.append((self.client, self.hop))
        return self.attempts.count((self.client, self.hop))


def first_visit(due: DueUrl) -> Visit:
    """Pages are asked with GET at once, files with HEAD first."""
    method = Method.HEAD if due.asked_as == "file" else Method.GET
    return Visit(due, Client.LIBCURL, method, due.fetch_url, due.domain)


class Act(Enum):
    """What comes next."""

    FOLLOW = auto()
    AGAIN = auto()
    AGAIN_WHOLE = auto()
    """Once more, without asking for a range."""
    ASK_WITH_GET = auto()
    SET_ASIDE = auto()
    """The host wants to be left alone for longer than we wait in one night."""
    ALIVE = auto()
    NOT_ALIVE = auto()


class Step(NamedTuple):
    """`error` and `detail` are what following the answer met, for the row; `pause` is for the whole domain."""

    act: Act
    url: str | None = None
    redirect_to: str | None = None
    delay: float = 0.0
    pause: float | None = None
    error: ErrorClass | None = None
    detail: str | None = None


def next_step(visit: Visit, answer: Answer, plan: Sweep, now: datetime) -> Step:
    """What `answer` to the current request of `visit` leads to."""
    pause = None
    if answer.status in RETRIED_STATUSES:
        pause = answer.retry_after(now)
        if pause is not None and pause > plan.retry_after_cap:
            return Step(Act.SET_ASIDE, pause=pause, detail=f"Retry-After of {pause:.0f} s")
    if answer.error is None and answer.status in REDIRECT_STATUSES:
        return _follow(visit, answer, plan)
    if answer.error is None and _is_plain_success(visit, answer):
        return Step(Act.ALIVE)
    if visit.method is Method.HEAD:
        return Step(Act.ASK_WITH_GET, pause=pause)
    # A server that cannot cut a page, or packs it and cuts it wrongly, is asked for the whole.
    cut_wrongly = answer.status == 206 and answer.error is ErrorClass.BAD_RESPONSE
    if visit.ranged and (answer.status == 416 or cut_wrongly):
        return Step(Act.AGAIN_WHOLE)
    if _is_worth_a_retry(visit, answer, plan):
        delay = plan.retry_delay * 2**visit.retries * (1 + _jitter(visit))
        return Step(Act.AGAIN, delay=max(delay, pause or 0.0), pause=pause)
    if answer.error is None and answer.status is not None and 300 <= answer.status < 400:
        return Step(Act.NOT_ALIVE, error=ErrorClass.BAD_RESPONSE, detail=f"status {answer.status} leads nowhere")
    return Step(Act.NOT_ALIVE, pause=pause)


def _is_plain_success(visit: Visit, answer: Answer) -> bool:
    """A 2xx with content. A HEAD that claims an empty file, or a web page where a file was meant, is not believed; a
    GET must bring a byte."""
    if answer.status is None or not 200 <= answer.status < 300 or answer.challenge:
        return False
    if visit.method is Method.HEAD:
        return answer.content_length != 0 and not (answer.content_type or "").lower().startswith("text/html")
    return bool(answer.body)


def _is_worth_a_retry(visit: Visit, answer: Answer, plan: Sweep) -> bool:
    """The second client is a confirmation of what was retried already, so it asks once a hop."""
    if visit.client is not Client.LIBCURL or visit.retries >= plan.retries:
        return False
    if answer.error is not None:
        return answer.error in RETRIED_ERRORS
    return answer.status in RETRIED_STATUSES and answer.challenge is None


def _follow(visit: Visit, answer: Answer, plan: Sweep) -> Step:
    located = answer.headers.get("location", "").strip()
    target, stripped = _absolute(visit.url, located)
    shown = (target or located)[:_MAX_URL] or None
    head = visit.method is Method.HEAD

    def ends(error: ErrorClass, detail: str) -> Step:
        return Step(Act.ASK_WITH_GET if head else Act.NOT_ALIVE, redirect_to=shown, error=error, detail=detail)

    if target is None:
        return ends(ErrorClass.REDIRECT_BAD_TARGET, "no Location" if not located else "Location cannot be followed")
    asked_next = without_fragment(target)
    if asked_next in visit.asked or asked_next == visit.url:
        return ends(ErrorClass.REDIRECT_LOOP, "the redirect leads back to a URL asked before")
    if visit.hop >= plan.max_hops:
        return ends(ErrorClass.REDIRECT_LIMIT, f"more than {plan.max_hops} redirects")
    detail = "user information was left out of the redirect's target" if stripped else None
    return Step(Act.FOLLOW, url=asked_next, redirect_to=shown, detail=detail)


def _absolute(base: str, located: str) -> tuple[str | None, bool]:
    """The target as an absolute http(s) URL, or None where we do not follow it; and whether user information was cut
    from it."""
    if not located or _FORBIDDEN.search(located) or len(located) > _MAX_URL:
        return None, False
    try:
        url = can_ada.parse(base) + located
    except ValueError:
        return None, False
    if url.protocol not in ("http:", "https:") or not url.hostname:
        return None, False
    stripped = url.has_credentials()
    if stripped:
        url.username = url.password = ""
    return str(url.href), stripped


def without_fragment(url: str) -> str:
    return url.partition("#")[0]


def _jitter(visit: Visit) -> float:
    """Between 0 and ½, from the URL's id: no two URLs wait alike, and a re-run waits the same."""
    return int(visit.due.url_id.replace("-", "")[:6] or "0", 16) % 1000 / 2000
