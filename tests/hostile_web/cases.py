"""The labelled links of a rehearsal table."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from pipeline.rehearsal import Expectation, Web, load_web

TABLE = Path(__file__).with_name("web.yaml")
WEB = load_web(TABLE)


@dataclass(frozen=True, slots=True)
class Case:
    """A link as an archive has it, and what a checker should find."""

    url: str
    expect: Expectation


def cases(web: Web = WEB) -> tuple[Case, ...]:
    """Every label of a table: those of its paths, of its hosts (asked at /page) and of its `links`."""
    return tuple(_cases(web))


def _cases(web: Web) -> Iterator[Case]:
    for name, host in web.hosts.items():
        usual = "https" if "tls" in host.model_fields_set else "http"
        if host.expect:
            yield Case(f"{usual}://{name}/page", host.expect)
        for path, answer in host.paths.items():
            if answer.expect:
                scheme, colon, rest = path.partition(":/")
                of_one_scheme = bool(colon) and scheme in ("http", "https")
                yield Case(f"{scheme}://{name}/{rest}" if of_one_scheme else f"{usual}://{name}{path}", answer.expect)
    for url, expect in web.links.items():
        yield Case(url, expect)
