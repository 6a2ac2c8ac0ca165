"""Every trap of real archives, and what becomes of it: the one table that the tests run and `docs/traps.md` shows."""

import tempfile
from pathlib import Path

from tests.traps.disk import ON_DISK
from tests.traps.nights import OVER_NIGHTS
from tests.traps.texts import FENCES, REFUSED_VALUES, RELATED, VALUES
from tests.traps.trap import Trap

TRAPS: dict[str, tuple[Trap, ...]] = {
    "Where the front matter stands": FENCES,
    "Front matter that is refused": REFUSED_VALUES,
    "Values": VALUES,
    "Related items": RELATED,
    "Files on a disk": ON_DISK,
    "Over several refreshes": OVER_NIGHTS,
}


def outcome_of(trap: Trap) -> str:
    """What becomes of it, in words made of what the program wrote."""
    with tempfile.TemporaryDirectory() as folder:
        return trap.run(Path(folder))


__all__ = ["TRAPS", "Trap", "outcome_of"]
