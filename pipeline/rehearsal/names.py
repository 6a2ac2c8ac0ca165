"""The names of the small web: a name server that knows the table's hosts and nothing else."""

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from typing import cast

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from pipeline.rehearsal.table import Dns

ADDRESS = "127.0.0.1"
_TTL_SECONDS = 60
_RCODES = {Dns.NXDOMAIN: dns.rcode.NXDOMAIN, Dns.SERVFAIL: dns.rcode.SERVFAIL}


class NameServer(asyncio.DatagramProtocol):
    """Answers over UDP: A with the host's next address, other types with nothing, unknown names with NXDOMAIN."""

    def __init__(self, names: Mapping[str, Dns], addresses: Mapping[str, tuple[str, ...]]) -> None:
        self._names = names
        self._addresses = addresses
        self._answered: Counter[str] = Counter()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = answer_query(data, self._names, self._next_address)
        if answer is not None:
            self._transport.sendto(answer, addr)

    def _next_address(self, name: str) -> str:
        """Of a host's addresses, the one whose turn it is: a name can lead elsewhere the second time."""
        addresses = self._addresses.get(name, (ADDRESS,))
        turn = min(self._answered[name], len(addresses) - 1)
        self._answered[name] += 1
        return addresses[turn]


def answer_query(wire: bytes, names: Mapping[str, Dns], address_of: Callable[[str], str]) -> bytes | None:
    """The answer to one query; None where the table, or a packet that is no query, calls for silence."""
    try:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        response = dns.message.make_response(query)
    except (dns.exception.DNSException, IndexError):
        return None
    name = question.name.to_text(omit_final_dot=True).lower()
    fate = names.get(name, Dns.NXDOMAIN)
    if fate is Dns.TIMEOUT:
        return None
    response.flags |= dns.flags.AA | dns.flags.RA
    if fate is not Dns.OK:
        response.set_rcode(_RCODES[fate])
    elif question.rdtype == dns.rdatatype.A and question.rdclass == dns.rdataclass.IN:
        # The name as it was asked: some resolvers mix its case and want it back (DNS 0x20).
        response.answer.append(dns.rrset.from_text(question.name, _TTL_SECONDS, "IN", "A", address_of(name)))
    return response.to_wire()
