"""A real S3 server on loopback whose traffic is seen, and which can be told to refuse and to fail."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import boto3
import pytest
from moto.core import DEFAULT_ACCOUNT_ID
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.s3.models import s3_backends
from werkzeug.serving import WSGIRequestHandler, make_server

DENIED = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
BROKEN = "<Error><Code>InternalError</Code><Message>We encountered an internal error.</Message></Error>"
_WRITES = ("PUT", "POST", "DELETE")
KEYS = {"AWS_ACCESS_KEY_ID": "loopback", "AWS_SECRET_ACCESS_KEY": "hush-hush", "AWS_DEFAULT_REGION": "us-east-1"}


@dataclass
class Store:
    """The server: `reads` are the keys whose bytes were asked for, `denied` those that nobody may read; once
    `reads_left` are used up, it fails at everything. `writes` are the keys that were put or deleted, each with the
    condition that it was put on, and `before_write` is told of each before it is done."""

    endpoint: str = ""
    reads: list[str] = field(default_factory=list)
    denied: set[str] = field(default_factory=set)
    may_list: bool = True
    reads_left: int | None = None
    may_write: bool = True
    heeds_conditions: bool = True
    lose_answers: int = 0
    writes: list[tuple[str, str]] = field(default_factory=list)
    before_write: Callable[[str], None] | None = None
    writing: threading.Lock = field(default_factory=threading.Lock)
    """One write at a time: the server itself would look at a condition, and put, in two steps."""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def environment(self) -> dict[str, str]:
        """What leads a driver here, and nowhere else."""
        return KEYS | {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_MAX_ATTEMPTS": "1",
            "AWS_CONFIG_FILE": "/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        }

    def client(self) -> Any:
        """A client of its own, whatever the environment says."""
        return boto3.client(
            "s3",
            endpoint_url=self.endpoint,
            region_name=KEYS["AWS_DEFAULT_REGION"],
            aws_access_key_id=KEYS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=KEYS["AWS_SECRET_ACCESS_KEY"],
        )

    def put(self, bucket: str, **objects: str | bytes) -> None:
        """Stores each of `objects` in the bucket, as `_news/<name>.md`."""
        for name, content in objects.items():
            body = content.encode() if isinstance(content, str) else content
            self.client().put_object(Bucket=bucket, Key=f"site/_news/{name}.md", Body=body)

    def seed(self, bucket: str, objects: Mapping[str, bytes]) -> None:
        """Stores objects by their key, past the server: much faster."""
        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        for key, content in objects.items():
            backend.put_object(bucket, key, content)

    def empty(self) -> None:
        """Forgets everything, and what it was told to refuse."""
        s3_backends[DEFAULT_ACCOUNT_ID]["aws"].reset()
        self.reads, self.denied, self.may_list, self.reads_left = [], set(), True, None
        self.may_write, self.heeds_conditions, self.lose_answers = True, True, 0
        self.writes, self.before_write = [], None

    def begin(self, bucket: str, environment: Mapping[str, str], patch: pytest.MonkeyPatch) -> None:
        """Hold that bucket, empty, and nothing else; in this process stands of such stores what `environment` says."""
        for name in [name for name in os.environ if name.startswith(("AWS_", "FSSPEC_"))]:
            patch.delenv(name)
        for name, value in environment.items():
            patch.setenv(name, value)
        self.empty()
        self.client().create_bucket(Bucket=bucket)
        self.writes.clear()

    def answers(self, method: str, bucket: str, key: str) -> tuple[str, str] | None:
        """The error it answers with, where it is not to do its work."""
        with self._lock:
            if method == "GET" and key:
                self.reads.append(key)
                if self.reads_left is not None:
                    self.reads_left -= 1
            if self.reads_left is not None and self.reads_left < 0:
                return "500 Internal Server Error", BROKEN
            is_denied = (
                not self.may_write
                if method in _WRITES
                else method in ("GET", "HEAD") and (key in self.denied if key else not self.may_list)
            )
            return ("403 Forbidden", DENIED) if is_denied else None

    def notes(self, method: str, key: str, condition: str) -> None:
        """That this write is about to be done."""
        if self.before_write is not None:
            self.before_write(key)
        self.writes.append((key or method, condition))


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:  # noqa: A002  werkzeug's name
        """No line a request."""


@contextmanager
def serve_store() -> Iterator[Store]:
    """Serves until the block ends, and begins with nothing: what an earlier one held is in the same memory."""
    store = Store()
    store.empty()
    s3 = DomainDispatcherApplication(create_backend_app)

    def guarded(environ: dict[str, Any], start_response: Any) -> Any:
        bucket, _, key = unquote(environ["PATH_INFO"]).lstrip("/").partition("/")
        error = store.answers(environ["REQUEST_METHOD"], bucket, key)
        if error is None and environ["REQUEST_METHOD"] in _WRITES:
            conditions = [name for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH") if name in environ]
            if not store.heeds_conditions:
                for name in conditions:
                    del environ[name]
            with store.writing:
                store.notes(environ["REQUEST_METHOD"], key, "".join(conditions))
                if store.lose_answers:
                    store.lose_answers -= 1
                    list(s3(environ, lambda *_: None))
                    start_response("503 Service Unavailable", [("Content-Length", "0")])
                    return []
                return list(s3(environ, start_response))
        if error is None:
            return s3(environ, start_response)
        body = b"" if environ["REQUEST_METHOD"] == "HEAD" else error[1].encode()
        start_response(error[0], [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [body]

    server = make_server("127.0.0.1", 0, guarded, threaded=True, request_handler=_Quiet)
    store.endpoint = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
