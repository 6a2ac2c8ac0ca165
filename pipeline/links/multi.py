"""libcurl's multi handle on an asyncio loop, in batches.

pycurl's own AsyncCurlMulti makes a future, two callbacks and several registrations with the loop for each transfer,
which together cost more than the transfer. Here the sockets are watched by a selector of their own, which the loop
watches in turn; what is ready is handed to libcurl in one go, and what ended is reported in one go.
"""

import asyncio
import select
import selectors
from collections.abc import Callable
from contextlib import suppress

import pycurl

Failure = tuple[int, str]
"""libcurl's code and its words."""

_AT_ONCE = 32
"""So many sockets are served before the loop looks at anything else, a start that is due above all."""

# libcurl names what it waits for as selectors do, and what came likewise.
assert (pycurl.POLL_IN, pycurl.POLL_OUT) == (pycurl.CSELECT_IN, pycurl.CSELECT_OUT) == (1, 2)
assert (selectors.EVENT_READ, selectors.EVENT_WRITE) == (1, 2)


class Multi:
    """Runs transfers until `close`. Make it inside a running loop. `on_turn` is called whenever something may have
    ended: it starts what is next, and all of a turn reaches libcurl in one call."""

    def __init__(self, kept_connections: int, on_turn: Callable[[], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._multi = pycurl.CurlMulti()
        self._multi.setopt(pycurl.M_MAXCONNECTS, kept_connections)
        self._multi.setopt(pycurl.M_SOCKETFUNCTION, self._watch)
        self._multi.setopt(pycurl.M_TIMERFUNCTION, self._time)
        self._sockets = _Epoll() if hasattr(select, "epoll") else _AnySelector()
        self._loop.add_reader(self._sockets.fileno(), self._on_sockets)
        self._on_turn = on_turn
        self._ended: dict[pycurl.Curl, Callable[[Failure | None], None]] = {}
        self._soon: asyncio.Handle | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due: float | None = None
        self._is_in_turn = self._is_due = self._is_called = False
        self.came = 0
        """How many sockets had something at once in this turn: whoever starts more makes them wait longer."""

    def add(self, curl: pycurl.Curl, on_end: Callable[[Failure | None], None]) -> None:
        """Start a transfer in this turn or soon; `on_end` is called when it is over."""
        self._ended[curl] = on_end
        self._multi.add_handle(curl)

    def call(self) -> None:
        """Have a turn soon, once, however often this is called; in a turn there is one more only where it is called
        after `on_turn` has begun."""
        self._is_called = True
        if not self._is_in_turn and self._soon is None:
            self._soon = self._loop.call_soon(self.turn)

    def close(self) -> None:
        """Break off what is under way, without a call, and close every connection."""
        self._loop.remove_reader(self._sockets.fileno())
        for handle in (self._soon, self._timer):
            if handle is not None:
                handle.cancel()
        for curl in self._ended:
            self._multi.remove_handle(curl)
        self._ended.clear()
        self._is_due = False
        self._multi.close()
        self._sockets.close()

    # What libcurl asks for, from inside its calls: nothing here may call it back.

    def _watch(self, what: int, fd: int, _multi: object, _data: object) -> None:
        if pycurl.POLL_IN <= what <= pycurl.POLL_INOUT:
            self._sockets.watch(fd, what)
        else:
            self._sockets.rest(fd)

    def _time(self, milliseconds: int) -> None:
        if milliseconds < 0:
            self._due = None
        elif milliseconds == 0:
            self._due = None
            self._is_due = True
            if not self._is_in_turn:
                self.call()
        else:
            self._due = self._loop.time() + milliseconds / 1000
            if self._timer is None or self._timer.when() > self._due:
                if self._timer is not None:
                    self._timer.cancel()
                self._timer = self._loop.call_at(self._due, self._on_timer)

    # What the loop tells.

    def _on_sockets(self) -> None:
        self._is_in_turn = True
        try:
            act = self._multi.socket_action
            ready = self._sockets.ready()
            self.came = len(ready)
            for fd, events in ready:
                act(fd, events)
            self._report()
        finally:
            self.turn()

    def turn(self) -> None:
        """Start what may be started now, and have libcurl begin with it."""
        if self._soon is not None:
            self._soon.cancel()
            self._soon = None
        self._is_in_turn, self._is_called = True, False
        try:
            self._on_turn()
            self.came = 0
            if self._is_due:
                self._is_due = False
                self._multi.socket_action(pycurl.SOCKET_TIMEOUT, 0)
                self._report()
        finally:
            self._is_in_turn = False
        if self._is_due or self._is_called:
            self.call()

    def _on_timer(self) -> None:
        self._timer = None
        if self._due is None:
            return
        if self._due > self._loop.time():  # put off since
            self._timer = self._loop.call_at(self._due, self._on_timer)
            return
        self._is_due = True
        self.turn()

    def _report(self) -> None:
        left = 1
        while left:
            left, good, bad = self._multi.info_read()
            for curl in good:
                self._end(curl, None)
            for curl, code, words in bad:
                self._end(curl, (code, words))

    def _end(self, curl: pycurl.Curl, failure: Failure | None) -> None:
        on_end = self._ended.pop(curl)
        self._multi.remove_handle(curl)
        on_end(failure)


class _Epoll:
    """The sockets that libcurl waits for. A connection that rests between two requests stays registered, since it will
    be watched again in a moment; should something happen to it meanwhile, it is dropped."""

    def __init__(self) -> None:
        self._poll = select.epoll()
        self._resting: set[int] = set()
        self.fileno = self._poll.fileno
        self.close = self._poll.close

    def watch(self, fd: int, what: int) -> None:
        self._resting.discard(fd)
        events = what if what == pycurl.POLL_IN else select.EPOLLOUT | what & pycurl.POLL_IN
        try:
            self._poll.modify(fd, events)
        except FileNotFoundError:  # new, or the number of one that was closed
            self._poll.register(fd, events)

    def rest(self, fd: int) -> None:
        self._resting.add(fd)

    def ready(self) -> list[tuple[int, int]]:
        found = []
        for fd, events in self._poll.poll(0, _AT_ONCE):
            if fd in self._resting:
                self._resting.discard(fd)
                with suppress(OSError):
                    self._poll.unregister(fd)
            elif events == select.EPOLLIN:
                found.append((fd, pycurl.CSELECT_IN))
            else:  # libcurl finds out what it is
                found.append((fd, pycurl.CSELECT_IN | pycurl.CSELECT_OUT))
        return found


class _AnySelector:
    """The same where there is no epoll."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self.close = self._selector.close

    def fileno(self) -> int:
        return self._selector.fileno()

    def watch(self, fd: int, what: int) -> None:
        try:
            self._selector.register(fd, what)
        except KeyError:
            self._selector.modify(fd, what)

    def rest(self, fd: int) -> None:
        with suppress(KeyError, ValueError, OSError):
            self._selector.unregister(fd)

    def ready(self) -> list[tuple[int, int]]:
        return [(key.fd, events) for key, events in self._selector.select(0)[:_AT_ONCE]]
