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
