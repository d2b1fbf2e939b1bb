"""The self-hosted Redis that the app has: of which kind it is, how it is configured, and the URL that leads to it."""

from __future__ import annotations

import secrets
import shlex
from dataclasses import dataclass, field
from pathlib import Path

from sandbox.places import OLD_PRIMARY, OLD_REDIS, Places, SandboxError
from sandbox.shell import run, tools_bin

KINDS = {
    "plain": "a password, no TLS",
    "tls-self-signed": "TLS alone, by a certificate that nobody signed: the app's URL has ssl_cert_reqs=none",
    "open": "neither a password nor TLS",
    "replica": "a replica, which the app only reads from, and its primary on another instance",
}
NAME, PRIMARY_NAME = "old-redis", "old-redis-primary"  # of the instances; with `.internal` of the hosts
HOST_NAME, PORT = f"{NAME}.internal", 6379

CONF = """bind {address}
bind-source-addr {address}
unixsocket {folder}/admin.sock
unixsocketperm 700
protected-mode no
{asks}
dir {folder}
dbfilename dump.rdb
appendonly yes
appendfsync everysec
save 60 1
maxmemory 256mb
maxmemory-policy noeviction
databases 16
repl-diskless-sync-delay 0
"""
PLAIN = "port 6379\n"
TLS = "port 0\ntls-port 6379\ntls-cert-file {folder}/tls.crt\ntls-key-file {folder}/tls.key\ntls-auth-clients no\n"
FOLLOWING = "port 6379\nreplicaof {primary} 6379\nmasterauth {password}\n"


def new_password() -> str:
    return secrets.token_urlsafe(24)


@dataclass(frozen=True)
class OldRedis:
    """What the app's URL leads to is always the instance old-redis; a replica follows a second one."""

    kind: str = "plain"
    password: str = field(default_factory=new_password, repr=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise SandboxError(f"old Redis {self.kind!r}: use {', '.join(KINDS)}")

    @property
    def asks_for(self) -> str:
        """The password, empty where it asks for none."""
        return "" if self.kind == "open" else self.password

    @property
    def is_replica(self) -> bool:
        return self.kind == "replica"

    @property
    def instances(self) -> dict[str, str]:
        """The address of each instance, in the order in which they are started."""
        return {**({PRIMARY_NAME: OLD_PRIMARY} if self.is_replica else {}), NAME: OLD_REDIS}

    @property
    def url(self) -> str:
        """What the app has in its settings."""
        return self.url_of(0)

    def url_of(self, database: int) -> str:
        who = f":{self.asks_for}@" if self.asks_for else ""
        place = f"{who}{HOST_NAME}:{PORT}/{database}"
        return f"rediss://{place}?ssl_cert_reqs=none" if self.kind == "tls-self-signed" else f"redis://{place}"

    def writable_socket(self, places: Places) -> Path:
        """Where the sandbox itself writes data, past TLS and security groups."""
        return places.old_redis(PRIMARY_NAME if self.is_replica else NAME) / "admin.sock"

    def user_data(self, places: Places) -> dict[str, str]:
        """The service of each instance, whose configuration is written to a file of ours alone."""
        services = {}
        for name, address in self.instances.items():
            folder = places.old_redis(name)
            folder.mkdir(mode=0o700)
            conf = folder / "redis.conf"
            conf.touch(mode=0o600)
            asks = f"requirepass {self.asks_for}" if self.asks_for else ""
            listening = {
                "plain": PLAIN,
                "open": PLAIN,
                "tls-self-signed": TLS,
                "replica": FOLLOWING if name == NAME else PLAIN,
            }
            values = {
                "address": address,
                "folder": folder,
                "password": self.password,
                "asks": asks,
                "primary": OLD_PRIMARY,
            }
            conf.write_text((CONF + listening[self.kind]).format(**values))
            path = f"PATH={shlex.quote(str(tools_bin()))}:$PATH"
            services[name] = f"#!/bin/sh\n{path}\nexec redis-server {shlex.quote(str(conf))}\n"
        if self.kind == "tls-self-signed":
            _sign_itself(places)
        return services


def _sign_itself(places: Places) -> None:
    folder = places.old_redis(NAME)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{folder}/tls.key"]
    name = ["-subj", f"/CN={NAME}.internal", "-days", "365"]
    run(["openssl", "req", "-x509", *key, *name, "-out", f"{folder}/tls.crt"])
