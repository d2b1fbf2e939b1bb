"""The sandbox's own certificate authority, and how its hosts come to trust it."""

from __future__ import annotations

from pathlib import Path

import trustme

from sandbox.places import Places
from sandbox.shell import run

SYSTEM_BUNDLE = Path("etc/ssl/certs/ca-certificates.crt")


def make_authority(places: Places) -> None:
    authority = trustme.CA(organization_name="Sandbox", organization_unit_name=places.id)
    places.ca_key.parent.mkdir(mode=0o700)
    places.ca_certificate.write_bytes(authority.cert_pem.bytes())
    places.ca_key.touch(mode=0o600)
    places.ca_key.write_bytes(authority.private_key_pem.bytes())


def trust_authority(places: Places, tree: Path) -> None:
    """Add the CA to the layer above `tree` as update-ca-certificates would: in the bundle, by hash, and as a source."""
    certificate = places.ca_certificate.read_text()
    system = tree / SYSTEM_BUNDLE
    bundle = places.layer / SYSTEM_BUNDLE
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_text((system.read_text() if system.exists() else "") + certificate)
    source = places.layer / "usr/local/share/ca-certificates/sandbox.crt"
    source.parent.mkdir(parents=True, exist_ok=True)
    source.write_text(certificate)
    (bundle.parent / "sandbox.pem").write_text(certificate)
    subject = run(["openssl", "x509", "-hash", "-noout", "-in", str(places.ca_certificate)]).stdout.strip()
    (bundle.parent / f"{subject}.0").symlink_to("sandbox.pem")
