"""What a part of the benchmarks tells: lines to read, targets, and figures to keep."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bench.machine import Machine, machine
from bench.targets import Target, target_lines

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Told:
    """What one part measured. `libraries` are those that do its work, where they are not those of all parts."""

    what: str
    lines: Iterable[str]
    targets: Sequence[Target]
    figures: object
    libraries: str | None = None

    def tell(self, keep: Path | None) -> None:
        """Print it, and keep it in a file of the folder `keep` where there is one."""
        here = machine(self.libraries)
        print("\n".join([where(here), *self.lines, "", *target_lines(self.targets)]), flush=True)
        if keep:
            kept = {"machine": here, "targets": [target.saved() for target in self.targets], "figures": self.figures}
            print(f"\nwritten: {write(keep, self.what, kept)}")


def where(here: Machine) -> str:
    """The machine and the libraries, without which a figure says nothing."""
    told = f"{here['date']}, {here['cpu']}, {here['cores']} cores, {here['system']}, Python {here['python']}"
    return f"{told}\n{here['libraries']}"


def write(folder: Path, what: str, kept: Mapping[str, object]) -> Path:
    """Keep what a part told as JSON, under today's date."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{datetime.now(UTC).date()}-{what}.json"
    file.write_text(json.dumps(kept, indent=1, default=lambda path: path.name, ensure_ascii=False) + "\n", "utf-8")
    return file
