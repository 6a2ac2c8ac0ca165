"""The table of the small web: which hosts exist, what each path answers, what goes wrong.

Belongs here: the format of `web.yaml`, its defaults and its errors. Does not belong here: how an answer is written to a
socket.
"""

import base64
import binascii
import re
from collections.abc import Hashable
from enum import StrEnum
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Annotated, Any, Self
from urllib.parse import quote

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from pipeline.errors import RehearsalError

# RFC 2606, and .internal by ICANN's resolution of 2024: these top-level names never resolve in public, so a rehearsal
# can take nobody's place.
_RESERVED = ("example", "test", "invalid", "internal")
_LABEL = re.compile(r"xn--[a-z0-9-]{1,59}|(?!..--)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_PATH = re.compile(r"(https?:)?/[^#]*")
# What a client leaves as it is in a request target; everything else arrives percent-encoded.
_TARGET_SAFE = "/?:@!$&'()*+,;=-._~%[]|\\"


class Dns(StrEnum):
    """What the name server says of a host."""

    OK = "ok"
    NXDOMAIN = "nxdomain"
    SERVFAIL = "servfail"
    TIMEOUT = "timeout"


class Connect(StrEnum):
    """What happens to a connection to a host."""

    OK = "ok"
    REFUSED = "refused"
    STALLED = "stalled"
    UNREACHABLE = "unreachable"


class Tls(StrEnum):
    """The certificate a host shows, or why there is none."""

    VALID = "valid"
    EXPIRED = "expired"
    SELF_SIGNED = "self_signed"
    UNKNOWN_ISSUER = "unknown_issuer"
    WRONG_HOST = "wrong_host"
    BROKEN = "broken"
    NONE = "none"


class Fault(StrEnum):
    """What goes wrong while an answer is sent."""

    RESET_BEFORE = "reset_before"
    RESET_AFTER = "reset_after"
    EMPTY = "empty"
    TRUNCATED = "truncated"
    DRIP = "drip"
    BAD_RESPONSE = "bad_response"
    GIANT_HEADERS = "giant_headers"
    BOMB = "bomb"
    """A gzip of a few KB that unpacks to 20 MB."""
    ENDLESS = "endless"
    """A body without an end, whatever range was asked for."""


def _nothing_is_defaults(value: object) -> object:
    """`/page.html:` with nothing after it is an answer with every default."""
    return {} if value is None else value


def _host_name(name: str) -> str:
    labels = name.split(".")
    if len(labels) < 2 or labels[-1] not in _RESERVED:
        raise ValueError("use a reserved name: it must end in .example, .test, .invalid or .internal")
    if not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("write a host name in lower-case ASCII (a label in another script as xn--…), without a port")
    return name


def _request_target(path: str) -> str:
    if not _PATH.fullmatch(path):
        raise ValueError("a path starts with / and has no fragment (http:/path or https:/path is for one scheme only)")
    return quote(path, safe=_TARGET_SAFE)


def _one_line(text: str) -> str:
    if "\r" in text or "\n" in text:
        raise ValueError("a header is one line: take out the line break")
    return text


def _decoded(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return base64.b64decode("".join(value.split()), validate=True)
    except binascii.Error as error:
        raise ValueError(f"is no base64 ({error}): encode the bytes with `base64`") from None


def _loopback(text: str) -> str:
    try:
        is_loopback = IPv4Address(text).is_loopback
    except AddressValueError:
        is_loopback = False
    if not is_loopback:
        raise ValueError(f"{text} is no address of 127.0.0.0/8: a rehearsal leads nowhere else")
    return text


HeaderText = Annotated[str, AfterValidator(_one_line)]


class _Row(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", coerce_numbers_to_str=True)


class Expectation(_Row):
    """What a checker should find: a label for tests, ignored by the server. `expect: gone` is short for a verdict
    alone."""

    verdict: str
    error: str | None = None
    signals: tuple[str, ...] = ()
    dead: bool | None = None
    """Whether a reader gets what the link was set to; None where nobody can say from outside."""
    why: str | None = None


def _verdict_alone(value: object) -> object:
    return {"verdict": value} if isinstance(value, str) else value


Expect = Annotated[Expectation, BeforeValidator(_verdict_alone)]


class Answer(_Row):
    """What one path answers. `{path}` in a location, title or body stands for the path that was asked for."""

    status: Annotated[int, Field(ge=200, le=999)] = 200
    location: HeaderText | None = None
    type: HeaderText = "text/html; charset=utf-8"
    title: str | None = None
    body: str | None = None
    body_base64: Annotated[bytes, BeforeValidator(_decoded)] | None = None
    """The body's bytes, decoded already."""
    headers: dict[HeaderText, HeaderText] = {}
    latin1_headers: bool = False
    """Headers are sent in Latin-1; else in UTF-8."""
    delay: Annotated[float, Field(ge=0)] = 0.0
    head: "Answer | None" = None
    """Answers HEAD requests instead."""
    fault: Fault | None = None
    sequence: tuple["Answer", ...] = ()
    """Answers the first request, the second …; the last one repeats. HEAD requests that `head` answers do not count."""
    expect: Expect | None = None

    @model_validator(mode="after")
    def _clear(self) -> Self:
        if self.body is not None and self.body_base64 is not None:
            raise ValueError("has both body and body_base64: keep one")
        beside = self.model_fields_set - {"sequence", "head", "expect"}
        if self.sequence and beside:
            raise ValueError(f"sequence leaves {', '.join(sorted(beside))} unused: move it into the sequence's answers")
        if any(answer.sequence for answer in self.sequence):
            raise ValueError("a sequence within a sequence: write one flat list")
        if self.head is not None and (self.head.head or self.head.sequence):
            raise ValueError("head is one plain answer: take head and sequence out of it")
        return self


_AnswerRow = Annotated[Answer, BeforeValidator(_nothing_is_defaults)]


class Host(_Row):
    """One host: its name, its connections, its certificate and its paths."""

    dns: Dns = Dns.OK
    connect: Connect = Connect.OK
    addresses: tuple[Annotated[str, AfterValidator(_loopback)], ...] = ()
    """The name server's answers in turn, the last one repeats; empty: where the host is served."""
    tls: Tls = Tls.VALID
    paths: dict[Annotated[str, AfterValidator(_request_target)], _AnswerRow] = {}
    otherwise: _AnswerRow = Answer(status=404)
    expect: Expect | None = None

    def answer_to(self, scheme: str, path: str) -> Answer:
        """The answer of a path: the scheme's own, else the path's, else `otherwise`."""
        return self.paths.get(f"{scheme}:{path}") or self.paths.get(path) or self.otherwise


class Web(_Row):
    """Every host of the small web by its name."""

    hosts: dict[Annotated[str, AfterValidator(_host_name)], Annotated[Host, BeforeValidator(_nothing_is_defaults)]] = (
        Field(min_length=1)
    )
    links: dict[str, Expect] = {}
    """Labels of URLs that are more than a host and a path: other schemes, literal addresses, user information."""


def load_web(file: Path) -> Web:
    """Read and check a table.

    Raises RehearsalError naming the file, host, path and key, and what to do.
    """
    try:
        values = yaml.load(file.read_bytes(), _NoTwins)  # noqa: S506 (a safe loader)
    except OSError as error:
        raise RehearsalError(f"{file}: cannot be read: {error.strerror}; name a web.yaml") from error
    except yaml.YAMLError as error:
        raise RehearsalError(f"{file}: is not valid YAML: {error}") from error
    if not isinstance(values, dict):
        raise RehearsalError(f"{file}: holds no table; it needs at least `hosts:` with one host")
    try:
        return Web.model_validate(values)
    except ValidationError as error:
        raise RehearsalError("\n".join(_explain(file, problem) for problem in error.errors())) from None


class _NoTwins(yaml.CSafeLoader):
    """YAML keeps the last of two equal keys in silence; in a table of paths, that hides a mistake."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen = set()
        for key_node, _ in node.value:
            key = repr(key_node.value)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{key} stands here twice: keep one", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def _explain(file: Path, problem: Any) -> str:
    place = [str(part) for part in problem["loc"] if part != "[key]"]
    told = [str(file)]
    if place[:1] == ["hosts"] and len(place) > 1:
        told.append(f"host {place[1]}")
        place = place[2:]
        if place[:1] == ["paths"] and len(place) > 1:
            told.append(f"path {place[1]}")
            place = place[2:]
    if place:
        told.append(".".join(place))
    if problem["type"] == "extra_forbidden":
        told.append("unknown key; check its spelling and its place")
    elif problem["type"] == "missing":
        told.append("is missing; add it")
    else:
        told.append(problem["msg"].removeprefix("Value error, "))
    return ": ".join(told)
