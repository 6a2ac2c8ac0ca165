"""How requests is made to connect to exactly the address that was checked, and can be cut off.

The name in the URL is what TLS, SNI and Host are about; the route is where the bytes go. Belongs here: the classes put
between requests and its sockets. Does not belong here: what is asked, or what an answer means.
"""

import socket
import ssl
import threading
import time
from typing import Any

import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from pipeline.links.route import Route


class Cuttable:
    """A handle on the one socket of a request, by which the watchdog can end it from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self.ip: str | None = None
        self.was_cut = False
        self.connected: float | None = None

    def opened(self, sock: socket.socket, ip: str) -> None:
        with self._lock:
            # A duplicate: TLS detaches the original, but shutting down either ends the connection of both.
            self._socket, self.ip = sock.dup(), ip
            self.connected = time.monotonic()
            if self.was_cut:
                self._shutdown()

    def cut(self) -> None:
        with self._lock:
            self.was_cut = True
            self._shutdown()

    def close(self) -> None:
        with self._lock:
            if self._socket is not None:
                self._socket.close()
                self._socket = None

    def _shutdown(self) -> None:
        if self._socket is not None:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # over already


class PinnedAdapter(HTTPAdapter):
    """Connects to the addresses of `route`, whatever the name in the URL says."""

    def __init__(self, context: ssl.SSLContext, route: Route, connection: Cuttable) -> None:
        self._context, self._route, self._connection = context, route, connection
        super().__init__(max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **_: Any) -> None:
        self.poolmanager = _PinnedManager(
            self._route,
            self._connection,
            num_pools=connections,
            maxsize=maxsize,
            block=block,
            ssl_context=self._context,
        )

    def cert_verify(self, conn: Any, *_: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"  # the shared context has the CA file: it is not loaded again


class _PinnedManager(urllib3.PoolManager):
    def __init__(self, route: Route, connection: Cuttable, **options: Any) -> None:
        super().__init__(**options)
        self._route, self._connection = route, connection
        self.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}

    def _new_pool(self, scheme: str, host: str, port: int, request_context: Any = None) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        pool.conn_kw["pinned"] = (self._route, self._connection)
        return pool


class _Pinned(HTTPConnection):
    def __init__(self, *args: Any, pinned: tuple[Route, Cuttable], **options: Any) -> None:
        super().__init__(*args, **options)
        self._pinned = pinned

    def _new_conn(self) -> socket.socket:
        route, connection = self._pinned
        failure: OSError | None = None
        for address in route.addresses:
            if connection.was_cut:
                break
            try:
                sock = socket.create_connection((address, route.port), self.timeout)
            except OSError as error:
                failure = error
                continue
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.opened(sock, address)
            return sock
        if failure is None or isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "connecting took too long") from failure
        raise NewConnectionError(self, str(failure)) from failure


class _PinnedTLS(_Pinned, HTTPSConnection):
    pass


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _Pinned


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _PinnedTLS
