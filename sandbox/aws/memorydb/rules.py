"""What MemoryDB refuses. Pure: each function looks at values and raises, with AWS's code and a sentence of ours."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.aws.memorydb.catalogue import ENGINES, MAXMEMORY, VERSIONS, Version, find_version, is_tiered
from sandbox.aws.memorydb.state import ACTIVE, AVAILABLE, OPEN_ACCESS, Acl, Cluster
from sandbox.aws.wire import NO_SUCH_PARAMETER, Handler, Params, Refusal, Result
from sandbox.aws.wire import page as page_of_query

MOST_REPLICAS, MOST_SHARDS, MOST_NODES = 5, 500, 90  # the last as a quota, by default
LONGEST_RETENTION = 35

# Codes of rooms that ElastiCache and MemoryDB share.
_IN_ITS_WORDS = {
    "InvalidParameterValue": "InvalidParameterValueException",
    "InvalidParameterCombination": "InvalidParameterCombinationException",
}


def in_its_words(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """The handlers, with MemoryDB's codes for what shared rooms refuse."""

    def answering(answer: Callable[[Params], Result]) -> Callable[[Params], Result]:
        def answered(params: Params) -> Result:
            try:
                return answer(params)
            except Refusal as refusal:
                raise Refusal(_IN_ITS_WORDS.get(refusal.code, refusal.code), refusal.message)

        return answered

    return {name: replace(handler, answer=answering(handler.answer)) for name, handler in handlers.items()}


def page(items: Sequence[Any], params: Params, key: str) -> Result:
    asked = {"MaxRecords": params.get("MaxResults", 50), "Marker": params.get("NextToken", "")}
    answer = page_of_query(items, asked, key, smallest=1)
    return {"NextToken" if name == "Marker" else name: value for name, value in answer.items()}


def value(message: str) -> Refusal:
    return Refusal("InvalidParameterValueException", message)


def combination(message: str) -> Refusal:
    return Refusal("InvalidParameterCombinationException", message)


def not_here(message: str) -> Refusal:
    return Refusal(NO_SUCH_PARAMETER, message)


def name(given: str, what: str, longest: int = 40) -> str:
    """The name as AWS stores it."""
    ok = re.fullmatch(r"[A-Za-z](-?[A-Za-z0-9])*", given) and len(given) <= longest
    if not ok:
        raise value(
            f"{what} {given!r} must begin with a letter, have 1 to {longest} letters, digits and hyphens, no two "
            "hyphens in a row and none at the end."
        )
    return given.lower()


def require_available(cluster: Cluster) -> None:
    if cluster.status != AVAILABLE or cluster.is_busy:
        status = "being updated" if cluster.status == AVAILABLE else cluster.status
        raise Refusal("InvalidClusterStateFault", f"Cluster {cluster.id} must be available for this; it is {status}.")


def node_type(given: str) -> None:
    if given not in MAXMEMORY:
        raise value(f"The node type {given} does not exist or is not offered here.")


def tiering(given: str, data_tiering: bool) -> None:
    if data_tiering != is_tiered(given):
        raise combination("Data tiering is for node types of r6gd, and must be set with them.")


def version(engine: str, label: str) -> Version:
    if engine not in ENGINES:
        raise value(f"Engine {engine!r} is not one of {', '.join(ENGINES)}.")
    found = find_version(engine, label)
    if found is None:
        raise value(f"Cannot find version {label} for {engine}.")
    return found


def engine_change(now: Version, wanted: Version) -> None:
    if now.engine == "valkey" and wanted.engine == "redis":
        raise combination("Valkey cannot become Redis OSS in place.")
    if wanted.number < now.number:
        raise combination(f"Cannot downgrade from {now.full} to {wanted.full}.")


def shards(count: int) -> None:
    if not 1 <= count <= MOST_SHARDS:
        raise value(f"The number of shards must be between 1 and {MOST_SHARDS}, not {count}.")


def replicas(count: int) -> None:
    if not 0 <= count <= MOST_REPLICAS:
        raise value(f"The number of replicas must be between 0 and {MOST_REPLICAS}, not {count}.")


def nodes(count: int) -> None:
    if count > MOST_NODES:
        raise Refusal("NodeQuotaForClusterExceededFault", f"A cluster has at most {MOST_NODES} nodes, not {count}.")


def port(number: int) -> None:
    if not 1 <= number <= 65535:
        raise value(f"Port must be between 1 and 65535, not {number}.")


def retention(days: int) -> None:
    if not 0 <= days <= LONGEST_RETENTION:
        raise value(f"SnapshotRetentionLimit must be between 0 and {LONGEST_RETENTION} days, not {days}.")


def topic(arn: str) -> None:
    if not re.fullmatch(r"arn:aws:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]+", arn):
        raise value(f"SnsTopicArn {arn!r} is not the ARN of a topic.")


def acl(of: Acl, tls: bool) -> None:
    if of.name != OPEN_ACCESS and not tls:
        raise combination(f"ACL {of.name} needs TLS; without TLS a cluster has the ACL {OPEN_ACCESS}.")
    if of.status != ACTIVE:
        raise Refusal("InvalidACLStateFault", f"ACL {of.name} must be active; it is {of.status}.")


def parameter_group_family(family: str, wanted: Version) -> None:
    if family != wanted.family:
        raise combination(f"Expected a parameter group of family {wanted.family} but found one of family {family}.")


def families() -> list[str]:
    return list(dict.fromkeys(known.family for known in VERSIONS))
