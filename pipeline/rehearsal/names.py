"""The names of the small web: a name server that knows the table's hosts and nothing else."""

import asyncio
from collections.abc import Mapping
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
    """Answers over UDP: A with the loopback address, other types with nothing, unknown names with NXDOMAIN."""

    def __init__(self, names: Mapping[str, Dns]) -> None:
        self._names = names

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        answer = answer_query(data, self._names)
        if answer is not None:
            self._transport.sendto(answer, addr)


def answer_query(wire: bytes, names: Mapping[str, Dns]) -> bytes | None:
    """The answer to one query; None where the table, or a packet that is no query, calls for silence."""
    try:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        response = dns.message.make_response(query)
    except (dns.exception.DNSException, IndexError):
        return None
    fate = names.get(question.name.to_text(omit_final_dot=True).lower(), Dns.NXDOMAIN)
    if fate is Dns.TIMEOUT:
        return None
    response.flags |= dns.flags.AA | dns.flags.RA
    if fate is not Dns.OK:
        response.set_rcode(_RCODES[fate])
    elif question.rdtype == dns.rdatatype.A and question.rdclass == dns.rdataclass.IN:
        # The name as it was asked: some resolvers mix its case and want it back (DNS 0x20).
        response.answer.append(dns.rrset.from_text(question.name, _TTL_SECONDS, "IN", "A", ADDRESS))
    return response.to_wire()
