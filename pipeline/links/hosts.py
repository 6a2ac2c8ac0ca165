"""What a night learns of hosts, so that a host that is not there is not asked for each of its URLs.

Five time-outs in a row on different URLs put a host in question. Then the second client is asked at once, and only if
it times out too is the host down for the night: no host dies on one client's word. It may be asked while the five are
still under way, once all of them have been silent for a while: two time-outs side by side take half the time.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.links.exchange import Answer
from pipeline.links.vocabulary import TIMEOUTS, Client, ErrorClass


@dataclass(slots=True)
class Host:
    """What is known of one."""

    timed_out: tuple[str, ...] = ()
    """URLs whose requests timed out, in a row."""
    questioned_by: str | None = None
    """The URL on which the second client is being asked."""
    down: ErrorClass | None = None
    nxdomain_told: bool = False
    is_heard: bool = False
    """It has answered, with whatever."""
    silent: tuple[str, ...] = ()
    """URLs that it was asked for before it answered any."""


class Hosts:
    """The hosts of one night by name. `limit` time-outs in a row put one in question; with `second_opinion` false they
    settle it."""

    def __init__(self, limit: int, *, second_opinion: bool, known: Mapping[str, Host] | None = None) -> None:
        self._limit = limit
        self._second_opinion = second_opinion
        self._hosts: defaultdict[str, Host] = defaultdict(Host, known or {})

    def known(self) -> dict[str, Host]:
        """The hosts that are not there tonight."""
        return {name: host for name, host in self._hosts.items() if host.down or host.nxdomain_told}

    def down(self, name: str) -> ErrorClass | None:
        """The error all URLs of the host share tonight, or None."""
        return self._hosts[name].down

    def in_question(self, name: str, url_id: str, client: Client) -> bool:
        """Whether the second client is being asked about the host, and this is another question: it waits."""
        questioned_by = self._hosts[name].questioned_by
        return questioned_by is not None and (client is Client.LIBCURL or questioned_by != url_id)

    def begins(self, name: str, url_id: str) -> bool:
        """Take note that the first client asks; True where this is the last time-out it would take to put the host in
        question."""
        host = self._hosts[name]
        if host.is_heard or host.questioned_by or url_id in host.silent:
            return False
        host.silent += (url_id,)
        return self._second_opinion and len(host.silent) == self._limit

    def question_silent(self, name: str, url_id: str) -> bool:
        """Put the host in question before its time-outs have come, if it has answered nothing yet."""
        host = self._hosts[name]
        if host.is_heard or host.questioned_by or host.down:
            return False
        host.questioned_by = url_id
        return True

    def is_first_nxdomain(self, name: str) -> bool:
        """True once a night: that URL's row is the question, the others share its answer."""
        first = not self._hosts[name].nxdomain_told
        self._hosts[name].nxdomain_told = True
        return first

    def hear(self, name: str, url_id: str, client: Client, answer: Answer) -> bool:
        """Take note of an answer of the host; True where the second client must be asked about this URL now."""
        host = self._hosts[name]
        timed_out = answer.error in TIMEOUTS
        if not timed_out:
            host.is_heard = True
            host.silent = ()
        if host.questioned_by == url_id and client is Client.REQUESTS:
            host.questioned_by = None
            host.down = answer.error if timed_out and len(host.timed_out) >= self._limit else None
            host.timed_out = ()
            return False
        if not timed_out:
            host.timed_out = ()
            return False
        if client is not Client.LIBCURL or host.down:
            return False
        if url_id not in host.timed_out:
            host.timed_out += (url_id,)
        if host.questioned_by or len(host.timed_out) < self._limit:
            return False
        if not self._second_opinion:
            host.down = answer.error
            return False
        host.questioned_by = url_id
        return True

    def forget_question(self, name: str, url_id: str) -> None:
        """The URL was settled before the second client came to the host."""
        if self._hosts[name].questioned_by == url_id:
            self._hosts[name].questioned_by = None
