"""A wake-up at a point of the monotonic clock, as exactly as the system can.

An event loop that waits with epoll rounds up to a whole millisecond: at a gap of 20 ms that alone makes the longest
queue of a night 2.5 % longer. Linux has timers that can be waited for as a file; Python knows them since 3.13.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable


class Alarm:
    """Calls `ring` once for each `set` that is not overtaken by another. Make it inside a running loop."""

    def __init__(self, ring: Callable[[], None]) -> None:
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._handle: asyncio.TimerHandle | None = None
        self._file: int | None = None
        self._at: float | None = None
        if sys.version_info >= (3, 13) and sys.platform == "linux":
            self._file = os.timerfd_create(time.CLOCK_MONOTONIC, flags=os.TFD_NONBLOCK | os.TFD_CLOEXEC)
            self._loop.add_reader(self._file, self._rung)

    def set(self, at: float) -> None:
        """Ring at `at`, a time of `time.monotonic`; at once where it has passed."""
        if at == self._at:
            return
        self._at = at
        if sys.version_info >= (3, 13) and sys.platform == "linux" and self._file is not None:
            os.timerfd_settime(self._file, flags=os.TFD_TIMER_ABSTIME, initial=max(at, 1e-9))  # zero would disarm it
            return
        if self._handle is not None:
            self._handle.cancel()
        self._handle = self._loop.call_later(max(0.0, at - time.monotonic()), self._rung)

    def close(self) -> None:
        if self._handle is not None:
            self._handle.cancel()
        if self._file is not None:
            self._loop.remove_reader(self._file)
            os.close(self._file)
            self._file = None

    def _rung(self) -> None:
        if self._file is not None:
            try:
                os.read(self._file, 8)
            except BlockingIOError:  # set anew between the ring and now
                return
        self._at = None
        self._ring()
