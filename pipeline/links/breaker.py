"""Whether it is our own network that is down: then the night is void, and no link is called broken for it.

Two things tell. Control URLs, which are always up, are asked before all else: where more than half of them give no
answer, nothing else is asked. And hosts that were alive when last asked are watched during the sweep: some of them die
every night, but where more than a set share of those asked fail to answer at all, it is not they who died.

Belongs here: the counting. Does not belong here: asking, and what a void night means (`sql/links/verdicts.sql`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from pipeline.links.observation import Observation
from pipeline.links.vocabulary import NETWORK_ERRORS

LEAST_HOSTS = 20
"""With fewer, a share says nothing: two hosts of five may well die in one night. Control URLs tell in any case."""


@dataclass(slots=True)
class Breaker:
    """The signs of one night. `share` of the hosts that were alive last time may fail."""

    share: float
    _begun: set[str] = field(default_factory=set)
    _failed: set[str] = field(default_factory=set)
    _answered: set[str] = field(default_factory=set)

    def begins(self, host: str) -> None:
        """A URL that was alive last time is about to be asked. What is under way counts as good: a name that does not
        exist fails at once, while a page that is there takes its time."""
        self._begun.add(host)

    def hear(self, host: str, rows: Sequence[Observation]) -> str | None:
        """Take note of how such a URL was settled; why the night is void, if now it is. A host that answers once is
        there."""
        if any(row.http_status is not None for row in rows):
            self._answered.add(host)
            self._failed.discard(host)
        elif host not in self._answered and any(row.error_class in NETWORK_ERRORS for row in rows):
            self._failed.add(host)
        failed, begun = len(self._failed), len(self._begun)
        if begun < LEAST_HOSTS or failed <= self.share * begun:
            return None
        return (
            f"{failed} of {begun} hosts that were alive when last asked gave no answer, more than the share of"
            f" {self.share:g} that links.breaker_share allows: it is our own network that fails"
        )


def controls_failed(controls: Sequence[Sequence[Observation]]) -> str | None:
    """Why the night is void, judging by the rows of each control URL: most of them gave no answer, whatever status."""
    silent = [rows for rows in controls if all(row.http_status is None for row in rows)]
    if 2 * len(silent) <= len(controls):
        return None
    told = sorted(f"{rows[0].request_url} ({rows[-1].error_class or rows[-1].error_detail})" for rows in silent)
    return f"{len(silent)} of {len(controls)} control URLs gave no answer: {', '.join(told[:3])}"
