# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which of Redis's commands Memcached has in other words, and which have no counterpart there. Pure."""

from __future__ import annotations

from typing import Iterable, Mapping

# In Redis's words and in Memcached's.
COUNTERPARTS: Mapping[str, str] = {
    "append": "append",
    "decr": "decr, of a number that is there",
    "decrby": "decr, of a number that is there",
    "del": "delete",
    "exists": "get",
    "expire": "touch",
    "expireat": "touch",
    "flushall": "flush_all, of each node",
    "get": "get",
    "getex": "gat",
    "getset": "gets and cas",
    "incr": "incr, of a number that is there",
    "incrby": "incr, of a number that is there",
    "mget": "get of several keys",
    "pexpire": "touch, in whole seconds",
    "psetex": "set, in whole seconds",
    "set": "set, add, replace",
    "setex": "set",
    "setnx": "add",
    "touch": "touch",
    "unlink": "delete",
}

# What a client, a person, monitoring, or a look of ours asks of a server: it says nothing about the app.
_OF_NO_APP = frozenset(
    (
        *("acl", "asking", "auth", "bgrewriteaof", "bgsave", "client", "cluster", "command", "config", "dbsize"),
        *("debug", "echo", "failover", "hello", "info", "lastsave", "latency", "lolwut", "memory", "module", "monitor"),
        *("object", "ping", "psync", "pttl", "quit", "readonly", "readwrite", "replconf", "replicaof", "reset", "role"),
        *("save", "scan", "select", "shutdown", "slaveof", "slowlog", "sync", "time", "type", "wait"),
        *("function|list", "xinfo|groups", "xlen"),
    )
)

_SETS = ("sadd", "srem", "smem", "smis", "sis", "scard", "spop", "srand", "smove", "sinter", "sunion", "sdiff", "sscan")
_MESSAGES = ("publish", "subscribe", "psub", "ssub", "spub", "pubsub", "unsub", "punsub")
# By how their names begin, the first that fits.
_KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("others", ("rename", "random", "restore", "lcs", "keys", "ttl")),
    ("transactions", ("multi", "exec", "discard", "watch", "unwatch")),
    ("scripts", ("eval", "fcall", "script", "function")),
    ("messages", _MESSAGES),
    ("streams", ("x",)),
    ("sorted sets", ("z", "bz", "geo")),
    ("hashes", ("h",)),
    ("sets", _SETS),
    ("lists", ("l", "r", "bl", "br")),
    ("bits and estimates", ("bit", "getbit", "setbit", "pf")),
    ("others", ("",)),
)


def without_counterpart(commands: Iterable[str]) -> list[tuple[str, list[str]]]:
    """Of the commands of a server (as ``config|set``) those that Memcached has no word for, by what they are of."""
    found: dict[str, list[str]] = {}
    for name in sorted(set(commands)):
        word = name.partition("|")[0]
        if word not in COUNTERPARTS and not {word, name} & _OF_NO_APP:
            found.setdefault(_kind_of(word), []).append(name)
    return list(found.items())


def _kind_of(word: str) -> str:
    return next(kind for kind, begins in _KINDS if word.startswith(begins))
