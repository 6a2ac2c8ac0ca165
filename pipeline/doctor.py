"""Looks at everything that a refresh leans on, and says of each what to do about it. Changes nothing and asks no link;
what it writes to see whether it can, it removes.

Belongs here: what is looked at and in which words. Each look is a function that gives findings; one that cannot be made
is a finding too.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from urllib.parse import urlsplit

import dns.exception
import dns.resolver
import yaml
from dns.nameserver import Do53Nameserver
from packaging.requirements import Requirement

from pipeline.content import standing
from pipeline.errors import NewsledgerError, SourceError
from pipeline.lake.lock import holder_of
from pipeline.lake.store import open_lake
from pipeline.model.version import program_version
from pipeline.settings import POSTGRES_VARIABLE, Settings
from pipeline.webhook import webhook_url

_LOW_BYTES = 1 << 30
_DNS_SECONDS = 5
_CLOCK_SECONDS = 60
_EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
"""No machine that runs this can be earlier."""
_FOLDERS = ("lake", "warehouse", "report", "cache", "scratch", "dagster", "sources")


class Grade(StrEnum):
    """How it is."""

    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how it is, and what to do where it is not well."""

    what: str
    grade: Grade
    words: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, in the order in which one mends them."""
    looks: dict[str, Callable[[Settings], Iterator[Finding]]] = {
        "settings": _settings,
        "versions": _versions,
        "folders": _folders,
        "disk": _disk,
        "lake": _lake,
        "sources": _sources,
        "clock": _clock,
        "names": _names,
        "dagster home": _dagster_home,
        "lock": _lock,
        "webhook": _webhook,
    }
    for what, look in looks.items():
        try:
            yield from look(settings)
        except (OSError, NewsledgerError) as error:
            yield Finding(what, Grade.ERROR, f"cannot be looked at: {error}", "mend what the message names")


def _settings(settings: Settings) -> Iterator[Finding]:
    names = ", ".join(source.name for source in settings.sources)
    yield Finding("settings", Grade.OK, f"readable; sources: {names}; data_dir {settings.data_dir}")
    if settings.links.enabled and settings.links.rehearsal is not None:
        yield Finding(
            "settings",
            Grade.WARNING,
            "a rehearsal web answers for every link",
            "set links.rehearsal to null for the world",
        )
    elif settings.links.enabled and "example.org" in settings.links.contact:
        yield Finding(
            "settings",
            Grade.WARNING,
            "links.contact is the example",
            "set it to an address at which sites can reach you",
        )


def _versions(_: Settings) -> Iterator[Finding]:
    wrong = []
    for line in requires("newsledger") or []:
        wanted = Requirement(line)
        if wanted.marker is not None and not wanted.marker.evaluate({"extra": ""}):
            continue
        try:
            found = version(wanted.name)
        except PackageNotFoundError:
            wrong.append(f"{wanted.name} is missing")
            continue
        if not wanted.specifier.contains(found, prereleases=True):
            wrong.append(f"{wanted.name} {found} is not {wanted.specifier}")
    if wrong:
        yield Finding("versions", Grade.ERROR, "; ".join(wrong), "install the locked dependencies: scripts/setup")
    else:
        python = ".".join(map(str, sys.version_info[:3]))
        told = ", ".join(f"{name} {version(name)}" for name in ("dagster", "duckdb", "deltalake", "pycurl"))
        yield Finding("versions", Grade.OK, f"newsledger {program_version()}, Python {python}, {told}")


def _folders(settings: Settings) -> Iterator[Finding]:
    """Every folder that is written to, or the nearest one that it would be made in."""
    bad = False
    for folder in (settings.data_dir, *(settings.data_dir / name for name in _FOLDERS)):
        place = next(parent for parent in (folder, *folder.parents) if parent.exists())
        try:
            with tempfile.TemporaryFile(dir=place):
                continue
        except OSError as error:
            bad = True
            yield Finding(
                "folders",
                Grade.ERROR,
                f"{place}: cannot be written to: {error.strerror}",
                f"give {_user()} the right to write there, or set data_dir to a folder of its own",
            )
    if not bad:
        yield Finding("folders", Grade.OK, f"{settings.data_dir} and what is in it can be written to by {_user()}")


def _disk(settings: Settings) -> Iterator[Finding]:
    place = next(parent for parent in (settings.data_dir, *settings.data_dir.parents) if parent.exists())
    free = shutil.disk_usage(place).free
    kept = sorted((settings.data_dir / "warehouse").glob("*.duckdb"))
    needed = max(_LOW_BYTES, 3 * (kept[-1].stat().st_size if kept else 0))
    words = f"{free / 1e9:,.1f} GB free at {place}; a refresh may need {needed / 1e9:,.1f} GB"
    if free < needed:
        yield Finding("disk", Grade.ERROR, words, "free the disk, or lower warehouse.keep and lake.keep_snapshots")
    else:
        yield Finding("disk", Grade.OK, words)


def _lake(settings: Settings) -> Iterator[Finding]:
    if settings.lake.url is None:
        yield Finding("lake", Grade.OK, f"in {settings.lake_dir}")
        return
    lake = open_lake(settings)
    wrong = lake.examine()
    if wrong is None:
        yield Finding("lake", Grade.OK, f"{lake.place} can be read and written to")
    else:
        yield Finding(
            "lake", Grade.ERROR, f"{lake.place}: {wrong}", f"{lake.remedy}, or name another place in lake.url"
        )


def _sources(settings: Settings) -> Iterator[Finding]:
    for source in settings.sources:
        try:
            standing(source, settings.copies_dir)
        except SourceError as error:
            yield Finding("sources", Grade.ERROR, f"{source.name}: {error}", "mend `sources` of the settings")
        else:
            yield Finding("sources", Grade.OK, f"{source.name} can be read")


def _clock(settings: Settings) -> Iterator[Finding]:
    now = datetime.now(UTC)
    if now < _EPOCH:
        yield Finding("clock", Grade.ERROR, f"says {now:%Y-%m-%d %H:%M} UTC", "set it: timedatectl set-ntp true")
        return
    last = settings.lake_dir / "log" / "refreshes"
    newest = max((file.stat().st_mtime for file in last.glob("*.parquet")), default=0)
    if newest > time.time() + _CLOCK_SECONDS:
        yield Finding(
            "clock",
            Grade.ERROR,
            f"says {now:%Y-%m-%d %H:%M} UTC, before the last refresh wrote its log",
            "set it: timedatectl set-ntp true; a refresh is never dated before the last",
        )
        return
    program = shutil.which("timedatectl")
    if program is not None:
        asked = [program, "show", "--property=NTPSynchronized", "--value"]
        if subprocess.run(asked, capture_output=True, text=True, check=False).stdout.strip() == "no":  # noqa: S603
            words = f"{now:%Y-%m-%d %H:%M} UTC, set by nobody"
            yield Finding("clock", Grade.WARNING, words, "let NTP set it: timedatectl set-ntp true")
            return
    yield Finding("clock", Grade.OK, f"{now:%Y-%m-%d %H:%M} UTC; nights are dates in {settings.schedule.timezone}")


def _names(settings: Settings) -> Iterator[Finding]:
    links = settings.links
    if not links.enabled or links.rehearsal is not None:
        yield Finding("names", Grade.OK, "no name is resolved: links are not asked, or a rehearsal web answers")
        return
    name = urlsplit(links.contact).hostname or links.contact.rpartition("@")[2]
    whom = ", ".join(links.nameservers) or "the system's name servers"
    try:
        resolver = dns.resolver.Resolver(configure=not links.nameservers)
        if links.nameservers:
            resolver.nameservers = [Do53Nameserver(*_address(server)) for server in links.nameservers]
        resolver.resolve(name, "A", lifetime=_DNS_SECONDS)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        yield Finding("names", Grade.OK, f"{whom} answered for {name}: there is no such name")
    except dns.exception.DNSException as error:
        yield Finding(
            "names",
            Grade.ERROR,
            f"{whom} did not answer for {name}: {type(error).__name__}",
            "mend the network, or name servers that answer in links.nameservers; until then every link is postponed",
        )
    else:
        yield Finding("names", Grade.OK, f"{whom} answered for {name}")


def _address(server: str) -> tuple[str, int]:
    """Address and port of a name server as the settings name it."""
    if server.count(":") == 1 or server.startswith("["):
        address, _, port = server.rpartition(":")
        return address.strip("[]"), int(port)
    return server, 53


def _dagster_home(settings: Settings) -> Iterator[Finding]:
    home = Path(os.environ.get("DAGSTER_HOME") or settings.dagster_home)
    if not home.is_absolute() or home.resolve() != settings.dagster_home.resolve():
        yield Finding(
            "dagster home",
            Grade.WARNING,
            f"DAGSTER_HOME is {home}, not {settings.dagster_home}: the command line and this UI would see other runs",
            "unset DAGSTER_HOME, or set it to that folder",
        )
        return
    file = home / "dagster.yaml"
    if not file.exists():
        yield Finding("dagster home", Grade.OK, f"{home} is made by the first refresh")
        return
    try:
        kept = yaml.load(file.read_bytes(), yaml.CSafeLoader)
    except yaml.YAMLError as error:
        yield Finding("dagster home", Grade.ERROR, f"{file}: is not valid YAML: {error}", "remove it: it is made anew")
        return
    if not isinstance(kept, dict) or "telemetry" not in kept:
        yield Finding("dagster home", Grade.WARNING, f"{file} is not ours", "remove it: it is made anew")
        return
    url = os.environ.get(POSTGRES_VARIABLE)
    if url is None:
        yield Finding("dagster home", Grade.OK, f"{home}; runs are kept in files there")
        return
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "", parts.port or 5432), _DNS_SECONDS).close()
    except OSError as error:
        words = f"PostgreSQL at {parts.hostname}, port {parts.port or 5432}, is not reached: {error.strerror or error}"
        yield Finding("dagster home", Grade.ERROR, words, f"start it, or mend {POSTGRES_VARIABLE}")
    else:
        yield Finding("dagster home", Grade.OK, f"{home}; runs are kept in PostgreSQL at {parts.hostname}")


def _lock(settings: Settings) -> Iterator[Finding]:
    holder = holder_of(settings.lock_file)
    if holder is None:
        yield Finding("lock", Grade.OK, "nobody writes now")
    else:
        yield Finding("lock", Grade.WARNING, f"held: {holder}", "wait for it to end; it goes when that process ends")


def _webhook(settings: Settings) -> Iterator[Finding]:
    variable = settings.alerts.webhook_env
    url = webhook_url(settings.alerts)
    if url is None:
        yield Finding("webhook", Grade.OK, f"{variable} is not set: failures are told in the UI alone")
        return
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        yield Finding("webhook", Grade.ERROR, f"{variable} holds no http or https URL", "set it to the webhook's URL")
    elif parts.scheme == "http" and not parts.hostname.startswith("127."):
        yield Finding("webhook", Grade.WARNING, f"{variable} is no https URL", "use https: what is told may be private")
    else:
        yield Finding("webhook", Grade.OK, f"failures are told to {parts.hostname}")


def _user() -> str:
    return f"user {os.geteuid()}"
