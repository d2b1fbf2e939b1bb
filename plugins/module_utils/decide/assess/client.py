# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What of the app would break at a target whose clients must speak another protocol, or log in otherwise. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    MEMCACHED,
    REDIS,
    REDIS_CLUSTER,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import memcached_commands
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import (
    NOTE,
    REFUSE,
    WARN,
    Circumstances,
    Finding,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import Target

OPTION, IAM = "migration_app_ready_for", "iam"

# They may name keys of several slots, which a cluster refuses (CROSSSLOT), and redis-py does not take apart by itself:
# https://redis.io/docs/latest/operate/oss_and_stack/reference/cluster-spec/#implemented-subset
SEVERAL_KEYS = frozenset(
    (
        *(
            "mget",
            "mset",
            "msetnx",
            "rename",
            "renamenx",
            "copy",
            "sort",
            "smove",
            "lmove",
            "blmove",
            "lmpop",
            "blmpop",
        ),
        *(
            "rpoplpush",
            "brpoplpush",
            "blpop",
            "brpop",
            "bzpopmin",
            "bzpopmax",
            "zmpop",
            "bzmpop",
            "xread",
            "xreadgroup",
        ),
        *("sunion", "sunionstore", "sinter", "sinterstore", "sintercard", "sdiff", "sdiffstore"),
        *("zunion", "zunionstore", "zinter", "zinterstore", "zintercard", "zdiff", "zdiffstore", "zrangestore"),
        *("pfmerge", "pfcount", "bitop", "georadius", "geosearchstore", "lcs"),
        *("eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro", "multi", "watch"),
    )
)
# They are of one node alone, so that an answer is not of the whole.
_OF_ONE_NODE = frozenset(("keys", "dbsize", "randomkey", "flushdb", "flushall", "script|load", "function|load"))
_CHANNELS = frozenset(("publish", "subscribe", "psubscribe"))


@dataclass(frozen=True)
class Client:
    """Of one protocol: the client that it needs, what one made by redis.from_url meets there, what else of what the old
    Redis has served breaks whatever the client, and what to do.
    """

    name: str
    meets: str
    breaks: Callable[[Source, Target], list[str]]
    remedy: str


def _breaks_on_cluster(source: Source, target: Target) -> list[str]:
    """As sentences."""
    asked = set(source.commands)
    found = []
    if several := sorted(asked & SEVERAL_KEYS):
        found.append(
            f"Of the commands that the old Redis has served, {', '.join(several)} may name keys of several slots, "
            "which is refused (CROSSSLOT): such keys need a hash tag in common ({cart:7}:items), or calls of their own."
        )
    if alone := sorted(name.replace("|", " ") for name in asked & _OF_ONE_NODE):
        found.append(f"Of one node alone speaks each answer to {', '.join(alone)}.")
    if source.keyspace_events:
        found.append("Events of keys are told by the node alone that has the key.")
    if asked & _CHANNELS:
        found.append("Messages of channels go through every node, so that load on them does not spread.")
    return found


def _breaks_on_memcached(source: Source, target: Target) -> list[str]:
    """As sentences."""
    found = []
    if lacking := memcached_commands.without_counterpart(source.commands):
        listed = "; ".join(f"{what}: {', '.join(name.replace('|', ' ') for name in names)}" for what, names in lacking)
        found.append(f"Of the commands that the old Redis has served, these have no counterpart there ({listed}).")
    if kinds := sorted({group.type for group in source.key_groups} - {"string"}):
        found.append(f"The old Redis holds keys of the types {', '.join(kinds)}, which it does not have.")
    if forever := sum(group.without_ttl for group in source.key_groups):
        found.append(
            f"At least {forever} keys have no end: there every key may go at any time, to make room or with its node."
        )
    if source.keyspace_events:
        found.append("It tells no events of keys.")
    return found


CLIENTS: Mapping[str, Client] = {
    REDIS_CLUSTER: Client(
        "a client of the cluster protocol, as redis.cluster.RedisCluster",
        "A client that redis.from_url makes fails there for every key that is on another node (MOVED). SELECT of "
        "another database than those that it serves is refused, CONFIG is not served, and CLIENT LIST tells at most of "
        "one node.",
        _breaks_on_cluster,
        "Let the app make its client by redis.cluster.RedisCluster.from_url (redis-py 4.1 or later) where a setting of "
        "its own says so, as REDIS_CLUSTER (in migration_values with added: true)",
    ),
    MEMCACHED: Client(
        "a client of Memcached, as pymemcache",
        "A client that redis.from_url makes does not understand a word there. It keeps plain values alone: no lists, "
        "sets, hashes, streams, channels, scripts or transactions, and no data over a restart.",
        _breaks_on_memcached,
        "Let the app use a client of Memcached where its URL begins with memcached:// (with TLS memcacheds://), which "
        "a key of the form url gets; parts and words that it reads for that may stand beside it (in migration_values "
        "with added: true)",
    ),
}


def of(source: Source, target: Target, stated: Circumstances) -> Iterator[Finding]:
    """Of each old Redis: whether its app gets on with the target's protocol."""
    yield from _queues(source, target)
    client = CLIENTS.get(target.protocol)
    if client is None:
        yield from _ready_for_another(target, stated)
        return
    breaks = client.breaks(source, target)
    if target.protocol not in stated.ready_for:
        yield not_ready(target.protocol, breaks)
    elif breaks:
        yield Finding(
            WARN,
            "commands of the client",
            f"The app is ready for {target.protocol}, as {OPTION} says.",
            " ".join(breaks),
            "Check that the app does none of this, or does it as the target takes it.",
        )


def _ready_for_another(target: Target, stated: Circumstances) -> Iterator[Finding]:
    """What is made for a cluster or for Memcached fails at one node of Redis."""
    others = " and ".join(protocol for protocol in stated.ready_for if protocol in CLIENTS)
    if others:
        yield Finding(
            WARN,
            "client",
            f"{OPTION} is {others}, and the target speaks {target.protocol}.",
            f"A client that speaks {others} alone fails there.",
            "Check that the app makes its client by redis.from_url as before, and that no key of migration_values "
            f"tells it otherwise; or take {OPTION} out.",
        )


def not_ready(protocol: str, breaks: list[str]) -> Finding:
    """For a protocol of CLIENTS."""
    client = CLIENTS[protocol]
    return Finding(
        REFUSE,
        "client",
        f"The target speaks {protocol}, which needs {client.name}, and nobody has said that the app has it.",
        " ".join([client.meets, *breaks]),
        f"{client.remedy}, and state it then: {OPTION}: {protocol}.",
    )


def unready(endpoint: Mapping[str, object], ready_for: Sequence[str]) -> str:
    """The same as a sentence for a run that assesses nothing; empty where the app is ready."""
    protocol = str(endpoint.get("protocol"))
    found = [not_ready(protocol, [])] if protocol in CLIENTS and protocol not in ready_for else []
    found += [_no_login()] if endpoint.get("auth") == IAM and IAM not in ready_for else []
    return " ".join(["Nothing was changed.", *(one.sentence for one in found)]) if found else ""


def _queues(source: Source, target: Target) -> Iterator[Finding]:
    """What a library of queues does not run on, whatever the app's own client is."""
    names = " and ".join(source.queue_libraries)
    if not names:
        return
    found = f"The old Redis has keys of {names}."
    if target.protocol != REDIS:
        one = len(source.queue_libraries) == 1
        yield Finding(
            REFUSE,
            "queues",
            found,
            f"{names} {'does' if one else 'do'} not run on a target that speaks {target.protocol}: "
            f"{'it wants' if one else 'they want'} one node with all keys, and transactions or scripts over several "
            "of them.",
            "Take a target that speaks redis (a replication group with cluster mode disabled), for the queues at "
            "least. Keys that nobody uses any more are to be deleted first.",
        )
    if target.maxmemory_policy != "noeviction":
        yield Finding(
            WARN,
            "queues",
            found,
            f"The target's maxmemory-policy {target.maxmemory_policy} evicts keys once it is full, and jobs may be "
            "among them.",
            "Set maxmemory-policy: noeviction in migration_parameters, and an alarm on its memory.",
        )


def login(target: Target, stated: Circumstances) -> Iterator[Finding]:
    if target.auth != IAM:
        return
    if IAM not in stated.ready_for:
        yield _no_login()
        return
    yield Finding(
        NOTE,
        "login",
        f"The app logs in by IAM, and is ready for it, as {OPTION} says.",
        _BY_IAM,
        "Check that each host's role has what it takes, as a probe asks with the controller's.",
    )


def _no_login() -> Finding:
    return Finding(
        REFUSE,
        "login",
        "The target's user logs in by IAM, and nobody has said that the app can.",
        f"A client that redis.from_url makes has no password to send. {_BY_IAM}",
        f"{_FOR_IAM}, and state it then, beside what else the app is ready for: {OPTION}: [{IAM}].",
    )


# https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
_BY_IAM = (
    "No password stands in a setting: the app makes one of its credentials before each connection, a signed request "
    "over TLS that is valid for 15 minutes, and is connected for 12 hours at most before it must log in again."
)
_FOR_IAM = (
    "Give redis-py a credential_provider that signs as botocore's RequestSigner does, for the name of the cache and "
    "for the user, whose id and name are one. Give the role of the app's hosts, and for its probe that of the "
    "controller, the action elasticache:Connect (memorydb:Connect) on the cache and the user. Name host, port and "
    "username by their forms in migration_values, not a url"
)
