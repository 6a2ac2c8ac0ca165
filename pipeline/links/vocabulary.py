"""The closed words of link checking: what is written into the observation log.

Belongs here: the enums and their groups. Does not belong here: any rule that chooses between them (`journey`, and
`sql/links/verdicts.sql`).
"""

import errno
from enum import StrEnum


class Kind(StrEnum):
    """Why an observation exists."""

    REQUEST = "request"
    SHARED = "shared"
    """The host's one NXDOMAIN, or its row of time-outs, answers for this URL too."""
    GUARD = "guard"
    """We refused to ask: the address or the URL itself is not one we send anything to."""
    POSTPONED = "postponed"
    PROBE = "probe"
    """The host was asked for a path that cannot exist, to know its not-found page; no judgement of the URL itself."""
    CONTROL = "control"
    """A control URL was asked, to know whether our own network is up; no judgement of any link."""
    ARCHIVE = "archive"
    """A web archive was asked for a copy of the page; no judgement of the URL itself."""


class Client(StrEnum):
    """Which library asked."""

    LIBCURL = "libcurl"
    REQUESTS = "requests"


class Method(StrEnum):
    """How it asked."""

    GET = "GET"
    HEAD = "HEAD"


class ErrorClass(StrEnum):
    """Why no usable answer came, one word for both clients."""

    DNS_NXDOMAIN = "dns_nxdomain"
    DNS_SERVFAIL = "dns_servfail"
    DNS_TIMEOUT = "dns_timeout"
    CONNECT_REFUSED = "connect_refused"
    CONNECT_TIMEOUT = "connect_timeout"
    CONNECT_UNREACHABLE = "connect_unreachable"
    CONNECTION_RESET = "connection_reset"
    READ_TIMEOUT = "read_timeout"
    TLS_EXPIRED = "tls_expired"
    TLS_SELF_SIGNED = "tls_self_signed"
    TLS_UNKNOWN_ISSUER = "tls_unknown_issuer"
    TLS_WRONG_HOST = "tls_wrong_host"
    TLS_HANDSHAKE = "tls_handshake"
    EMPTY_REPLY = "empty_reply"
    BAD_RESPONSE = "bad_response"
    TOO_MANY_HEADERS = "too_many_headers"
    REDIRECT_LOOP = "redirect_loop"
    REDIRECT_LIMIT = "redirect_limit"
    REDIRECT_BAD_TARGET = "redirect_bad_target"
    ADDRESS_REFUSED = "address_refused"
    SCHEME_UNSUPPORTED = "scheme_unsupported"
    URL_INVALID = "url_invalid"


VERDICTS = {
    "alive": "It answers 2xx with content, and nothing speaks for a not-found page.",
    "moved": "Alive, and every hop from the start was permanent (301, 308), to another page.",
    "soft_404": "It answers 2xx with a page that says it is not there; the signals say how that is known.",
    "gone": "404 or 410.",
    "blocked": "It answers, but not to us: any other 4xx, 999, or a recognised challenge page. We cannot judge.",
    "server_error": "5xx, after retries.",
    "unreachable": "No usable answer, after retries: name, connection, broken answer, or redirects that lead nowhere.",
    "insecure": "Something answers, but its TLS is broken. Kept apart from death.",
    "malformed": "The URL cannot be asked: not a URL, a backslash or control character, another scheme than http(s).",
    "refused": "Our own address guard said no, on some hop; nothing was sent there.",
    "postponed": "Not asked to the end: budget, minutes, Retry-After, a host set aside, or our own network failed.",
}
"""What each verdict of `sql/links/verdicts.sql` means."""

SIGNALS = {
    "ended_at_root": "A URL below the home page ends at a home page.",
    "not_found_path": "It ends at a path with /404 or notfound that was not in the path asked for.",
    "many_to_one_target": "Three or more URLs of its host end at one target that has nothing of their names.",
    "same_as_random_path": "It shows the page that its host shows for a path that cannot exist.",
    "empty_answer": "The answer has no content: 204, 205 or an empty 2xx.",
    "became_a_shared_page": "It was another page before, and is tonight one that three or more URLs of its host share.",
}
"""What each soft-404 signal of `sql/links/verdicts.sql` means."""

KINDS = {
    Kind.REQUEST: "A request was made, or a name was asked for that does not exist.",
    Kind.SHARED: "The host's one NXDOMAIN, or its row of time-outs, answers for this URL too.",
    Kind.GUARD: "We refused to ask: the address or the URL is not one that anything is sent to.",
    Kind.POSTPONED: "Put off to another night; the detail says why.",
    Kind.PROBE: "The host was asked for a path that cannot exist. Says nothing of the URL on whose behalf it was.",
    Kind.CONTROL: "A control URL was asked before the night's links, to know whether our own network is up.",
    Kind.ARCHIVE: "A web archive was asked for a copy of the page. Says nothing of the URL itself.",
}
"""What each kind of observation is."""

ERRORS = {
    ErrorClass.DNS_NXDOMAIN: "The name does not exist, or has no address.",
    ErrorClass.DNS_SERVFAIL: "The name server failed. Ours or theirs, nobody can say: postponed.",
    ErrorClass.DNS_TIMEOUT: "No name server answered in time: postponed.",
    ErrorClass.CONNECT_REFUSED: "Nobody listens at the port.",
    ErrorClass.CONNECT_TIMEOUT: "No connection in time.",
    ErrorClass.CONNECT_UNREACHABLE: "No route to the address.",
    ErrorClass.CONNECTION_RESET: "The connection was cut, or ended before the answer did.",
    ErrorClass.READ_TIMEOUT: "Connected, but no whole answer in time; a slow drip counts too.",
    ErrorClass.TLS_EXPIRED: "The certificate has expired, or is not valid yet.",
    ErrorClass.TLS_SELF_SIGNED: "The certificate is its own issuer.",
    ErrorClass.TLS_UNKNOWN_ISSUER: "Signed by an authority that is not trusted, or the chain is incomplete.",
    ErrorClass.TLS_WRONG_HOST: "The certificate is for another host.",
    ErrorClass.TLS_HANDSHAKE: "The two sides found no way to talk.",
    ErrorClass.EMPTY_REPLY: "The connection was closed without a byte.",
    ErrorClass.BAD_RESPONSE: "What came is no HTTP, cannot be unpacked, or is a 3xx that leads nowhere.",
    ErrorClass.TOO_MANY_HEADERS: "More than 64 KB of headers.",
    ErrorClass.REDIRECT_LOOP: "A redirect leads back to a URL asked before.",
    ErrorClass.REDIRECT_LIMIT: "More than ten redirects.",
    ErrorClass.REDIRECT_BAD_TARGET: "No Location, or one that cannot be followed.",
    ErrorClass.ADDRESS_REFUSED: "Our own guard: the address is not public. Never the site's fault.",
    ErrorClass.SCHEME_UNSUPPORTED: "The link is no http or https.",
    ErrorClass.URL_INVALID: "The link is no URL that can be asked.",
}
"""What each error class says."""

NETWORK_ERRORS = frozenset(error for error in ErrorClass if error.startswith(("dns_", "connect_", "tls_"))) | {
    ErrorClass.CONNECTION_RESET,
    ErrorClass.READ_TIMEOUT,
    ErrorClass.EMPTY_REPLY,
}
"""What an outage of our own would look like; a hijacked connection is one too."""
TIMEOUTS = frozenset({ErrorClass.CONNECT_TIMEOUT, ErrorClass.READ_TIMEOUT})
RETRIED_ERRORS = TIMEOUTS | {ErrorClass.CONNECTION_RESET}
RETRIED_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})
REDIRECT_STATUSES = frozenset({301, 302, 303, 307, 308})

VERIFY_RESULTS = {
    9: ErrorClass.TLS_EXPIRED,  # not yet valid: the dates do not cover tonight either
    10: ErrorClass.TLS_EXPIRED,
    18: ErrorClass.TLS_SELF_SIGNED,
    2: ErrorClass.TLS_UNKNOWN_ISSUER,
    19: ErrorClass.TLS_UNKNOWN_ISSUER,
    20: ErrorClass.TLS_UNKNOWN_ISSUER,
    21: ErrorClass.TLS_UNKNOWN_ISSUER,
    62: ErrorClass.TLS_WRONG_HOST,
    64: ErrorClass.TLS_WRONG_HOST,
}
"""OpenSSL's verify results (x509_vfy.h); any other is a failed handshake."""

UNREACHABLE_ERRNOS = frozenset({errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})
