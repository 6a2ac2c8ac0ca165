"""What `newsledger links fix` proposes: the replacements of links.remedies, put into the files that they stand in.

Belongs here: which replacement for which place, the diff, and the writing. Where a text stands in a file and how
another is written there is `content.mending`'s. A file that means something else than when it was read is left alone:
its pointers may lead elsewhere now.
"""

import difflib
import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from pipeline.content import Rules, open_tree, path_bytes
from pipeline.content.mending import Change, mend
from pipeline.content.reading import meaning_of
from pipeline.content.trees import Loaded
from pipeline.errors import NewsledgerError, QueryError
from pipeline.model.text import printable
from pipeline.settings import Settings
from pipeline.warehouse import query, read_file

_MISLEADING = frozenset([*range(0x20), 0x7F, *b'"\\'])


class Reason(StrEnum):
    """Why a URL could stand in the place of another."""

    MOVED_PERMANENTLY = "moved_permanently"
    HTTPS_TWIN = "https_twin"
    SAME_ARTICLE = "same_article"
    ARCHIVED = "archived"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which proposals are asked for: of one source (None: of all), of these reasons, as sure as that at least."""

    source: str | None = None
    reasons: tuple[Reason, ...] = tuple(Reason)
    least_confidence: float = 0.0


_PROPOSALS = """
select
    uses.source,
    uses.path,
    versions.sha256,
    versions.semantic_sha256,
    uses.role,
    uses.pointer,
    uses.raw,
    remedies.replacement,
    remedies.reason,
    remedies.confidence,
    remedies.night
from coverage.url_uses as uses
inner join links.remedies as remedies on uses.url_id = remedies.url_id
inner join coverage.document_versions as versions on uses.version_id = versions.version_id
where
    ($source is null or uses.source = $source)
    and list_contains($reasons, remedies.reason)
    and remedies.confidence >= $least_confidence
    -- a key of AMP says that its page is AMP: another form of the article is none
    and not (remedies.reason = 'same_article' and uses.role in ('amp', 'cdn_amp'))
qualify row_number() over (partition by uses.version_id, uses.pointer, uses.raw order by remedies.rank) = 1
order by uses.source, uses.path, uses.pointer, uses.raw
"""


@dataclass(frozen=True, slots=True)
class Fix:
    """One file with its proposals: its bytes before and after, what is said of each change, and what was refused."""

    source: str
    path: str
    before: bytes
    after: bytes
    changes: tuple[str, ...]
    refused: tuple[str, ...]
    in_body: int = 0
    """Places in the body, which is text and is left to its author."""

    @property
    def name(self) -> str:
        return f"{self.source}: {printable(self.path)}"

    def diff(self) -> bytes:
        """The changes as a unified diff of the file, with what is said of each before it; empty where there is none."""
        if self.before == self.after:
            return b""
        told = "".join(f"# {line}\n" for line in (self.name, *self.changes)).encode()
        before, after = (_header(side, self.path) for side in ("a", "b"))
        lines = difflib.diff_bytes(
            difflib.unified_diff, _lines(self.before), _lines(self.after), before, after, lineterm=b"\n"
        )
        marked = (line if line.endswith(b"\n") else line + b"\n\\ No newline at end of file\n" for line in lines)
        return told + b"".join(marked)


def proposed_fixes(settings: Settings, wanted: Wanted) -> Iterator[Fix]:
    """The files of the last published refresh with a replacement to propose, in the order of their paths.

    Raises QueryError for a source that is none.
    """
    sources = {source.name: source for source in settings.sources}
    if wanted.source is not None and wanted.source not in sources:
        raise QueryError(f"{wanted.source}: no such source; the settings name {', '.join(sources)}")
    parameters = {
        "source": wanted.source,
        "reasons": [*wanted.reasons],
        "least_confidence": wanted.least_confidence,
    }
    rows = query(read_file(settings.warehouse_file), _PROPOSALS, parameters).to_pylist()
    rules = Rules.of(settings.content)
    for name, of_source in groupby((row for row in rows if row["source"] in sources), itemgetter("source")):
        tree = open_tree(sources[name], settings.copies_dir)
        for path, places in groupby(of_source, itemgetter("path")):
            [loaded] = tree.load([path], rules.max_file_bytes)
            content = loaded if isinstance(loaded, Loaded) else loaded.message
            yield _fixed(name, path, content, [*places], rules)


def _fixed(source: str, path: str, loaded: Loaded | str, places: list[dict[str, Any]], rules: Rules) -> Fix:
    in_front = [place for place in places if place["role"] != "body"]
    in_body = len(places) - len(in_front)
    if isinstance(loaded, str):
        return Fix(source, path, b"", b"", (), (loaded,), in_body)
    content = loaded.content
    if in_front and not _means_the_same(path, loaded, places[0], rules):
        told = "the file changed since it was read; refresh, then fix again"
        return Fix(source, path, content, content, (), (told,), in_body)
    said = {Change(place["pointer"], place["raw"], place["replacement"]): place for place in in_front}
    mended = mend(path, content, [*said], rules)
    refused = [f"{printable(each.change.pointer)}: {each.reason}" for each in mended.refused]
    return Fix(
        source,
        path,
        content,
        mended.content,
        tuple(_said(said[change]) for change in mended.made),
        tuple(refused),
        in_body,
    )


def _means_the_same(path: str, loaded: Loaded, place: dict[str, Any], rules: Rules) -> bool:
    """Whether the file is the one whose pointers are known. Bytes may differ where the meaning does not: line endings,
    the order of keys, a volatile key."""
    if loaded.settled and loaded.sha256 == place["sha256"]:
        return True
    return bool(meaning_of(path, loaded, rules).semantic_sha256 == place["semantic_sha256"])


def _said(place: dict[str, Any]) -> str:
    return (
        f"{printable(place['pointer'])}: {place['reason']}, confidence {place['confidence']:.2f},"
        f" seen {place['night']}: {printable(place['raw'].strip())} -> {printable(place['replacement'])}"
    )


def apply(fix: Fix, folder: Path) -> None:
    """Write the file, whole or not at all, where it lies in `folder`. Raises NewsledgerError where it changed since the
    fix was made, lies elsewhere, or cannot be written."""
    inside = os.path.realpath(os.fsencode(folder)) + b"/"
    file = Path(os.fsdecode(os.path.realpath(inside + path_bytes(fix.path))))
    if not os.fsencode(file).startswith(inside):
        raise NewsledgerError(f"{fix.name}: leads out of the source's folder; nothing is written there")
    try:
        if file.read_bytes() != fix.before:
            raise NewsledgerError(f"{fix.name}: the file has just changed; nothing is written into it")
        _replace(file, fix.after)
    except OSError as error:
        raise NewsledgerError(
            f"{fix.name}: cannot be written, and stays as it was: {error.strerror};"
            " mend the permissions or free the disk"
        ) from error


def _replace(file: Path, content: bytes) -> None:
    """By way of a file beside it, of a name that no file of the archive has; owner and permissions stay."""
    before = file.stat()
    descriptor, name = tempfile.mkstemp(prefix=".newsledger-", dir=file.parent)
    try:
        with os.fdopen(descriptor, "wb") as written:
            written.write(content)
            written.flush()
            with suppress(PermissionError):
                os.fchown(descriptor, before.st_uid, before.st_gid)
            os.fchmod(descriptor, stat.S_IMODE(before.st_mode))
            os.fsync(descriptor)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _lines(content: bytes) -> list[bytes]:
    """The lines as every diff has them: a carriage return is part of its line."""
    lines = [line + b"\n" for line in content.split(b"\n")]
    lines[-1] = lines[-1].removesuffix(b"\n")
    return lines if lines[-1] else lines[:-1]


def _header(side: str, path: str) -> bytes:
    """The file's name as git writes it in a diff: quoted where a sign would mislead, a tab behind one with spaces."""
    name = f"{side}/".encode() + path_bytes(path)
    if any(byte in _MISLEADING for byte in name):
        signs = (b"\\%03o" % byte if byte in _MISLEADING else bytes([byte]) for byte in name)
        return b'"' + b"".join(signs) + b'"'
    return name + b"\t" if b" " in name else name
