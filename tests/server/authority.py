"""An authority for tests that makes certificates for clients and servers."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


@dataclass(frozen=True)
class Holder:
    """A certificate and its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        return self.certificate.public_bytes(Encoding.PEM).decode()

    def write(self, file: Path) -> Path:
        """Both, for a program that reads them."""
        private = self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        file.write_bytes(private + self.pem.encode())
        return file


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


_CRITICAL = (x509.BasicConstraints, x509.KeyUsage)
_SIGNS = x509.KeyUsage(
    key_cert_sign=True,
    crl_sign=True,
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    encipher_only=False,
    decipher_only=False,
)


@dataclass(frozen=True)
class Authority:
    """Signs for a day from yesterday on."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    name: x509.Name = field(
        default_factory=lambda: x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Acme Root")])
    )

    def root(self) -> Holder:
        """Its own certificate."""
        return self._signed(self.name, self.key, x509.BasicConstraints(ca=True, path_length=None), _SIGNS)

    def holder(self, name: str, *uris: str, host: str | None = None) -> Holder:
        """A certificate with these URIs, or for a server at `host`."""
        subject = x509.Name.from_rfc4514_string(f"CN={name},O=Acme")
        others: list[x509.GeneralName] = [x509.UniformResourceIdentifier(uri) for uri in uris]
        others += [x509.DNSName(host)] if host else []
        more = [x509.SubjectAlternativeName(others)] if others else []
        return self._signed(subject, _key(), *more)

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *more: x509.ExtensionType) -> Holder:
        now = datetime.now(UTC)
        begins, ends = now - timedelta(days=1), now + timedelta(days=1)
        number = x509.random_serial_number()
        made = x509.CertificateBuilder(self.name, subject, key.public_key(), number, begins, ends)
        whose = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
        by = x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key())
        for extension in (*more, whose, by):  # Python 3.13 and later accept no certificate without them
            made = made.add_extension(extension, critical=isinstance(extension, _CRITICAL))
        return Holder(key, made.sign(self.key, hashes.SHA256()))


def server_context(file: Path) -> ssl.SSLContext:
    """What a TLS server needs of a file that `Holder.write` made."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context
