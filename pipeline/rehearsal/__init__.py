"""A small web on the loopback, so that a sample and the tests can check links without leaving the machine.

A YAML table says which hosts exist, what each path answers and what goes wrong with it. `rehearse(web)` serves the
table over HTTP and HTTPS on free ports, with a name server and a certificate authority of its own, until its block
ends; `Rehearsal.links` points the settings of the links there.

Belongs here: the table, its answers and faults, the listeners, names and certificates. Does not belong here: any
judgement of a link (`expect` is carried as a label for whoever compares), and anything that reaches beyond 127.0.0.1.
"""

from pipeline.rehearsal.places import Places, WellKnownPlaces
from pipeline.rehearsal.running import Rehearsal, rehearse, rehearsed
from pipeline.rehearsal.server import RehearsalServer, Request
from pipeline.rehearsal.table import Answer, Connect, Dns, Expectation, Fault, Host, Tls, Web, load_web

__all__ = [
    "Answer",
    "Connect",
    "Dns",
    "Expectation",
    "Fault",
    "Host",
    "Places",
    "Rehearsal",
    "RehearsalServer",
    "Request",
    "Tls",
    "Web",
    "WellKnownPlaces",
    "load_web",
    "rehearse",
    "rehearsed",
]
