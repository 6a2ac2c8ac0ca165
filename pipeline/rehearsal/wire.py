"""How a request is read from a connection and a reply written to it, faults included.

Belongs here: bytes on one connection. Does not belong here: what a reply says (pages), who accepts it (server).
Written by hand on asyncio streams, because a server library does its best to prevent every one of these faults.
"""

import asyncio
import io
import socket
import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from http.client import HTTPException, parse_headers

from pipeline.rehearsal.pages import Reply
from pipeline.rehearsal.table import Fault

MAX_REQUEST_HEAD = 64 * 1024
_DRIP_SECONDS = 1.0
_CHUNK = bytes(64 * 1024)
_BOMB_CHUNKS = 320
_LINGER_NONE = struct.pack("ii", 1, 0)
_GARBAGE = b"\x00\x8f\xffthis is no HTTP\r\n\r\n"
# More than browsers take (256 KB), yet under the limits of curl (300 KB) and http.client (100 headers): it is the
# checker's own cap that must hold.
_GIANT = b"".join(b"X-Giant-%02d: %s\r\n" % (number, b"x" * 3000) for number in range(95))


@dataclass(frozen=True)
class Head:
    """The head of a request; header names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    keeps_alive: bool


class BadRequestError(Exception):
    """What a client sent is no request that can be read."""


async def read_head(reader: asyncio.StreamReader) -> Head | None:
    """The next request's head, its body read and dropped; None when the client has closed."""
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError as error:
        if error.partial.strip():
            raise BadRequestError("the request ends in the middle of its head") from None
        return None
    except asyncio.LimitOverrunError:
        raise BadRequestError(f"the head of the request is longer than {MAX_REQUEST_HEAD} bytes") from None
    line, _, rest = raw.lstrip(b"\r\n").partition(b"\r\n")
    try:
        method, target, version = line.decode("ascii").split(" ")
        headers = {name.lower(): value for name, value in parse_headers(io.BytesIO(rest)).items()}
        length = int(headers.get("content-length", "0"))
    except (ValueError, HTTPException):
        raise BadRequestError("the request line or a header cannot be read") from None
    chunked = "transfer-encoding" in headers
    await _drop(reader, 0 if chunked else length)
    closes = chunked or version != "HTTP/1.1" or "close" in headers.get("connection", "").lower()
    return Head(method, target, headers, keeps_alive=not closes)


async def _drop(reader: asyncio.StreamReader, length: int) -> None:
    while length > 0:
        length -= len(await reader.readexactly(min(length, MAX_REQUEST_HEAD)))


async def write(writer: asyncio.StreamWriter, reply: Reply) -> None:
    """Send a reply as it should be."""
    writer.write(reply.head() + reply.body)
    await writer.drain()


async def write_faulty(writer: asyncio.StreamWriter, reply: Reply, fault: Fault) -> None:
    """Send a reply as it should not be. The connection must be closed after it."""
    match fault:
        case Fault.RESET_BEFORE:
            _reset(writer)
        case Fault.RESET_AFTER:
            writer.write(reply.head() + reply.body[: len(reply.body) // 2])
            await writer.drain()
            await asyncio.sleep(0.05)  # lets the client read what was sent, before the reset overtakes it
            _reset(writer)
        case Fault.EMPTY:
            pass
        case Fault.TRUNCATED:
            writer.write(reply.head() + reply.body[: len(reply.body) // 2])
        case Fault.DRIP:
            for byte in reply.head() + reply.body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(_DRIP_SECONDS)
        case Fault.BAD_RESPONSE:
            writer.write(_GARBAGE)
        case Fault.GIANT_HEADERS:
            writer.write(reply.head()[:-2] + _GIANT + b"\r\n" + reply.body)
        case Fault.BOMB:
            packed = _bomb()
            headers = (*_without_length(reply), ("Content-Encoding", "gzip"), ("Content-Length", str(len(packed))))
            writer.write(replace(reply, headers=headers).head() + packed)
        case Fault.ENDLESS:
            writer.write(replace(reply, headers=_without_length(reply)).head())
            while True:  # until the client has had enough and closes
                writer.write(_CHUNK)
                await writer.drain()
    await writer.drain()


def _without_length(reply: Reply) -> tuple[tuple[str, str], ...]:
    return tuple(header for header in reply.headers if header[0] != "Content-Length")


@cache
def _bomb() -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    return b"".join([*(packer.compress(_CHUNK) for _ in range(_BOMB_CHUNKS)), packer.flush()])


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close with RST instead of FIN: what a lingering time of zero does."""
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NONE)
    writer.transport.abort()
