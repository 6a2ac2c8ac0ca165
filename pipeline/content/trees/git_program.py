"""The `git` program, run so that it asks nobody, runs nobody's hooks and tells nobody's password.

Belongs here: how git is started, what it may see of the environment, how it is ended, how its words are repeated. Does
not belong here: what is asked of it.
"""

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.errors import SourceError

_CONFIG = (
    "core.hooksPath=/dev/null",
    "core.askPass=",
    "credential.interactive=false",
    "fetch.recurseSubmodules=false",
    "fetch.prune=false",
    "fetch.fsckObjects=false",  # old archives hold what a strict check refuses: what is read is only bytes
    "gc.autoDetach=false",  # nothing works on in the copy once a fetch has ended
    "maintenance.autoDetach=false",
    "init.defaultObjectFormat=sha1",
    "http.lowSpeedLimit=1",
    "http.lowSpeedTime=120",
)
_KEPT = ("GIT_CONFIG_GLOBAL", "GIT_CONFIG_NOSYSTEM", "GIT_CONFIG_SYSTEM", "GIT_EXEC_PATH", "GIT_SSH", "GIT_SSL_CAINFO")
MEND = "delete the folder of the copy and run again: it is fetched anew"
_WORDS = 500
_SSH = "-o BatchMode=yes -o ConnectTimeout=60 -o ServerAliveInterval=30"
_USERINFO = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)[^/\s]*@")
_QUERY = re.compile(r"(://[^\s?#]*)[?#][^\s']*")


@dataclass(frozen=True, slots=True)
class Running:
    """A git at work: `requests` is its input, where it has one that is written, `answers` its output."""

    requests: IO[bytes] | None
    answers: IO[bytes]


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare repository of our own."""

    folder: Path

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """Git run to its end, whatever the end."""
        return _run(self.command(arguments), _environment())

    @contextmanager
    def written(self) -> Iterator["Writing"]:
        """The repository, made where there is none, held by one that may write to it. Raises SourceError where another
        holds it: a git that an earlier run left behind when it was killed."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with (self.folder / "held").open("wb") as held:
                try:
                    fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise SourceError(
                        f"{self.folder}: a git that an earlier run left behind still fetches into it; wait, or end it"
                    ) from None
                # Git's own locks are nobody's now.
                for left in (*self.folder.glob("*.lock"), *(self.folder / "refs").rglob("*.lock")):
                    left.unlink(missing_ok=True)
                made = self.run("init", "--quiet", "--bare", "--template=")
                if made.returncode:
                    raise SourceError(f"{self.folder}: no copy can be kept there: {words(made.stderr)}; mend data_dir")
                yield Writing(self, held.fileno())
        except OSError as error:
            raise SourceError(f"{self.folder}: no copy can be kept there: {error.strerror}; mend data_dir") from error

    @contextmanager
    def stream(self, *arguments: str, lines: IO[bytes] | None = None) -> Iterator[Running]:
        """Git at work, fed from `lines`, or by who writes into `requests`. It ends with the block, whatever ends that.

        Raises SourceError where git failed, and where the block found its answers cut short (EOFError).
        """
        with tempfile.TemporaryFile() as told:
            process = subprocess.Popen(  # noqa: S603  no shell
                self.command(arguments),
                bufsize=1 << 16,
                env=_environment(),
                stdin=lines or subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=told,
            )
            assert process.stdout is not None
            ended_well = False
            try:
                with suppress(EOFError, BrokenPipeError):
                    yield Running(process.stdin, process.stdout)
                    if process.stdin is not None:
                        process.stdin.close()
                    ended_well = process.wait() == 0
            finally:
                process.kill()
                process.wait()
                process.stdout.close()
                if process.stdin is not None:
                    with suppress(BrokenPipeError):  # what was not written yet is no longer wanted
                        process.stdin.close()
            if not ended_well:
                told.seek(0)
                raise SourceError(
                    f"{self.folder}: git could not read this copy: {words(told.read()) or 'it ended too soon'}; {MEND}"
                )

    def command(self, arguments: tuple[str, ...]) -> list[str]:
        return [_program(), f"--git-dir={self.folder}", *_settings(), *arguments]


@dataclass(frozen=True, slots=True)
class Writing:
    """A repository while it is held. Its gits hold it with us: for as long as one of them lives, whatever becomes of
    us."""

    repository: Repository
    _held: int

    def fetch(self, *arguments: str) -> "subprocess.CompletedProcess[bytes]":
        """`git fetch`, whatever its end."""
        command = self.repository.command(("fetch", "--quiet", *arguments))
        return _run(command, _environment() | _ssh(), self._held)


def ask_remote(*arguments: str) -> "subprocess.CompletedProcess[bytes]":
    """A git that asks another repository and needs none of ours, whatever its end."""
    return _run([_program(), *_settings(), *arguments], _environment() | _ssh())


def _settings() -> list[str]:
    return [part for setting in _CONFIG for part in ("-c", setting)]


def records(answers: IO[bytes]) -> Iterator[bytes]:
    """What stands between the NULs of git's `-z` output."""
    rest = b""
    while part := answers.read(1 << 16):
        *whole, rest = (rest + part).split(b"\0")
        yield from whole


def words(told: bytes) -> str:
    """What git said of a failure, in one line and without anybody's password."""
    lines = [line.strip() for line in told.decode("utf-8", "replace").splitlines()]
    return textwrap.shorten(redacted("; ".join(line for line in lines if line)), _WORDS, placeholder=" …")


def redacted(text: str) -> str:
    """`text` whose URLs name no user, no password and no token."""
    return _QUERY.sub(r"\1", _USERINFO.sub(r"\1", text))


def _environment() -> dict[str, str]:
    """The caller's, without what would lead git elsewhere or let it ask."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _KEPT or not name.startswith(("GIT_", "SSH_ASKPASS"))
    }
    return kept | {
        "LC_ALL": "C",  # its words are matched
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "GIT_NO_REPLACE_OBJECTS": "1",
    }


def _ssh() -> dict[str, str]:
    """The user's own ssh, told not to ask and not to wait for ever."""
    if "GIT_SSH" in os.environ and "GIT_SSH_COMMAND" not in os.environ:
        return {}
    command = os.environ.get("GIT_SSH_COMMAND")
    if not command:
        told = _run([_program(), "config", "--global", "--get", "core.sshCommand"], _environment()).stdout
        command = os.fsdecode(told).strip() or "ssh"
    return {"GIT_SSH_COMMAND": f"{command} {_SSH}"}


def _run(command: list[str], environment: dict[str, str], *kept_open: int) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(  # noqa: S603  no shell
        command,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        pass_fds=kept_open,
        check=False,
    )


def _program() -> str:
    found = shutil.which("git")
    if found is None:
        raise SourceError("the program `git` is not on the PATH; install it: a source of `sources` names `git`")
    return found
