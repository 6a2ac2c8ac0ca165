"""What the figures of the links are held to, and how they are told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench.links.contenders import Outcome
from bench.links.loads import GAP_SECONDS, Load
from bench.targets import Target

PLAIN_FACTOR = 2.0
TLS_FACTOR = 1.2
FAULTS_FACTOR = 2.5
BOUND_FACTOR = 1.05
PEAK_MB = {"tls": 250, "paced-shuffled": 400, "paced-grouped": 400, "open": 200}
_RATES = {"plain": PLAIN_FACTOR, "tls": TLS_FACTOR, "faults": FAULTS_FACTOR}


@dataclass(frozen=True, slots=True)
class Measured:
    """All runs of one load, by contender; the sweep comes first."""

    load: Load
    outcomes: dict[str, list[Outcome]]

    @property
    def ours(self) -> list[Outcome]:
        return self.outcomes["newsledger"]


def targets(measured: Sequence[Measured]) -> Iterator[Target]:
    """Every target on what was measured. A ratio to a peer is the median of those of the runs."""
    for each in measured:
        name, ours, what = each.load.name, each.ours, each.load.what
        lychee = [outcome for outcome in each.outcomes.get("lychee", []) if outcome.finished]
        if name in _RATES and lychee:
            factor = median(our.rate / their.rate for our, their in zip(ours, lychee, strict=False))
            yield Target(f"URL/s ÷ lychee's; {what}", factor, "at least", _RATES[name], "lychee")
        if each.load.gap:
            slowest = median(our.seconds for our in ours)
            yield Target(f"seconds ÷ lower bound; {what}", slowest / each.load.lower_bound, "at most", BOUND_FACTOR)
            gaps = [our.seen.least_gap for our in ours if our.seen.least_gap is not None]
            yield Target(f"least gap seen by the web, ms; {what}", min(gaps) * 1000, "at least", GAP_SECONDS * 1000)
        if name == "open":
            held = min(our.seen.open_at_once for our in ours)
            yield Target("connections open at once", held, "at least", len(each.load.urls))
        if name in PEAK_MB:
            yield Target(
                f"peak memory, MB; {what}", median(our.peak_bytes for our in ours) / 1e6, "at most", PEAK_MB[name]
            )


def lines(each: Measured) -> Iterator[str]:
    """What each contender took on one load: medians of its runs."""
    bound = f"; lower bound {each.load.lower_bound:.1f} s" if each.load.gap else ""
    yield ""
    yield f"{each.load.what + bound:<76}{'seconds':>8}{'URL/s':>8}{'µs CPU':>8}{'MB':>7}{'alive':>8}{'gap ms':>8}"
    for who, outcomes in each.outcomes.items():
        if not outcomes:
            yield f"  {who:<74}not measured: it cannot be given this web's names"
        elif not all(outcome.finished for outcome in outcomes):
            yield f"  {who:<74}no result in {max(outcome.seconds for outcome in outcomes):.0f} s"
        else:
            asked = outcomes[0].urls
            gaps = [outcome.seen.least_gap for outcome in outcomes if outcome.seen.least_gap is not None]
            yield (
                f"  {who if asked == len(each.load.urls) else f'{who}, {asked:,} URLs':<74}"
                f"{_median(outcomes, lambda outcome: outcome.seconds):>8.2f}"
                f"{_median(outcomes, lambda outcome: outcome.rate):>8,.0f}"
                f"{_median(outcomes, lambda outcome: outcome.cpu_seconds / outcome.urls) * 1e6:>8.0f}"
                f"{_median(outcomes, lambda outcome: outcome.peak_bytes) / 1e6:>7.0f}"
                f"{_median(outcomes, lambda outcome: outcome.good):>8,.0f}"
                f"{min(gaps, default=0) * 1000:>8.2f}"
            )


def _median(outcomes: Sequence[Outcome], of: Callable[[Outcome], float]) -> float:
    return median(map(of, outcomes))
