"""The traps that lie in how files stand on a disk."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.reading import find_files
from tests.traps.trap import Trap, code, read_row, shown, told

GOOD = b"---\na: 1\n---\n"


def _staged(name: str, looks: str, stage: Callable[[Path], None], outcome: str) -> Trap:
    """What the walk finds of what was staged, and what each file that it finds becomes."""

    def run(folder: Path) -> str:
        site = folder / "site"
        site.mkdir()
        stage(site)
        paths = find_files(site, ("**/*.md",), ())["path"].to_pylist()
        return "; ".join(f"{code(shown(path.encode()))} {told(read_row(site, path))}" for path in paths) or "not seen"

    return Trap(name, looks, outcome, run)


def _named(what: str, name: bytes, outcome: str) -> Trap:
    def stage(site: Path) -> None:
        (site / os.fsdecode(name)).write_bytes(GOOD)

    return _staged(f"a name with {what}", code(shown(name)), stage, outcome)


def _huge(site: Path) -> None:
    with (site / "a.md").open("wb") as file:
        file.truncate(100 * 1024 * 1024)


def _loop(site: Path) -> None:
    (site / "a.md").write_bytes(GOOD)
    (site / "folder").symlink_to(site)
    (site / "self.md").symlink_to(site / "self.md")


def _outside(site: Path) -> None:
    (site.parent / "b.md").write_bytes(GOOD)
    (site / "a.md").symlink_to(site.parent / "b.md")


def _pipe(site: Path) -> None:
    os.mkfifo(site / "a.md")


def _dot_git(site: Path) -> None:
    (site / ".git").mkdir()
    (site / ".git" / "a.md").write_bytes(GOOD)


def _no_permission(folder: Path) -> str:
    (folder / "a.md").write_bytes(GOOD)
    (folder / "a.md").chmod(0)
    folder.chmod(0o755)
    with _as_nobody():
        return told(read_row(folder, "a.md"))


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Root may read everything: it is someone else meanwhile."""
    user = os.geteuid()
    if user:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(user)


def _vanished(folder: Path) -> str:
    return told(read_row(folder, "a.md"))


def _turned_pipe(folder: Path) -> str:
    os.mkfifo(folder / "a.md")
    return told(read_row(folder, "a.md"))


def _turned_folder(folder: Path) -> str:
    (folder / "a.md").mkdir()
    return told(read_row(folder, "a.md"))


def _with_nul(folder: Path) -> str:
    return told(read_row(folder, "a\0.md"))


def _written_while_read(times: int) -> Callable[[Path], str]:
    """A writer comes between, so many times."""

    def run(folder: Path) -> str:
        file = folder / "a.md"
        file.write_bytes(GOOD)
        left = times
        original = os.read

        def read_beside_a_writer(descriptor: int, size: int) -> bytes:
            nonlocal left
            content = original(descriptor, size)
            if left:
                left -= 1
                with file.open("ab") as more:
                    more.write(b"more\n")
            return content

        os.read = read_beside_a_writer
        try:
            return told(read_row(folder, "a.md"))
        finally:
            os.read = original

    return run


ON_DISK: tuple[Trap, ...] = (
    _named("a space", b"a b.md", '`a b.md` accepted: `{"a":1}`'),
    _named("quotes", b"a'\".md", '`a\'".md` accepted: `{"a":1}`'),
    _named("a newline", b"a\nb.md", '`a\\nb.md` accepted: `{"a":1}`'),
    _named("a byte that is no UTF-8", b"a\xff.md", '`a\\xff.md` accepted: `{"a":1}`'),
    _named("a backslash that looks like such a byte", b"a\\xff.md", '`a\\x5cxff.md` accepted: `{"a":1}`'),
    _named("a letter of two bytes", "é.md".encode(), '`é.md` accepted: `{"a":1}`'),
    _staged("a file of 100 MB", "100 MB of NUL", _huge, "`a.md` rejected: `file_too_large`"),
    _staged(
        "symlinks in a circle", "`folder` → its own parent, `self.md` → itself", _loop, '`a.md` accepted: `{"a":1}`'
    ),
    _staged("a symlink that leads out of the source", "`a.md` → `../b.md`", _outside, "not seen"),
    _staged("a pipe that is named like a file", "a FIFO", _pipe, "not seen"),
    _staged("what git keeps of its own", "`.git/a.md`", _dot_git, "not seen"),
    Trap("a file that may not be read", "mode 000", "rejected: `unreadable`", _no_permission),
    Trap("a file that vanishes between the walk and the reading", "no such file", "rejected: `unreadable`", _vanished),
    Trap("a file that turns into a pipe", "a FIFO", "rejected: `unreadable`", _turned_pipe),
    Trap("a file that turns into a folder", "a folder", "rejected: `unreadable`", _turned_folder),
    Trap("a name that no disk can hold", "`a\\x00.md`", "rejected: `unreadable`", _with_nul),
    Trap(
        "a file that changes while it is read",
        "one write meanwhile",
        'accepted: `{"a":1}`; body `more\\n`',
        _written_while_read(1),
    ),
    Trap(
        "a file that changes again while it is read once more",
        "two writes",
        "rejected: `changed_while_read`",
        _written_while_read(2),
    ),
)
