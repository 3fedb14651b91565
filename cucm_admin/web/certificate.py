"""The certificate of the TLS port: a given one, or one of its own, made once and signed by itself."""

import datetime
import ipaddress
import os
import socket
import ssl
from pathlib import Path

from cucm_admin.env import BadSetting

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


def _own(folder: Path) -> tuple[str, str]:
    # One file, so that nobody finds a certificate without its key.
    path = folder / "certificate.pem"
    if not path.exists():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = path.with_suffix(f".{os.getpid()}")
        with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(_make())
        # Of two processes that make one at a time both then use the same.
        try:
            os.link(made, path)
        except FileExistsError:
            pass
        finally:
            made.unlink()
    return str(path), str(path)


def _make() -> bytes:
    """Return a new key and its certificate (PEM) for this machine."""
    # Needed once in five years.
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    host = socket.gethostname()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host[:64] or "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    others = [x509.DNSName(each) for each in dict.fromkeys((host, "localhost")) if each]
    addresses = [x509.IPAddress(ipaddress.ip_address(each)) for each in ("127.0.0.1", "::1")]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A client whose clock is a little slow takes it, too.
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName([*others, *addresses]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ) + certificate.public_bytes(serialization.Encoding.PEM)
