"""The rows of the observation log, and the buffer that hands them on in parts.

A row says what was seen, never what it means. Rows of one URL are handed on together once the URL is settled for the
night, so a crash leaves no half-asked URL in the log to be misjudged.
"""

import asyncio
import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import date, datetime
from typing import NamedTuple

import pyarrow as pa

from pipeline.links.exchange import Answer
from pipeline.links.journey import Step, Visit
from pipeline.links.page import read_page
from pipeline.links.plan import DueUrl, Sweep
from pipeline.links.vocabulary import Client, ErrorClass, Kind, Method
from pipeline.model.ids import content_id
from pipeline.model.logs import LINK_CHECKS

_DETAIL_CHARACTERS = 500
_HEADER_CHARACTERS = 2_000
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


class Observation(NamedTuple):
    """One row; the fields are the columns of LINK_CHECKS, in their order. A tuple, since there are many."""

    check_id: str
    night: date
    refresh_id: str
    url_id: str
    kind: Kind
    client: Client | None
    hop: int
    attempt: int
    request_url: str
    method: Method | None
    started_at: datetime
    http_status: int | None = None
    error_class: ErrorClass | None = None
    error_detail: str | None = None
    tls_verify: int | None = None
    ip: str | None = None
    ip_family: int | None = None
    http_version: str | None = None
    redirect_to: str | None = None
    retry_after_seconds: float | None = None
    content_type: str | None = None
    content_length: int | None = None
    bytes_read: int | None = None
    fingerprint: str | None = None
    title: str | None = None
    challenge: str | None = None
    etag: str | None = None
    last_modified: str | None = None
    dns_ms: float | None = None
    connect_ms: float | None = None
    tls_ms: float | None = None
    first_byte_ms: float | None = None
    total_ms: float | None = None
    shard: int = 0
    snapshot_url: str | None = None
    snapshot_at: datetime | None = None


assert list(Observation._fields) == LINK_CHECKS.names


def observe_answer(
    plan: Sweep,
    visit: Visit,
    answer: Answer,
    step: Step,
    started_at: datetime,
    dns_ms: float | None,
    kind: Kind = Kind.REQUEST,
) -> Observation:
    """The row of a request that was made."""
    content_type = answer.content_type
    page = read_page(answer.body, content_type, visit.url) if answer.status else None
    attempt = visit.next_attempt()
    timings = answer.timings
    return Observation(
        _check_id(plan, visit.due, visit.client, visit.hop, attempt, kind),
        plan.night,
        plan.refresh_id,
        visit.due.url_id,
        kind,
        visit.client,
        visit.hop,
        attempt,
        visit.url,
        visit.method,
        started_at,
        answer.status,
        answer.error or step.error,
        _text(answer.detail or step.detail, _DETAIL_CHARACTERS),
        answer.tls_verify,
        answer.ip,
        None if answer.ip is None else 6 if ":" in answer.ip else 4,
        answer.http_version,
        _text(step.redirect_to, None),
        answer.retry_after(started_at),
        _text(content_type, _HEADER_CHARACTERS),
        answer.content_length,
        len(answer.body) if answer.status else None,
        page.fingerprint if page else None,
        _text(page.title, None) if page else None,
        answer.challenge,
        _text(answer.headers.get("etag"), _HEADER_CHARACTERS),
        _text(answer.headers.get("last-modified"), _HEADER_CHARACTERS),
        dns_ms,
        timings.connect_ms,
        timings.tls_ms,
        timings.first_byte_ms,
        timings.total_ms,
        plan.shard,
    )


def observe_unasked(
    plan: Sweep, visit: Visit, kind: Kind, error: ErrorClass | None, detail: str | None, at: datetime
) -> Observation:
    """The row of a URL settled without a request: shared, guard, postponed, or a name that does not resolve. The client
    is named where it had already come some way."""
    asked_before = kind is Kind.POSTPONED and (visit.client, visit.hop) in visit.attempts
    client = visit.client if kind is Kind.REQUEST or visit.hop > 0 or asked_before else None
    attempt = visit.next_attempt()
    return Observation(
        check_id=_check_id(plan, visit.due, client, visit.hop, attempt, kind),
        night=plan.night,
        refresh_id=plan.refresh_id,
        url_id=visit.due.url_id,
        kind=kind,
        client=client,
        hop=visit.hop,
        attempt=attempt,
        request_url=_text(visit.url, None) or "",
        method=None,
        started_at=at,
        error_class=error,
        error_detail=_text(detail, _DETAIL_CHARACTERS),
        shard=plan.shard,
    )


def as_table(rows: list[Observation]) -> pa.Table:
    """The rows in the log's schema."""
    columns = zip(*rows, strict=True) if rows else ([] for _ in LINK_CHECKS)
    return pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, LINK_CHECKS, strict=True)], schema=LINK_CHECKS
    )


class Outbox:
    """Rows on their way to the log. They are written in a thread, since a commit takes as long as many requests do; no
    more than `limit` are ever neither asked for anew nor written: half of them on their way, half being gathered."""

    def __init__(
        self, write: Callable[[pa.Table], None], limit: int, on_written: Callable[[BaseException | None], None]
    ) -> None:
        self._write = write
        self._limit = limit
        self._on_written = on_written
        self._rows: list[Observation] = []
        self._under_way = 0
        self._loop = asyncio.get_running_loop()
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="observations")
        self._work: Future[None] | None = None

    @property
    def has_room(self) -> bool:
        """Whether more may be asked before something is written."""
        return len(self._rows) + self._under_way < self._limit

    def add(self, rows: list[Observation]) -> None:
        self._rows += rows
        if 2 * len(self._rows) >= self._limit:
            self.flush()

    def flush(self) -> None:
        """Have what was gathered written, unless the thread is still at the part before."""
        if self._rows and self._work is None:
            rows, self._rows = self._rows, []
            self._under_way = len(rows)
            self._work = self._thread.submit(self._write, as_table(rows))
            self._work.add_done_callback(self._tell)

    def close(self) -> None:
        """Wait until everything is written. Raises what the writing of the last part raised."""
        self._thread.shutdown()
        if self._work is not None:
            self._work.result()
        if self._rows:
            rows, self._rows = self._rows, []
            self._write(as_table(rows))

    def _tell(self, done: "Future[None]") -> None:
        with suppress(RuntimeError):  # the sweep is over
            self._loop.call_soon_threadsafe(self._written, done)

    def _written(self, done: "Future[None]") -> None:
        self._work, self._under_way = None, 0
        self._on_written(done.exception())
        if 2 * len(self._rows) >= self._limit:
            self.flush()


def _check_id(plan: Sweep, due: DueUrl, client: Client | None, hop: int, attempt: int, kind: Kind) -> str:
    return content_id("check", plan.refresh_id, due.url_id, client or "", str(hop), str(attempt), kind)


def _text(text: str | None, limit: int | None) -> str | None:
    """What Arrow can store: no NUL, no half of a surrogate pair."""
    if text is None:
        return None
    text = text[:limit]
    return text if text.isascii() and "\0" not in text else _UNSTORABLE.sub("�", text)
