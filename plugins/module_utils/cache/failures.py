# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Why a cache cannot be used, and what to do about it: one failure for each cause that an operator can mend. Pure.

The wording of servers: Redis 5 to 7, Valkey, and the caches of AWS, which answer as they do.
"""

from __future__ import annotations

import errno
import ssl
from dataclasses import dataclass, replace
from typing import Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import code_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import UrlParts

NOT_REACHED = ("name_does_not_resolve", "timeout", "refused", "unreachable")
KINDS = frozenset(
    (
        *NOT_REACHED,
        *("tls_wanted", "tls_not_spoken", "tls_failed", "certificate"),
        *(
            "connection_lost",
            "no_answer",
            "not_redis",
            "not_memcached",
            "auth_wanted",
            "auth_wrong",
            "auth_not_configured",
        ),
        *("no_permission", "read_only_replica", "not_a_replica", "cluster_redirect", "database_out_of_range"),
        *("loading", "out_of_memory", "not_kept", "not_told", "client_library", "app_interpreter", "server_error"),
        *(
            "no_original",
            "unreadable",
            "not_a_cluster",
            "slots_not_covered",
            "auth_differs",
            "sent_astray",
            "other_nodes",
        ),
    )
)


@dataclass(frozen=True)
class Failure:
    """``kind`` is for programs, ``found`` and ``remedy`` are sentences for people."""

    kind: str
    found: str
    remedy: str

    @property
    def sentence(self) -> str:
        return f"{self.found} {self.remedy}"


class ProbeFailed(Exception):
    """A stage of the probe cannot be passed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.sentence)
        self.failure = failure


# --- before a word is exchanged ---


def unresolved(parts: UrlParts, why: str) -> Failure:
    return Failure(
        "name_does_not_resolve",
        f"The name {parts.host} does not resolve on this host ({why}).",
        "Check the address for a slip; the name of an AWS cache resolves only where the VPC's DNS is asked, so check "
        "/etc/resolv.conf, and enableDnsSupport of the VPC.",
    )


def unconnected(parts: UrlParts, addresses: Sequence[str], error: OSError, seconds: float) -> Failure:
    """What the last of the addresses answered to a connection."""
    where = _where(parts, addresses)
    if isinstance(error, TimeoutError) or "timed out" in str(error):
        return Failure(
            "timeout",
            f"No answer from {where} within {seconds:g} s: packets are dropped on the way, as a security group without "
            "a rule for this host does.",
            f"Open TCP port {parts.port} of the cache's security group to this host: set "
            "migration_app_security_group_ids or migration_app_cidrs and run the ingress stage. Then look at network "
            "ACLs and routes.",
        )
    if error.errno == errno.ECONNREFUSED:
        return Failure(
            "refused",
            f"{where} refuses connections: the host is there, but nothing listens on port {parts.port}.",
            "Check the port, and that the cache runs and listens on this address.",
        )
    return Failure(
        "unreachable",
        f"{where} cannot be reached: {error.strerror or error}.",
        "Check the route from this host's subnet to the cache's, and firewalls on this host.",
    )


def _where(parts: UrlParts, addresses: Sequence[str]) -> str:
    shown = [address for address in addresses if address != parts.host]
    return f"{parts.host}:{parts.port}" + (f" ({', '.join(shown)})" if shown else "")


def sent_astray(parts: UrlParts, told_at: str, address: str) -> Failure:
    """A place that a server names, and that no other host has."""
    where = _where(parts, [address])
    return Failure(
        "sent_astray",
        f"{told_at} names {where} as a node, an address that each host has for itself: no client on another host "
        "reaches the node by it, and nothing was sent there.",
        "Have each node announce an address that other hosts reach (cluster-announce-ip or cluster-announce-hostname "
        "in its configuration).",
    )


# --- TLS ---

_EXPIRED, _NOT_YET_VALID = 10, 9  # X509_V_ERR_*, openssl/x509_vfy.h
_NAME_DIFFERS = (62, 64)  # the name, the address


def certificate(parts: UrlParts, error: ssl.SSLCertVerificationError, names: Sequence[str], trusted: str) -> Failure:
    """``names`` are what the certificate is for, where that is known; ``trusted`` is where CAs were looked for."""
    where = f"{parts.host}:{parts.port}"
    if error.verify_code in _NAME_DIFFERS:
        meant = f" It is for {', '.join(names)}." if names else ""
        return Failure(
            "certificate",
            f"The certificate of {where} is not for the name {parts.host}.{meant}",
            "Use the endpoint's own name as AWS gives it, not an address or a name of your own.",
        )
    if error.verify_code in (_EXPIRED, _NOT_YET_VALID):
        state = "has expired" if error.verify_code == _EXPIRED else "is not valid yet"
        return Failure(
            "certificate",
            f"The certificate of {where} {state} by this host's clock.",
            "Check this host's clock (timedatectl); if it is right, the cache needs a new certificate.",
        )
    return Failure(
        "certificate",
        f"The certificate of {where} is signed by a CA that this interpreter does not trust ({error.verify_message}); "
        f"trusted CAs were read from {trusted}.",
        "Certificates of AWS's caches are signed by Amazon Trust Services: install or update ca-certificates. For a CA "
        "of your own set ca_certs, and SSL_CERT_FILE in the app's environment.",
    )


def tls_wanted(parts: UrlParts) -> Failure:
    return Failure(
        "tls_wanted",
        f"{parts.host}:{parts.port} wants TLS, but the URL begins with {parts.scheme}://, which speaks without it.",
        f"Use {parts.scheme}s:// (endpoint: tls: true).",
    )


def tls_not_spoken(parts: UrlParts) -> Failure:
    return Failure(
        "tls_not_spoken",
        f"{parts.host}:{parts.port} does not speak TLS, but the URL begins with {parts.scheme}://, which wants it.",
        "Switch on transit encryption at the cache (migration_transit_encryption_enabled: true), or use "
        f"{parts.scheme[:-1]}:// (endpoint: tls: false).",
    )


def tls_failed(parts: UrlParts, why: str) -> Failure:
    return Failure(
        "tls_failed",
        f"No TLS connection to {parts.host}:{parts.port} came about: {why}.",
        "Check that this interpreter's OpenSSL knows TLS 1.2 or later, and whether the server asks for a client "
        "certificate (ssl_certfile and ssl_keyfile in the URL).",
    )


# --- the app's own interpreter ---


def app_interpreter(python: str, user: str, why: str) -> Failure:
    who = f" (as the user {user})" if user else ""
    return Failure(
        "app_interpreter",
        f"The app's interpreter {python}{who} gave no answer: {why}.",
        "Check migration_app_python (python) and migration_app_user (user). Without migration_app_python, the client "
        "that comes along asks in its place.",
    )


# --- the value that names the cache ---


def no_original(where: str) -> Failure:
    return Failure(
        "no_original",
        f"There is no way back to prove: {where} leads to the target, or to no cache, and the journal has no original.",
        "Where the app used another Redis before, put its URL there by hand.",
    )


def unreadable(why: str) -> Failure:
    return Failure("unreadable", f"Which Redis the app uses cannot be told: {why}.", "Then run again.")


def of_a_survey(failure: Failure) -> Failure:
    """The same of the old Redis, which another user than the app's may be asked by."""
    if failure.kind != "not_told":
        return failure
    return replace(failure, remedy=f"{failure.remedy} Or have it assessed by another user, by migration_assess_url.")


def of_the_assessment(failure: Failure) -> Failure:
    """The same of a cache that was asked by a URL for that alone."""
    return replace(failure, remedy="It was asked by migration_assess_url: correct that, or leave it out.")


def assessed_elsewhere(asked: UrlParts, used: UrlParts) -> Failure:
    return Failure(
        "unreadable",
        f"migration_assess_url leads to {asked.host}:{asked.port}, and what the app reads on this host to "
        f"{used.host}:{used.port}.",
        "Write the same host and port in it; a host that calls the old Redis by another name states a URL of its own.",
    )


def unreadable_for_assessment(why: str) -> Failure:
    return Failure("unreadable", f"migration_assess_url cannot be read: {why}.", "Correct it, or leave it out.")


# --- what the server answers ---


def not_told(parts: UrlParts, why: str) -> Failure:
    return Failure(
        "not_told",
        f"{parts.host}:{parts.port} does not tell what it holds: {without_secret(why, parts)}.",
        "Let the user in the URL call INFO, CLIENT LIST and SCAN, and raise timeout if it is only slow.",
    )


def endless(parts: UrlParts, seconds: float) -> Failure:
    return Failure(
        "no_answer",
        f"What there is to find out of {parts.host}:{parts.port} was not found out within {seconds:g} s.",
        "Check that a cache listens there, and that the files that the URL's options name are plain files; raise "
        "timeout if it is only slow.",
    )


def lost(parts: UrlParts, why: str) -> Failure:
    return Failure(
        "connection_lost",
        f"{parts.host}:{parts.port} took the connection and then ended it: {why}.",
        "Check the cache's log, and maxclients: a full server ends new connections.",
    )


def silent(parts: UrlParts, seconds: float) -> Failure:
    return Failure(
        "no_answer",
        f"{parts.host}:{parts.port} took the connection, but did not answer within {seconds:g} s.",
        "Check that a cache listens there and is not held up by a slow command; raise timeout if it is only slow.",
    )


def not_redis(parts: UrlParts, why: str) -> Failure:
    return Failure(
        "not_redis",
        f"What listens at {parts.host}:{parts.port} does not speak the Redis protocol: {why}.",
        "Check host and port.",
    )


def not_memcached(parts: UrlParts, why: str) -> Failure:
    return Failure(
        "not_memcached",
        f"What listens at {parts.host}:{parts.port} does not speak Memcached's text protocol: {why}.",
        "Check host and port.",
    )


def replica(parts: UrlParts) -> Failure:
    return Failure(
        "read_only_replica",
        f"{parts.host}:{parts.port} is a read-only replica.",
        "Use the primary endpoint, not a reader endpoint or one node's, which do not follow a failover. Where only "
        "reading is meant, set expected_role: replica.",
    )


def not_a_replica(parts: UrlParts, role: str) -> Failure:
    return Failure(
        "not_a_replica",
        f"{parts.host}:{parts.port} is a {role}, and a replica was expected.",
        "Use the reader endpoint, or set expected_role: primary.",
    )


def cluster(parts: UrlParts, said: str) -> Failure:
    return Failure(
        "cluster_redirect",
        f"{parts.host}:{parts.port} runs in cluster mode ({said}), and redirects a client that is not cluster-aware, "
        "as redis.from_url makes it.",
        "Use a target with cluster mode disabled, or change the app to redis.RedisCluster first.",
    )


def not_a_cluster(parts: UrlParts, said: str) -> Failure:
    return Failure(
        "not_a_cluster",
        f"{parts.host}:{parts.port} is no node of a cluster ({said}), and a client of the cluster protocol, as "
        "redis.RedisCluster, needs one.",
        "Use the configuration endpoint of a target with cluster mode enabled (endpoint: protocol), or let the app use "
        "redis.from_url.",
    )


def auth_differs(parts: UrlParts, taking: Sequence[str], refusing: Sequence[str]) -> Failure:
    return Failure(
        "auth_differs",
        f"Of the nodes of the cluster at {parts.host}:{parts.port}, {', '.join(taking)} take the token (password), and "
        f"{', '.join(refusing)} do not.",
        "Wait until a change of the token has come to all of them, and run again.",
    )


def slots_not_covered(parts: UrlParts, why: str) -> Failure:
    return Failure(
        "slots_not_covered",
        f"The cluster at {parts.host}:{parts.port} does not serve every key: {why}.",
        "Wait until a failover or a change of its shards is over, and run again; look at its events where it stays so.",
    )


def other_nodes(parts: UrlParts, others: Sequence[str]) -> Failure:
    return Failure(
        "other_nodes",
        f"{parts.host}:{parts.port} names nodes that AWS did not name a moment ago: {', '.join(others[:10])}.",
        "Where nodes are being added or replaced, wait until they are and run again; else somebody wrote another list "
        "of nodes there, which the app's client would follow.",
    )


def not_kept(parts: UrlParts) -> Failure:
    return Failure(
        "not_kept",
        f"{parts.host}:{parts.port} took a key, but gave back something else.",
        "Check that the name leads to one server only, and that nothing evicts keys at once (maxmemory).",
    )


def library(parts: UrlParts, name: str, why: str) -> Failure:
    return Failure(
        "client_library",
        f"{parts.host}:{parts.port} answers, but the app's {name} cannot use it: {why}.",
        "Check the options in the URL's query, or install another version of it for the app.",
    )


def from_server(parts: UrlParts, text: str) -> Failure:
    """The failure that an error text of the server means."""
    said = without_secret(text, parts)
    return (
        _of_login(parts, said)
        or _of_place(parts, said)
        or _of_state(parts, said)
        or Failure(
            "server_error",
            f"{parts.host}:{parts.port} answers with an error: {said}.",
            "The words are the server's own; look them up for its version.",
        )
    )


_OF_THE_APP = {
    "auth_wrong": (
        "It is the one in the URL that the app uses: compare that with what its Redis wants (requirepass, or the rule "
        "of the user in its access list), and correct it where the app reads it."
    ),
    "auth_not_configured": ("Take the password out of the URL that the app uses, or give its Redis one (requirepass)."),
    "auth_wanted": "Put it into the URL that the app uses, where the app reads it.",
}


def of_the_app(failure: Failure) -> Failure:
    """The same of a cache whose URL is the app's own: no option of ours has its password."""
    return replace(failure, remedy=_OF_THE_APP.get(failure.kind, failure.remedy))


def _of_login(parts: UrlParts, said: str) -> Failure | None:
    where, lower, code = f"{parts.host}:{parts.port}", said.lower(), code_of(said)
    if code == "WRONGPASS" or "invalid password" in lower or "invalid username-password" in lower:
        of_user = f" of the user {parts.username}" if parts.username else ""
        return Failure(
            "auth_wrong",
            f"{where} says that the token (password){of_user} is wrong.",
            "Compare the secret that migration_auth_token_secret names (auth_token) with the token of the cache; after "
            "a rotation the older one is no longer taken.",
        )
    if "without any password configured" in lower or "no password is set" in lower:
        return Failure(
            "auth_not_configured",
            f"{where} has no password, but a token was given, and a client that sends one is turned away.",
            "Leave the token out (auth_token, migration_auth_token_secret), or set an auth_token on the cache.",
        )
    if code == "NOAUTH" or "authentication required" in lower:
        return Failure(
            "auth_wanted",
            f"{where} wants a token (password), and none was given.",
            "Give it: auth_token (migration_auth_token_secret names the secret that holds it).",
        )
    if code == "NOPERM":
        return no_permission(parts, said)
    return None


def no_permission(parts: UrlParts, said: str, rights: str = "") -> Failure:
    """``rights`` are what its protocol needs beside the app's commands."""
    return Failure(
        "no_permission",
        f"{parts.host}:{parts.port} lets the user {parts.username or 'default'} in, but forbids what an app needs: "
        f"{said}.",
        "Give the user's access string the commands and keys that the app uses "
        f"(~* +@read +@write +@connection{rights}).",
    )


def _of_place(parts: UrlParts, said: str) -> Failure | None:
    where, lower, code = f"{parts.host}:{parts.port}", said.lower(), code_of(said)
    if code in ("MOVED", "ASK", "CLUSTERDOWN", "CROSSSLOT") or "not allowed in cluster mode" in lower:
        return cluster(parts, said)
    if "db index" in lower:
        return Failure(
            "database_out_of_range",
            f"{where} does not have the database {parts.database} that is asked for.",
            "Use a database that it serves (migration_database), or raise the parameter databases in its parameter "
            "group (migration_parameters).",
        )
    return replica(parts) if code == "READONLY" else None


def _of_state(parts: UrlParts, said: str) -> Failure | None:
    where, code = f"{parts.host}:{parts.port}", code_of(said)
    if code == "LOADING":
        return Failure(
            "loading", f"{where} is still loading its data into memory.", "Wait until it has, and run again."
        )
    if code == "OOM":
        return Failure(
            "out_of_memory",
            f"{where} is full: it has reached maxmemory, and its policy evicts nothing that could make room.",
            "Take a larger node type (migration_cache_node_type), or set maxmemory-policy in migration_parameters to "
            "one that evicts, such as allkeys-lru.",
        )
    return None


def without_secret(text: str, parts: UrlParts) -> str:
    """Servers quote the arguments of a command that they do not know, which may be a password."""
    return text.replace(parts.password, "***") if parts.password else text
