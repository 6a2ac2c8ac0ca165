"""Who may be asked next: one queue a domain, a heap of domains by the time they may be asked again.

The gap between two starts of a domain is a minimum and never broken to catch up (link-rules section 2). The clock is
the caller's: every time here is a monotonic number of seconds that is passed in, so that the property can be tested
without waiting. A domain is taken in three steps: `take` hands out its next item and holds one of its connections;
`started` is told when the request truly left; `finished` (or `release`, when nothing was sent) gives the connection
back.

A night is as long as its longest queue. So the domains with long queues are asked whenever their gap allows, and all
others are spread over most of that time: were they asked as soon as they may, thousands at once would keep the longest
queue waiting for its turn, and the network would have nothing to do later.
"""

import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

from pipeline.links.plan import Pace

Item = TypeVar("Item")

UNPROVEN_CONNECTIONS = 5
"""A domain that has not answered yet gets no more at once: enough to settle that it is not there, and too few for some
dozens of such domains to take every connection of a night."""

_SPREAD = 1.5
"""So much faster than over the time of the longest queue the others are asked: retries and hops are to come."""
_LONG = 0.5
"""A queue of at least this share of the longest one's time is never held back."""
_AT_ONCE_SECONDS = 0.002
"""Starts that are held back are let go together when so much time has passed: each wake-up costs as much as a start."""
_LOOK_SECONDS = 1.0
"""So often the longest queue is looked for."""


@dataclass(slots=True)
class _Lane(Generic[Item]):
    domain: str
    pace: Pace
    queue: list[Item] = field(default_factory=list)
    """Short nearly always: a deque takes 600 bytes before its first item."""
    next_start: float = 0.0
    under_way: int = 0
    at_once: int = 1
    """So many requests may be under way: few until the domain has answered."""
    is_begun: bool = False
    listed: int | None = None
    """The order under which it stands in one of the heaps of lanes; an entry of another order is void."""

    @property
    def seconds(self) -> float:
        """What its queue takes at the least."""
        return (len(self.queue) - 1) * self.pace.gap


_Ranked = list[tuple[float, float, int, _Lane[Item]]]


class Pacer(Generic[Item]):
    """The queues of all domains: a heap of those that must wait, by the time they may be asked again, and two of those
    that may be asked now, the one first that has the most time still to take. The short ones are held back: they have
    until `ends_at`, or until the longest queue is done. What has an open connection goes before the others: of the
    short ones those that have begun, and without a gap the domain that answered last."""

    def __init__(self, pace_of: Callable[[str], Pace], ends_at: float = math.inf) -> None:
        self._pace_of = pace_of
        self._ends_at = ends_at
        self._lanes: dict[str, _Lane[Item]] = {}
        self._waiting: list[tuple[float, int, _Lane[Item]]] = []
        self._ready: _Ranked[Item] = []
        self._short: _Ranked[Item] = []
        self._warm: list[_Lane[Item]] = []
        """Those without a gap that have just answered, the last one last."""
        self._later: list[tuple[float, int, str, Item]] = []
        self._order = count()
        self._now = 0.0
        self._queued = 0
        self._longest: _Lane[Item] | None = None
        self._looked_at = -math.inf
        self._next_short = -math.inf

    def put(self, domain: str, item: Item, *, first: bool = False) -> None:
        """Queue `item`; `first` before what its domain already has."""
        lane = self._lane(domain)
        if first:
            lane.queue.insert(0, item)
        else:
            lane.queue.append(item)
        self._queued += 1
        if self._longest is None or lane.seconds > self._longest.seconds:
            self._longest = lane
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
        waiting = self._waiting
        while waiting and waiting[0][0] <= now:
            _, order, lane = heapq.heappop(waiting)
            if lane.listed != order:
                continue
            if self._is_long(lane, now):
                heapq.heappush(self._ready, (*_rank(lane), order, lane))
            else:
                heapq.heappush(self._short, (not lane.is_begun, -lane.seconds, order, lane))
        taken = None
        if self._warm and not (self._ready and self._ready[0][0] < 0):
            taken = self._take_warm(now)
        if taken is None:
            taken = self._take_from(self._ready, now)
        if taken is None and self._short and self._next_short <= now:
            taken = self._take_from(self._short, now)
            if taken is not None:
                self._next_short = max(self._next_short, now - _AT_ONCE_SECONDS) + self._seconds_each(now)
        return taken

    def _take_warm(self, now: float) -> tuple[str, Item] | None:
        while self._warm:
            lane = self._warm.pop()
            if lane.next_start > now:
                self._list(lane, next(self._order))
            elif lane.queue and lane.under_way < lane.at_once:
                return self._hand_out(lane, next(self._order))
        return None

    def _take_from(self, ready: _Ranked[Item], now: float) -> tuple[str, Item] | None:
        while ready:
            _, _, order, lane = heapq.heappop(ready)
            if lane.listed != order:
                continue
            lane.listed = None
            if lane.next_start > now:  # paused or started since it was listed
                self._list(lane, order)
            elif lane.queue and lane.under_way < lane.at_once:
                return self._hand_out(lane, order)
        return None

    def _hand_out(self, lane: _Lane[Item], order: int) -> tuple[str, Item]:
        item = lane.queue.pop(0)
        self._queued -= 1
        lane.under_way += 1
        lane.is_begun = True
        self._list(lane, order)
        return lane.domain, item

    def _is_long(self, lane: _Lane[Item], now: float) -> bool:
        return not lane.pace.gap or lane.seconds >= _LONG * self._longest_seconds(now)

    def _seconds_each(self, now: float) -> float:
        """How far apart the starts of short queues are, so that all of them are done in time."""
        time_left = min(self._longest_seconds(now), self._ends_at - now)
        return max(0.0, time_left) / (_SPREAD * (self._queued + 1))

    def _longest_seconds(self, now: float) -> float:
        if now > self._looked_at + _LOOK_SECONDS:
            self._looked_at = now
            self._longest = max(self._lanes.values(), key=lambda lane: lane.seconds)
        return max(0.0, self._longest.seconds) if self._longest else 0.0

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
        if lane.pace.gap:
            self._list(lane, -next(self._order))
        elif lane.queue:
            self._warm.append(lane)

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
        self._queued = 0
        for lane in self._lanes.values():
            items += lane.queue
            lane.queue.clear()
        return items

    def wakes_at(self) -> float | None:
        """When `take` is worth calling again, or None where nothing waits for time alone."""
        if self._ready or self._warm:
            return self._now
        times = [heap[0][0] for heap in (self._waiting, self._later) if heap]
        if self._short:
            times.append(self._next_short + _AT_ONCE_SECONDS)
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
            heapq.heappush(self._ready, (*_rank(lane), order, lane))


def _rank(lane: _Lane[Item]) -> tuple[float, float]:
    """The longest queue first, in seconds; then the domain with the fewest requests under way, since each further one
    at the same time opens a connection."""
    return -len(lane.queue) * lane.pace.gap, lane.under_way
