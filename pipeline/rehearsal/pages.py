"""What an answer says: its status, headers and body, ready to be sent.

Belongs here: everything that follows from the table and the request alone. Does not belong here: sockets, time, faults.
"""

import base64
import hashlib
import html
import re
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import unquote

from pipeline.rehearsal.table import Answer

_RANGE = re.compile(r"bytes=(\d+)-(\d*)")
_WITHOUT_BODY = {HTTPStatus.NO_CONTENT, HTTPStatus.RESET_CONTENT, HTTPStatus.NOT_MODIFIED}
_DOT = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel."""
_PLACES = ("the harbor", "the old mill", "the north quay", "the town hall", "the library", "the fish market")
_PEOPLE = ("A clerk", "The harbor master", "A neighbour", "The council", "A retired pilot", "The librarian")
_ACTS = ("counted the boats at", "closed a door of", "measured the water near", "wrote a letter about", "repaired")
_TIMES = ("before dawn", "on a Tuesday", "after the storm", "for the third year", "without a word", "by lamplight")


@dataclass(frozen=True)
class Reply:
    """An answer to one request, fit to be written."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    charset: str = "utf-8"
    """Of the headers."""

    def head(self) -> bytes:
        """The status line and the headers, with the empty line that ends them."""
        lines = [
            f"HTTP/1.1 {self.status} {_phrase(self.status)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        return ("\r\n".join(lines) + "\r\n\r\n").encode(self.charset, "replace")


def reply_to(answer: Answer, host: str, path: str, asked_range: str | None) -> Reply:
    """What a GET gets: of a 200's body the range that was asked for, as from most servers; other statuses ignore it."""
    status, body = answer.status, _body(answer, host, path)
    given = {name.lower() for name in answer.headers}
    headers = list(answer.headers.items())
    if answer.location is not None:
        headers.append(("Location", _echoed(answer.location, path)))
    if "content-type" not in given and (body or not _bodiless(status)):
        headers.append(("Content-Type", answer.type))
    part = _RANGE.fullmatch(asked_range or "")
    if status == HTTPStatus.OK and part and body:
        status, body, content_range = _part(body, int(part[1]), int(part[2] or len(body)))
        headers.append(("Content-Range", content_range))
    if "content-length" not in given and "transfer-encoding" not in given and status != HTTPStatus.NO_CONTENT:
        headers.append(("Content-Length", str(len(body))))
    return Reply(status, tuple(headers), body, "latin-1" if answer.latin1_headers else "utf-8")


def notice(status: HTTPStatus, text: str) -> Reply:
    """The server's own refusal of a request that no host of the table answers."""
    body = f"{text}\n".encode()
    headers = (("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body))))
    return Reply(status, headers, body)


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unassigned"


def _bodiless(status: int) -> bool:
    return status in _WITHOUT_BODY


def _part(body: bytes, first: int, last: int) -> tuple[HTTPStatus, bytes, str]:
    if first >= len(body) or last < first:
        return HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, b"", f"bytes */{len(body)}"
    last = min(last, len(body) - 1)
    return HTTPStatus.PARTIAL_CONTENT, body[first : last + 1], f"bytes {first}-{last}/{len(body)}"


def _body(answer: Answer, host: str, path: str) -> bytes:
    if _bodiless(answer.status):
        return b""
    if answer.body_base64 is not None:
        return answer.body_base64
    content = None if answer.body is None else _echoed(answer.body, path)
    if content is not None and (answer.title is None or "<title" in content.lower()):
        return content.encode()
    kind = answer.type.partition(";")[0].strip().lower()
    if kind in {"text/html", "application/xhtml+xml"}:
        title = _title(host, path) if answer.title is None else _echoed(answer.title, path)
        return _page(title, content or _story(host, path)).encode()
    if content is not None:
        return content.encode()
    return _DOT if kind.startswith("image/") else b""


def _echoed(text: str, path: str) -> str:
    return text.replace("{path}", path)


def _title(host: str, path: str) -> str:
    """`/news/fish-return.html` → `Fish return`; the home page bears the host's name."""
    segment = unquote(path.partition("?")[0]).rstrip("/").rpartition("/")[2]
    words = re.sub(r"\.\w{1,5}$", "", segment).replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else host


def _page(title: str, content: str) -> str:
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>{html.escape(title)}</title>\n</head>\n<body>\n<h1>{html.escape(title)}</h1>\n{content}\n</body>\n</html>\n"
    )


def _story(host: str, path: str) -> str:
    """Prose that is always the same for a host and path, and another for any other."""
    digest = hashlib.sha256(f"{host}\n{path}".encode()).digest()
    sentences = [
        f"{_PEOPLE[a % 6]} {_ACTS[b % 5]} {_PLACES[c % 6]} {_TIMES[d % 6]}; {a * 256 + b} people had asked for it."
        for a, b, c, d in zip(digest[::4], digest[1::4], digest[2::4], digest[3::4], strict=True)
    ]
    paragraphs = "\n".join(f"<p>{' '.join(sentences[first : first + 2])}</p>" for first in range(0, len(sentences), 2))
    return f"<article>\n{paragraphs}\n<p>Written for {html.escape(host + path)}.</p>\n</article>"
