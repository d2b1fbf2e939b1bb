"""Where a sandbox keeps things, and the addresses and names that every sandbox has."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

# A default VPC is 172.31.0.0/16, has its resolver at .2, and so does ours.
GATEWAY = "172.31.0.1"
RESOLVER = "172.31.0.2"
METADATA = "169.254.169.254"  # nobody listens: a client is refused at once instead of waiting for a timeout
ENGINES = "172.31.2.0/23"  # cache nodes 172.31.2.N, and instances that are processes 172.31.3.N
OLD_REDIS = "172.31.3.1"
OLD_PRIMARY = "172.31.3.2"  # of an old Redis that is a replica
REGION = "us-east-1"

APP_PORT = 8000
MIGRATION_NAME = "sandbox"  # as in inventories/sandbox
TOKEN_SECRET = "kempian/sandbox/cache-token"
URL_PARAMETER = "/kempian/sandbox/REDIS_URL"
BACKUP_BUCKET = "kempian-sandbox-backups"


def host_address(number: int) -> str:
    return f"172.31.1.{number}"


class SandboxError(Exception):
    """A sentence for the person who asked for the sandbox."""


def state_root() -> Path:
    return Path(os.environ.get("SANDBOX_STATE") or "~/.local/state/cache-migration").expanduser().absolute()


def cache_root() -> Path:
    return Path(os.environ.get("SANDBOX_CACHE") or "~/.cache/cache-migration").expanduser().absolute()


@dataclass(frozen=True)
class Places:
    """The folders and files of one sandbox."""

    name: str
    root: Path

    @classmethod
    def of(cls, name: str) -> Places:
        # Namespaces and cgroups are found by the prefix `id-`: a dash in a name could claim another's.
        if not (name.isascii() and name.isalnum() and name.islower() and len(name) <= 16):
            raise SandboxError(
                f"sandbox name {name!r}: use 1 to 16 lower-case letters and digits, as it becomes part of host names"
            )
        return cls(name, state_root() / name)

    @property
    def id(self) -> str:
        """Unique on this machine: two state folders may both hold a sandbox of this name."""
        return f"{self.name}-{hashlib.sha256(str(self.root).encode()).hexdigest()[:6]}"

    @property
    def control(self) -> str:
        """The network namespace of the bridge, the resolver, the emulator and the engines."""
        return f"{self.id}-ctl"

    def netns(self, host: str) -> str:
        return f"{self.id}-{host}"

    def host_dir(self, host: str) -> Path:
        return self.root / "hosts" / host

    def dropped(self, host: str) -> Path:
        """There while the host is out of the network, for what reaches it by another way."""
        return self.host_dir(host) / "dropped"

    @property
    def record(self) -> Path:
        return self.root / "sandbox.json"

    @property
    def inventory(self) -> Path:
        """Where inventories/sandbox/hosts finds it."""
        return self.root / "inventory.json"

    @property
    def layer(self) -> Path:
        """What all hosts of this sandbox have above the shared root file system: CA, keys, names, the app."""
        return self.root / "layer"

    @property
    def names(self) -> Path:
        """Files in hosts format that the resolver watches."""
        return self.root / "names"

    @property
    def bin(self) -> Path:
        return self.root / "bin"

    @property
    def ca_certificate(self) -> Path:
        return self.root / "tls" / "ca.crt"

    @property
    def ca_key(self) -> Path:
        return self.root / "tls" / "ca.key"

    @property
    def keys(self) -> Path:
        """The access keys of the emulated AWS."""
        return self.root / "keys.json"

    @property
    def world_order(self) -> Path:
        """What the account is to hold when the emulated AWS is ready, and in `world` the ids of what it holds."""
        return self.root / "order.json"

    @property
    def world(self) -> Path:
        return self.emulator / "world.json"

    @property
    def emulator(self) -> Path:
        return self.root / "aws"

    def old_redis(self, instance: str) -> Path:
        return self.root / instance

    @property
    def logs(self) -> Path:
        return self.root / "log"

    def log(self, program: str) -> Path:
        return self.logs / f"{program}.log"

    def last_words(self, program: str) -> str:
        """The end of a program's log, for a message: a start that fails takes its logs away."""
        path = self.log(program)
        lines = path.read_text(errors="replace").strip().splitlines() if path.exists() else []
        return " | ".join(lines[-3:]) or "it said nothing"

    @property
    def mark(self) -> str:
        """The environment entry that everything started for this sandbox carries."""
        return f"SANDBOX_MARK={self.root}"
