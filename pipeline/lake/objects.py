"""A lake in an object store, by the library that delta-rs itself reaches stores with.

Files never change once they are put, so each is kept on this machine, too, where it was written or first read: DuckDB
reads plain files, and nothing is asked for twice. What nobody used for a week is forgotten; all of it may be removed at
any time. Pointers are never kept. Credentials come from the environment alone.
"""

import os
import re
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

from pipeline.errors import LakeError
from pipeline.lake.store import SPOOLS, Pointer, plain_words, with_folder
from pipeline.settings import LakeOptions

try:
    import obstore
    from obstore.exceptions import AlreadyExistsError, BaseError, PreconditionError
    from obstore.store import from_url
except ImportError as error:
    raise LakeError("lake.url is an object store, which needs the extra `s3`: newsledger[s3]") from error

RETRIES = 8
"""Of a request that gets no answer or an error of the server's, at growing intervals: half a minute in all."""
_RETRY_SECONDS = 60
_AT_ONCE = 16
"""Files that are fetched at a time."""
_LISTED = 1000
_KEPT_SECONDS = 7 * 86_400
_CODE = re.compile(r"<Code>(\w+)</Code>(?:\s*<Message>([^<]*)</Message>)?")
_RIGHTS = "list the bucket, and get, put and delete what is below it (docs/growing.md says which rights those are)"


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """The objects below `prefix` of `root`. `cache` is the folder of what is kept here, `waiting` of what is not there
    yet."""

    root: str
    options: LakeOptions
    cache: Path
    waiting: Path
    prefix: str = ""

    @classmethod
    def at(cls, url: str, options: LakeOptions, data_dir: Path) -> "ObjectStore":
        root = url.rstrip("/")
        name = sha256(f"{root} {options.endpoint}".encode()).hexdigest()[:16]
        return cls(root, options, data_dir / "cache" / "lake" / name, data_dir / "spool" / name)

    @property
    def place(self) -> str:
        return f"{self.root}/{self.prefix}".rstrip("/")

    @property
    def delta_options(self) -> dict[str, str]:
        retries = {"max_retries": f"{RETRIES}", "retry_timeout": f"{_RETRY_SECONDS}s"}
        options = _config(self.options)
        return options | {"allow_http": f"{self.options.allow_http}".lower()} | retries

    @property
    def remedy(self) -> str:
        return "mend the network, or what the credentials in the environment may do"

    @property
    def spools(self) -> Path:
        return self.waiting / self.prefix / SPOOLS

    @property
    def machine(self) -> str:
        """Names the folder where this machine's rows wait: another machine's are others."""
        file = self.waiting / "name"
        with suppress(FileNotFoundError):
            return file.read_text("ascii")
        self.waiting.mkdir(parents=True, exist_ok=True)
        own = file.with_name(uuid4().hex)
        own.write_text(own.name, "ascii")
        with suppress(FileExistsError):
            file.hardlink_to(own)
        own.unlink()
        return file.read_text("ascii")

    def within(self, name: str) -> "ObjectStore":
        return replace(self, prefix=self._key(name))

    def target(self, name: str) -> Path:
        return with_folder(self.cache / self._key(name), "mend data_dir")

    def put(self, name: str) -> None:
        try:
            obstore.put(self._client(), self._key(name), self.cache / self._key(name))
        except (BaseError, OSError) as error:
            raise self._trouble(name, "written", error) from error

    def fetch(self, names: Iterable[str]) -> list[Path]:
        files = {name: self.target(name) for name in names}
        missing = [name for name, file in files.items() if not _use(file)]
        if missing:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(self._get, missing, (files[name] for name in missing)))
        return [*files.values()]

    def names(self) -> list[str]:
        below = f"{self.prefix}/" if self.prefix else ""
        try:
            listed = obstore.list(self._client(), self.prefix or None, chunk_size=_LISTED)
            return [entry["path"].removeprefix(below) for entries in listed for entry in entries]
        except (BaseError, OSError) as error:
            raise self._trouble("", "listed", error) from error

    def delete(self, names: Iterable[str]) -> None:
        keys = [self._key(name) for name in names]
        try:
            if keys:
                obstore.delete(self._client(), keys)
        except FileNotFoundError:
            pass  # as asked for
        except (BaseError, OSError) as error:
            raise self._trouble("", "removed", error) from error
        for key in keys:
            (self.cache / key).unlink(missing_ok=True)

    def read(self, name: str) -> Pointer | None:
        try:
            found = obstore.get(self._client(), self._key(name))
            content = bytes(found.bytes())
        except FileNotFoundError as error:
            if "<Code>NoSuchBucket</Code>" in str(error):
                raise self._trouble(name, "read", error) from error
            return None
        except (BaseError, OSError) as error:
            raise self._trouble(name, "read", error) from error
        return Pointer(content, self._version(found.meta))

    def replace(self, name: str, content: bytes, version: str | None) -> str | None:
        mode: Any = "create" if version is None else _update(version)
        try:
            return self._version(obstore.put(self._client(), self._key(name), content, mode=mode))
        except (AlreadyExistsError, PreconditionError):
            # Or it was put, and the answer was lost: then it was tried again, and met itself.
            found = self.read(name)
            return found.version if found is not None and found.content == content else None
        except FileNotFoundError as error:
            if version is not None and "<Code>NoSuchKey</Code>" in str(error):
                return None
            raise self._trouble(name, "written", error) from error
        except (BaseError, OSError) as error:
            raise self._trouble(name, "written", error) from error

    def tidy(self) -> None:
        unused = time.time() - _KEPT_SECONDS
        for file in self.cache.rglob("*"):
            with suppress(OSError):  # a folder that is not empty
                if file.stat().st_mtime < unused:
                    file.rmdir() if file.is_dir() else file.unlink()

    def examine(self) -> str | None:
        name = f"examined-{uuid4().hex}"
        first = self.replace(name, b"1", None)
        try:
            self.names()
            again = self.replace(name, b"2", None)
            second = None if first is None else self.replace(name, b"3", first)
            stale = None if first is None else self.replace(name, b"4", first)
        finally:
            self.delete([name])
        if again is None and second is not None and stale is None:
            return None
        return "does not heed If-None-Match and If-Match, by which two refreshes at once are kept apart"

    def _get(self, name: str, file: Path) -> None:
        temporary = file.with_name(f"{file.name}.{uuid4().hex}.new")
        try:
            found = obstore.get(self._client(), self._key(name))
            with temporary.open("wb") as written:
                for chunk in found.stream(min_chunk_size=8 << 20):
                    written.write(chunk)
            temporary.replace(file)
        except (BaseError, OSError) as error:
            raise self._trouble(name, "read", error) from error
        finally:
            temporary.unlink(missing_ok=True)

    def _key(self, name: str) -> str:
        return f"{self.prefix}/{name}".strip("/")

    def _client(self) -> Any:
        return _client(self.root, self.options, os.getpid())

    def _version(self, put: Any) -> str:
        e_tag, version = put.get("e_tag"), put.get("version")
        if not e_tag and not version:
            raise LakeError(f"{self.root}: this store tells no version of an object, so no lake can be kept in it")
        return f"{e_tag or ''} {version or ''}"

    def _trouble(self, name: str, what: str, error: Exception) -> LakeError:
        """The error of the store, with where it happened and what to do."""
        return LakeError(f"{f'{self.place}/{name}'.rstrip('/')}: cannot be {what}: {_told(error)}")


@cache
def _client(root: str, options: LakeOptions, _process: int) -> Any:
    """One of a process, since its connections are."""
    make: Any = from_url  # its overloads know no store whose kind is in the URL
    try:
        return make(
            root,
            config=_config(options) or None,
            client_options={"allow_http": options.allow_http},
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=_RETRY_SECONDS)},
        )
    except (BaseError, OSError, ValueError) as error:
        raise LakeError(f"{root}: cannot be opened: {_told(error)}") from error


def _config(options: LakeOptions) -> dict[str, str]:
    """The options by the names that both libraries know them by."""
    named = {
        "endpoint": options.endpoint,
        "region": options.region,
        "virtual_hosted_style_request": "true" if options.virtual_hosted_style else None,
    }
    return {name: value for name, value in named.items() if value is not None}


def _update(version: str) -> dict[str, str]:
    e_tag, _, number = version.rpartition(" ")
    return {name: value for name, value in (("e_tag", e_tag), ("version", number)) if value}


def _use(file: Path) -> bool:
    """Whether the file is here; then it was used now."""
    with suppress(PermissionError):  # another user fetched it
        try:
            os.utime(file)
        except FileNotFoundError:
            return False
    return True


def _told(error: Exception) -> str:
    """The store's own words, and what to do."""
    text = str(error)
    code = _CODE.search(text)
    words = f"{code[2]} ({code[1]})" if code and code[2] else code[1] if code else plain_words(error)
    if "169.254.169.254" in text or "169.254.170" in text:
        return (
            "there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY in the environment, or give this"
            " machine a role"
        )
    if code and code[1] == "NoSuchBucket":
        return f"{words}; make it, or mend lake.url"
    if re.search(r"\b(401 Unauthorized|403 Forbidden)\b", text):
        return f"{words}; allow the credentials in the environment to {_RIGHTS}"
    if "builder error" in text:
        return f"{words}; an http:// endpoint needs lake.options.allow_http: true"
    return f"{words}; look at the network, and at lake.url and lake.options.endpoint, then run it again"
