"""Certificates for endpoints, from the sandbox's own certificate authority."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificate:
    """Paths for an engine: certificate with its key in one file, and the authority to verify others by."""

    file: Path
    authority: Path


class Pki:
    """Issues certificates by the given authority, or by one made for this run where none is given."""

    def __init__(self, folder: Path, authority: tuple[Path, Path] | None) -> None:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._folder = folder
        if authority is None:
            self._ca = trustme.CA(organization_name="Sandbox CA")
        else:
            certificate, key = authority
            self._ca = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
        self.authority = folder / "ca.pem"
        self._ca.cert_pem.write_to_path(str(self.authority))

    def issue(self, label: str, *names: str) -> Certificate:
        path = self._folder / f"{label}.pem"
        issued = self._ca.issue_cert(*names)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(issued.private_key_and_cert_chain_pem.bytes())
        return Certificate(path, self.authority)
