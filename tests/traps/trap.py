"""What a trap is, and how one file is read and told of."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.content import Rules, rebuild
from pipeline.content.values import to_json
from pipeline.model.text import printable
from tests.reading import read_files

RULES = Rules(frozenset({"secured"}), 64 * 1024, 16 * 1024 * 1024)
NOW = datetime(2021, 6, 3, 2, tzinfo=UTC)
_SHOWN_CHARACTERS = 70


@dataclass(frozen=True, slots=True)
class Trap:
    """`run` stages it in an empty folder and tells what became of it, which must be `outcome`. `content` is the text of
    one that is a single file."""

    name: str
    looks: str
    outcome: str
    run: Callable[[Path], str]
    content: bytes | None = None
    file: str = ""


def text(name: str, content: str | bytes, outcome: str, file: str = "_news/a.md", looks: str = "") -> Trap:
    """One file of that content."""
    raw = content.encode() if isinstance(content, str) else content
    return Trap(name, looks or code(shown(raw)), outcome, lambda folder: told(read_text(folder, raw, file)), raw, file)


def yaml(name: str, front: str | bytes, outcome: str, looks: str = "") -> Trap:
    """One file with that between its fences."""
    raw = front.encode() if isinstance(front, str) else front
    return text(name, b"---\n" + raw + b"\n---\n", outcome, looks=looks or code(shown(raw)))


def read_text(folder: Path, content: bytes, file: str) -> dict[str, Any]:
    """The row of one file of that content."""
    place = folder / file
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return read_row(folder, file)


def read_row(folder: Path, path: str) -> dict[str, Any]:
    """The row of the file that lies there."""
    return read_files(folder, "s", [path], RULES, NOW, "r").to_pylist()[0]


def told(row: dict[str, Any]) -> str:
    """A row in words: its status, what is kept of it, the time it was published, its issues."""
    issues = "; ".join(_issue(issue) for issue in row["issues"])
    if row["status"] != "accepted":
        return f"{row['status']}: {issues}"
    parts = [f"accepted: {code(shown(to_json(rebuild(row)).encode()))}"]
    if row["body"]:
        parts.append(f"body {code(shown(row['body'].encode()))}")
    published = row["item"]["publishedDateTime"]
    if published:
        parts.append(f"published {published:%Y-%m-%d %H:%M:%S} UTC ({row['item']['publishedPrecision']})")
    return "; ".join([*parts, issues] if issues else parts)


def _issue(issue: dict[str, Any]) -> str:
    place = "" if issue["line"] is None else f" at {issue['line']}:{issue['column']}"
    severity = "" if issue["severity"] == "error" or not issue["pointer"] else f"{issue['severity']} "
    return f"{severity}{code(issue['code'])}{place}"


def code(sample: str) -> str:
    return f"`{sample}`"


def shown(raw: bytes) -> str:
    """The start of a text with its invisible signs written out."""
    written = raw.decode("utf-8", "backslashreplace")
    visible = printable(written)
    return visible if len(visible) <= _SHOWN_CHARACTERS else visible[:_SHOWN_CHARACTERS] + " …"
