"""AWS's own names, led to an emulator: so that nobody need be told of its end point.

A program sees a list of hosts of its own (a mount namespace, which takes root), in which the names
stand for a loopback address, and trusts an authority of our own that vouches for what answers.
"""

import datetime
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

import boto3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

SERVICES = (
    *("batch", "budgets", "cloudformation", "ec2", "ecr", "events", "iam", "imagebuilder", "logs"),
    *("s3", "service-quotas", "sns", "ssm", "sts"),
)
_DAY = datetime.timedelta(days=1)


def why_not() -> str | None:
    """Return why names can't be led elsewhere here; None if they can."""
    if shutil.which("unshare") is None:
        return "there is no unshare to give a program hosts of its own"
    tried = subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True)
    return "hosts of its own are given to a program by root only" if tried.returncode else None


class Names:
    """AWS's names of one Region and some buckets, for the programs started by `command`.

    Attributes
    ----------
    environment
        Variables by which boto3 and obstore trust what answers.
    options
        Of an emulator that is to answer.
    """

    def __init__(self, folder: Path, region: str, buckets: Iterable[str]) -> None:
        address = f"127.{secrets.randbelow(200) + 2}.{secrets.randbelow(250)}.1"
        endpoints = [boto3.client(each, region_name=region).meta.endpoint_url for each in SERVICES]
        names = [str(urlsplit(endpoint).hostname) for endpoint in endpoints]
        names += [f"{bucket}.s3.{region}.amazonaws.com" for bucket in buckets]
        self._hosts = folder / "hosts"
        ours = "".join(f"{address} {name}\n" for name in names)
        self._hosts.write_text(Path("/etc/hosts").read_text(encoding="utf-8") + ours)
        authority, certificate = folder / "authority.pem", folder / "names.pem"
        _write_certificates(authority, certificate, names)
        self.environment = {"AWS_CA_BUNDLE": str(authority), "SSL_CERT_FILE": str(authority)}
        told = [word for pair in self.environment.items() for word in ("--env", "=".join(pair))]
        served = ["--tls-address", address, "--tls-certificate", str(certificate)]
        self.options = [*served, *told]

    def command(self, words: Sequence[str]) -> list[str]:
        """Return a command that runs another one with these hosts."""
        script = 'mount --bind "$0" /etc/hosts && exec "$@"'
        return ["unshare", "--mount", "sh", "-c", script, str(self._hosts), *words]


def _write_certificates(authority: Path, server: Path, names: Sequence[str]) -> None:
    """Write the certificate of an authority, and key and certificate that it gave a server."""
    own_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Authority of a test")])
    root = _certificate(issuer, issuer, own_key.public_key()).add_extension(
        x509.BasicConstraints(ca=True, path_length=0), critical=True
    )
    authority.write_bytes(_pem(root.sign(own_key, hashes.SHA256())))
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "amazonaws.com")])
    vouched = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    given = _certificate(subject, issuer, key.public_key()).add_extension(vouched, critical=False)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    server.write_bytes(secret + _pem(given.sign(own_key, hashes.SHA256())))
    server.chmod(0o600)


def _certificate(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return x509.CertificateBuilder(
        issuer,
        subject,
        key,
        x509.random_serial_number(),
        now - _DAY,
        now + _DAY,
    )


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def own_environment() -> dict[str, str]:
    """Return the variables of this process without those of AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
