"""What was said of links against what is so."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from tests.hostile_web.cases import Case

DEAD_VERDICTS = frozenset({"gone", "soft_404", "unreachable", "server_error"})
"""The verdicts that count as a strike; sql/staging/link_records.sql says the same."""


@dataclass(frozen=True, slots=True)
class Confusion:
    """How often a checker gave each of its answers to the links of each label."""

    counts: Mapping[tuple[str, str], int]
    called_dead: Mapping[bool, int]
    """Of the links it called dead, how many are and are not."""
    dead: int

    @classmethod
    def of(cls, cases: Iterable[Case], said: Mapping[str, str], dead_words: frozenset[str]) -> "Confusion":
        """`said` has the checker's word for each URL; those of `dead_words` mean that the link is dead. Links that
        nobody can judge from outside are in the table and not in the shares."""
        cases = tuple(cases)
        return cls(
            Counter((case.expect.verdict, said.get(case.url, "no answer")) for case in cases),
            Counter(
                case.expect.dead for case in cases if case.expect.dead is not None and said.get(case.url) in dead_words
            ),
            sum(case.expect.dead is True for case in cases),
        )

    @property
    def precision(self) -> float:
        called = sum(self.called_dead.values())
        return self.called_dead.get(True, 0) / called if called else 1.0

    @property
    def recall(self) -> float:
        return self.called_dead.get(True, 0) / self.dead if self.dead else 1.0

    def lines(self, name: str) -> Iterator[str]:
        """The table as text: a row a label, a column an answer."""
        labels = sorted({label for label, _ in self.counts})
        answers = sorted({answer for _, answer in self.counts})
        yield f"{f'{name}: is, and was said':<30}" + "".join(f"{answer:>14}" for answer in answers)
        for label in labels:
            numbers = (self.counts.get((label, answer), 0) for answer in answers)
            yield f"  {label:<28}" + "".join(f"{number or '.':>14}" for number in numbers)
        yield f"  dead: precision {self.precision:.3f}, recall {self.recall:.3f}, of {self.dead} dead links"
