"""The certificates of the small web: one authority that its clients trust, and every way to fail that trust.

Belongs here: authorities, leaves, and the choice of a leaf by the name a client asks for. Leaves are made when a host
is first asked, so a table of a thousand hosts starts as fast as one of three.
"""

import ssl
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from pipeline.rehearsal.table import Tls

_MADE = datetime(2019, 1, 1, tzinfo=UTC)
_EXPIRED = datetime(2020, 1, 1, tzinfo=UTC)
_FAR_AHEAD = datetime(2999, 1, 1, tzinfo=UTC)
_ELSEWHERE = "elsewhere.invalid"


class Certificates:
    """Chooses, in the middle of a handshake, what a host shows."""

    def __init__(self, kinds: Mapping[str, Tls]) -> None:
        self._kinds = kinds
        self._authority = trustme.CA(organization_name="Newsledger rehearsal")
        self._contexts: dict[str, ssl.SSLContext] = {}

    @property
    def authority_pem(self) -> bytes:
        return self._authority.cert_pem.bytes()

    def listening_context(self) -> ssl.SSLContext:
        """For the listener; a client that names no host, or an unknown one, sees a certificate for localhost."""
        context = _context()
        self._authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLObject, name: str | None, _listening: ssl.SSLContext) -> int | None:
        """Called by OpenSSL: what it raises would be printed, so each failure becomes an alert to the client."""
        kind = self._kinds.get(name.lower()) if name else None
        if name is None or kind is None:
            return None
        try:
            connection.context = self._context_of(name.lower(), kind)
        except (ValueError, OSError):
            return ssl.ALERT_DESCRIPTION_INTERNAL_ERROR
        return None

    def _context_of(self, name: str, kind: Tls) -> ssl.SSLContext:
        if name not in self._contexts:
            context = _context()
            if kind is Tls.SELF_SIGNED:
                _load_self_signed(context, name)
            else:
                self._leaf(name, kind).configure_cert(context)
            self._contexts[name] = context
        return self._contexts[name]

    def _leaf(self, name: str, kind: Tls) -> trustme.LeafCert:
        match kind:
            case Tls.EXPIRED:
                return self._authority.issue_cert(name, not_before=_MADE, not_after=_EXPIRED)
            case Tls.UNKNOWN_ISSUER:
                return trustme.CA(organization_name="An authority nobody knows").issue_cert(name)
            case Tls.WRONG_HOST:
                return self._authority.issue_cert(_ELSEWHERE)
            case _:
                return self._authority.issue_cert(name)


def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_alpn_protocols(["http/1.1"])
    return context


def _load_self_signed(context: ssl.SSLContext, name: str) -> None:
    """A leaf that is its own issuer, which trustme cannot make."""
    key = ec.generate_private_key(ec.SECP256R1())
    itself = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(itself)
        .issuer_name(itself)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_MADE)
        .not_valid_after(_FAR_AHEAD)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    # The ssl module loads a certificate from files only.
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "leaf.pem")
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context.load_cert_chain(file)
