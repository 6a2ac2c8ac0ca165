"""One operating-system lock, held by whatever writes. The kernel releases it if its holder dies."""

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from pipeline.errors import LakeError, RefreshBusyError


@contextmanager
def hold_lock(file: Path, holder: str) -> Iterator[None]:
    """Hold the lock at `file`, or raise RefreshBusyError at once, saying who holds it."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise LakeError(f"{file}: the refresh lock cannot be opened: {error.strerror}; mend data_dir") from error
    try:
        if not _taken(descriptor):
            raise RefreshBusyError(
                f"{file}: another refresh is running ({_told(file)}); wait for it to end, or stop it"
            )
        note = {"pid": os.getpid(), "holder": holder, "since": datetime.now(UTC).isoformat(timespec="seconds")}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(note).encode(), 0)
        yield
    finally:
        os.close(descriptor)  # which releases it


def holder_of(file: Path) -> str | None:
    """Who holds the lock, in its own words; None where nobody does."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _told(file)
    finally:
        os.close(descriptor)
    return None


def _taken(descriptor: int) -> bool:
    """Whether the lock could be had. Tried twice: whoever asks `holder_of` has it for an instant."""
    for wait in (0.05, 0.0):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(wait)
        else:
            return True
    return False


def _told(file: Path) -> str:
    try:
        note = json.loads(file.read_text("utf-8"))
        return f"{note['holder']}, process {note['pid']}, since {note['since']}"
    except (OSError, ValueError, KeyError):
        return "its holder has not written its name yet"
