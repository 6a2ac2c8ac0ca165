"""Who may be asked next: one queue a domain, a heap of domains by the time they may be asked again.

The gap between two starts of a domain is a minimum and never broken to catch up (link-rules section 2). The clock is
the caller's: every time here is a monotonic number of seconds that is passed in, so that the property can be tested
without waiting. A domain is taken in three steps: `take` hands out its next item and holds one of its connections;
`started` is told when the request truly left; `finished` (or `release`, when nothing was sent) gives the connection
back.
"""

import heapq
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

from pipeline.links.plan import Pace

Item = TypeVar("Item")

UNPROVEN_CONNECTIONS = 5
"""A domain that has not answered yet gets no more at once: enough to settle that it is not there, and too few for some
dozens of such domains to take every connection of a night."""


@dataclass(slots=True)
class _Lane(Generic[Item]):
    domain: str
    pace: Pace
    queue: deque[Item] = field(default_factory=deque)
    next_start: float = 0.0
    under_way: int = 0
    at_once: int = 1
    """So many requests may be under way: few until the domain has answered."""
    listed: int | None = None
    """The order under which it stands in one of the two heaps of lanes; an entry of another order is void."""


class Pacer(Generic[Item]):
    """The queues of all domains: a heap of those that must wait, by the time they may be asked again, and a heap of
    those that may be asked now, the one first that has the most time still to take: the night is as long as the longest
    queue. Without a gap, the domain that answered last goes first, since its connection is open."""

    def __init__(self, pace_of: Callable[[str], Pace]) -> None:
        self._pace_of = pace_of
        self._lanes: dict[str, _Lane[Item]] = {}
        self._waiting: list[tuple[float, int, _Lane[Item]]] = []
        self._ready: list[tuple[tuple[float, int], int, _Lane[Item]]] = []
        self._later: list[tuple[float, int, str, Item]] = []
        self._order = count()
        self._now = 0.0

    def put(self, domain: str, item: Item, *, first: bool = False) -> None:
        """Queue `item`; `first` before what its domain already has."""
        lane = self._lane(domain)
        if first:
            lane.queue.appendleft(item)
        else:
            lane.queue.append(item)
        self._list(lane, next(self._order))

    def put_later(self, domain: str, item: Item, at: float) -> None:
        """Queue `item` at the front once `at` has come; the rest of its domain goes on meanwhile."""
        heapq.heappush(self._later, (at, next(self._order), domain, item))

    def take(self, now: float) -> tuple[str, Item] | None:
        """An item whose domain may be asked now, or None."""
        self._now = now
        while self._later and self._later[0][0] <= now:
            _, _, domain, item = heapq.heappop(self._later)
            self.put(domain, item, first=True)
        waiting, ready = self._waiting, self._ready
        while waiting and waiting[0][0] <= now:
            _, order, lane = heapq.heappop(waiting)
            if lane.listed == order:
                heapq.heappush(ready, (_rank(lane), order, lane))
        while ready:
            _, order, lane = heapq.heappop(ready)
            if lane.listed != order:
                continue
            lane.listed = None
            if lane.next_start > now:  # paused or started since it was listed
                self._list(lane, order)
            elif lane.queue and lane.under_way < lane.at_once:
                item = lane.queue.popleft()
                lane.under_way += 1
                self._list(lane, order)
                return lane.domain, item
        return None

    def take_beside(self, domain: str, now: float) -> bool:
        """Hold one more connection of the domain, if its pace lets something out of its queue's turn start now."""
        lane = self._lanes[domain]
        if lane.under_way >= lane.pace.connections or lane.next_start > now:
            return False
        lane.under_way += 1
        return True

    def started(self, domain: str, now: float) -> None:
        lane = self._lanes[domain]
        if lane.pace.gap:
            lane.next_start = max(lane.next_start, now + lane.pace.gap)

    def finished(self, domain: str, seen_at: float) -> None:
        """The request is over; the server has seen it by `seen_at`, so the gap counts from there: a server sees
        requests, not our intentions. (With several connections of a domain, the gap holds between our starts.)"""
        lane = self._lanes[domain]
        if lane.pace.gap:
            lane.next_start = max(lane.next_start, seen_at + lane.pace.gap)
        self.release(domain)

    def answers(self, domain: str) -> None:
        """The domain has answered: it may be asked as many questions at once as its pace allows."""
        lane = self._lanes[domain]
        lane.at_once = lane.pace.connections

    def times_out(self, domain: str) -> None:
        """The domain has not answered in time: it gets fewer questions at once, until it answers."""
        lane = self._lanes[domain]
        lane.at_once = max(1, lane.at_once - 1)

    def release(self, domain: str) -> None:
        lane = self._lanes[domain]
        lane.under_way -= 1
        if not lane.pace.gap:
            lane.listed = None  # its rank is better now
        self._list(lane, -next(self._order))

    def is_empty(self, domain: str) -> bool:
        """Whether nothing of the domain waits."""
        return not self._lanes[domain].queue

    def pause(self, domain: str, until: float) -> None:
        """No start before `until` (Retry-After). A shorter pause, or a good answer, does not undo a longer one."""
        lane = self._lane(domain)
        lane.next_start = max(lane.next_start, until)

    def pauses(self, now: float) -> dict[str, float]:
        """The domains that may not be asked yet, with the seconds until then."""
        return {lane.domain: lane.next_start - now for lane in self._lanes.values() if lane.next_start > now}

    def drain(self) -> list[Item]:
        """Every item still waiting; the queues are empty afterwards."""
        items = [item for _, _, _, item in self._later]
        self._later.clear()
        for lane in self._lanes.values():
            items += lane.queue
            lane.queue.clear()
        return items

    def wakes_at(self) -> float | None:
        """When `take` is worth calling again, or None where nothing waits for time alone."""
        if self._ready:
            return self._now
        times = [heap[0][0] for heap in (self._waiting, self._later) if heap]
        return min(times, default=None)

    def _lane(self, domain: str) -> _Lane[Item]:
        lane = self._lanes.get(domain)
        if lane is None:
            pace = self._pace_of(domain)
            lane = self._lanes[domain] = _Lane(domain, pace, at_once=min(pace.connections, UNPROVEN_CONNECTIONS))
        return lane

    def _list(self, lane: _Lane[Item], order: int) -> None:
        if lane.listed is not None or not lane.queue or lane.under_way >= lane.at_once:
            return
        lane.listed = order
        if lane.pace.gap or lane.next_start > self._now:  # its rank is that of when its time has come
            heapq.heappush(self._waiting, (lane.next_start, order, lane))
        else:
            heapq.heappush(self._ready, (_rank(lane), order, lane))


def _rank(lane: _Lane[Item]) -> tuple[float, int]:
    """The longest queue first, in seconds; then the domain with the fewest requests under way, since each further one
    at the same time opens a connection."""
    return -len(lane.queue) * lane.pace.gap, lane.under_way
