"""What the figures are held to: one row a target, reached or not."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Target:
    """A figure, the bound that it is held to, and what it was measured beside, where that is another program."""

    what: str
    measured: float
    bound: Literal["at most", "at least"]
    limit: float
    beside: str = ""

    @property
    def is_reached(self) -> bool:
        return self.measured <= self.limit if self.bound == "at most" else self.measured >= self.limit

    def saved(self) -> dict[str, str | float | bool]:
        return asdict(self) | {"reached": self.is_reached}


def target_lines(held: Iterable[Target]) -> Iterator[str]:
    """The table of the targets."""
    yield f"{'target':<86}{'measured':>9}{'':>4}{'limit':>13}"
    for target in held:
        verdict = "reached" if target.is_reached else "NOT REACHED"
        beside = f"  beside {target.beside}" if target.beside else ""
        yield (
            f"  {target.what:<84}{target.measured:>9.2f}{'':>2}{target.bound:>9} {target.limit:<6g}{verdict:<12}"
            f"{beside}"
        ).rstrip()
