"""The rows of the observation log, and the buffer that hands them on in parts.

A row says what was seen, never what it means. Rows of one URL are handed on together once the URL is settled for the
night, so a crash leaves no half-asked URL in the log to be misjudged.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from datetime import date, datetime

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


@dataclass(frozen=True, slots=True)
class Observation:
    """One row; the fields are the columns of LINK_CHECKS, in their order."""

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


_COLUMNS = tuple(field.name for field in fields(Observation))
assert list(_COLUMNS) == LINK_CHECKS.names


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
    page = read_page(answer.body, answer.content_type, visit.url) if answer.status else None
    attempt = visit.next_attempt()
    return Observation(
        check_id=_check_id(plan, visit.due, visit.client, visit.hop, attempt, kind),
        night=plan.night,
        refresh_id=plan.refresh_id,
        url_id=visit.due.url_id,
        kind=kind,
        client=visit.client,
        hop=visit.hop,
        attempt=attempt,
        request_url=visit.url,
        method=visit.method,
        started_at=started_at,
        http_status=answer.status,
        error_class=answer.error or step.error,
        error_detail=_text(answer.detail or step.detail, _DETAIL_CHARACTERS),
        tls_verify=answer.tls_verify,
        ip=answer.ip,
        ip_family=None if answer.ip is None else 6 if ":" in answer.ip else 4,
        http_version=answer.http_version,
        redirect_to=_text(step.redirect_to, None),
        retry_after_seconds=answer.retry_after(started_at),
        content_type=_text(answer.content_type, _HEADER_CHARACTERS),
        content_length=answer.content_length,
        bytes_read=len(answer.body) if answer.status else None,
        fingerprint=page.fingerprint if page else None,
        title=_text(page.title, None) if page else None,
        challenge=answer.challenge,
        etag=_text(answer.headers.get("etag"), _HEADER_CHARACTERS),
        last_modified=_text(answer.headers.get("last-modified"), _HEADER_CHARACTERS),
        dns_ms=dns_ms,
        connect_ms=answer.timings.connect_ms,
        tls_ms=answer.timings.tls_ms,
        first_byte_ms=answer.timings.first_byte_ms,
        total_ms=answer.timings.total_ms,
        shard=plan.shard,
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
    return pa.table(
        [pa.array([getattr(row, name) for row in rows], LINK_CHECKS.field(name).type) for name in _COLUMNS],
        schema=LINK_CHECKS,
    )


class Outbox:
    """Rows on their way to the log: handed on at `limit` rows, or when asked."""

    def __init__(self, write: Callable[[pa.Table], None], limit: int) -> None:
        self._write = write
        self._limit = limit
        self._rows: list[Observation] = []

    def add(self, rows: list[Observation]) -> None:
        self._rows += rows
        if len(self._rows) >= self._limit:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            rows, self._rows = self._rows, []
            self._write(as_table(rows))


def _check_id(plan: Sweep, due: DueUrl, client: Client | None, hop: int, attempt: int, kind: Kind) -> str:
    return content_id("check", plan.refresh_id, due.url_id, client or "", str(hop), str(attempt), kind)


def _text(text: str | None, limit: int | None) -> str | None:
    """What Arrow can store: no NUL, no half of a surrogate pair."""
    if text is None:
        return None
    return _UNSTORABLE.sub("�", text[:limit])
