"""A running small web as its users see it: where to connect, whom to ask for names, whom to trust, what came in."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pipeline.errors import RehearsalError
from pipeline.rehearsal.places import Places
from pipeline.rehearsal.server import RehearsalServer, Request
from pipeline.rehearsal.table import Web, load_web
from pipeline.settings import Links


@dataclass(frozen=True)
class Rehearsal:
    """The running web; good until the block of `rehearse` ends."""

    connect_to: dict[str, str]
    """`host:80` or `host:443` → `127.0.0.1:port`, as curl's --connect-to."""
    nameservers: tuple[str, ...]
    allow_addresses: tuple[str, ...]
    ca_file: Path
    _received: list[Request] = field(repr=False)

    def requests(self) -> list[Request]:
        """Every request received up to now, in the order of arrival."""
        return list(self._received)

    def links(self, links: Links) -> Links:
        """The settings with this web filled in. What the user set stays, and wins where both name one target."""
        return links.model_copy(
            update={
                "connect_to": self.connect_to | links.connect_to,
                "nameservers": _merged(self.nameservers, links.nameservers),
                "allow_addresses": _merged(self.allow_addresses, links.allow_addresses),
                "ca_file": self.ca_file if links.ca_file is None else self._with_authorities_of(links.ca_file),
            }
        )

    def _with_authorities_of(self, theirs: Path) -> Path:
        bundle = self.ca_file.with_name("with-user-authorities.pem")
        try:
            bundle.write_bytes(theirs.read_bytes() + b"\n" + self.ca_file.read_bytes())
        except OSError as error:
            raise RehearsalError(
                f"links.ca_file: {theirs} cannot be read: {error.strerror}; correct the path or leave it out"
            ) from error
        return bundle


@contextmanager
def rehearse(web: Web, places_of: type[Places] = Places) -> Iterator[Rehearsal]:
    """Serve `web` on free loopback ports, or at places of another kind, until the block ends; no thread, socket or file
    stays behind."""
    places = places_of(web)
    with tempfile.TemporaryDirectory(prefix="newsledger-rehearsal-") as folder, RehearsalServer(web, places) as server:
        ca_file = Path(folder, "ca.pem")
        ca_file.write_bytes(server.authority_pem)
        yield Rehearsal(
            connect_to=places.connect_to(),
            nameservers=(places.nameserver,),
            allow_addresses=places.allow_addresses(),
            ca_file=ca_file,
            _received=server.requests,
        )


@contextmanager
def rehearsed(links: Links) -> Iterator[Links]:
    """The settings with the web served that they name, until the block ends; as they are where they name none."""
    if links.rehearsal is None:
        yield links
        return
    with rehearse(load_web(links.rehearsal)) as running:
        yield running.links(links)


def _merged(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*ours, *theirs)))
