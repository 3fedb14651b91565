"""The certificate of the TLS port: a given one, or one of its own, made once and signed by itself.

Its own also signs those that are shown at addresses of servers, so that who trusts it trusts them.
"""

import datetime
import ipaddress
import os
import re
import socket
import ssl
from pathlib import Path
from typing import TYPE_CHECKING

from cucm_admin.env import BadSetting

if TYPE_CHECKING:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.types import (
        CertificatePublicKeyTypes,
        PrivateKeyTypes,
    )

# As long as the vendor's own certificates.
_DAYS = 5 * 365


def context(folder: Path, certificate: str = "", key: str = "") -> ssl.SSLContext:
    """Return how TLS is spoken: with the files given, or with those in ``folder``, made where there are none.

    Raises:
        BadSetting: Only one of the files is given, or they cannot be used.

    """
    if bool(certificate) is not bool(key):
        raise BadSetting("TLS_CERT, TLS_KEY", "must both be given, or neither")
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ours.minimum_version = ssl.TLSVersion.TLSv1_2
    files = (certificate, key) if certificate else _own(folder)
    try:
        ours.load_cert_chain(*files)
    except (OSError, ssl.SSLError) as error:
        raise BadSetting("TLS_CERT, TLS_KEY", f"cannot be used: {error}") from None
    return ours


def for_server(folder: Path, certificate: str, key: str, name: str, address: str) -> ssl.SSLContext:
    """Return how TLS is spoken at ``address``, that of the server ``name``; the other arguments as of ``context``.

    A certificate that was given is shown there, too: which names are in it is known to who gave it.
    """
    if certificate:
        return context(folder, certificate, key)
    own = Path(_own(folder)[0])
    made = _write(folder, _make_for(own.read_bytes(), name, address))
    try:
        return context(folder, str(made), str(made))
    finally:
        made.unlink()


def _own(folder: Path) -> tuple[str, str]:
    # One file, so that nobody finds a certificate without its key.
    path = folder / "certificate.pem"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = _write(folder, _make())
        # Of two processes that make one at a time both then use the same.
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return str(path), str(path)


def _write(folder: Path, text: bytes) -> Path:
    """Write a file of this process for this user only; ``ssl`` reads files alone."""
    made = folder / f"certificate.{os.getpid()}"
    with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(text)
    return made


def _make() -> bytes:
    """Return a new key and its certificate (PEM) for this machine."""
    # Needed once in five years.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    host = socket.gethostname()
    name = _name(host)
    others = [x509.DNSName(each) for each in dict.fromkeys((host, "localhost")) if each]
    addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1")]
    public = key.public_key()
    certificate = (
        _builder(name, name, public)
        .add_extension(x509.SubjectAlternativeName([*others, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        # Strict clients ask both of one that signs others.
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
        .sign(key, hashes.SHA256())
    )
    return _pem(key, certificate)


def _make_for(own: bytes, name: str, address: str) -> bytes:
    """Return a new key and its certificate (PEM) for a server, signed by ours (``own``, both in PEM)."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, rsa

    issuer = x509.load_pem_x509_certificate(own)
    signing = serialization.load_pem_private_key(own, None)
    assert isinstance(signing, rsa.RSAPrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    names: list[x509.GeneralName] = [x509.IPAddress(ipaddress.ip_address(address))]
    if re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", name):
        names.insert(0, x509.DNSName(name))
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing.public_key())
    certificate = (
        _builder(_name(name), issuer.subject, key.public_key())
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs=False), critical=True)
        .add_extension(identifier, critical=False)
        .sign(signing, hashes.SHA256())
    )
    return _pem(key, certificate)


def _name(of: str) -> "x509.Name":
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, of[:64] or "localhost")])


def _builder(
    subject: "x509.Name", issuer: "x509.Name", key: "CertificatePublicKeyTypes"
) -> "x509.CertificateBuilder":
    from cryptography import x509

    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # A client whose clock is a little slow takes it, too.
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
    )


def _usage(*, signs: bool) -> "x509.KeyUsage":
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=signs,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )


def _pem(key: "PrivateKeyTypes", certificate: "x509.Certificate") -> bytes:
    from cryptography.hazmat.primitives import serialization

    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
