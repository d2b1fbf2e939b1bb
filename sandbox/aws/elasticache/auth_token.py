"""What a change of the AUTH token does, by its strategy. Pure."""

from __future__ import annotations

from sandbox.aws.access import Access, digest_of
from sandbox.aws.elasticache import rules
from sandbox.aws.elasticache.state import ReplicationGroup

ROTATE, SET, DELETE = "ROTATE", "SET", "DELETE"
MOST_TOKENS = 2


def access_after(group: ReplicationGroup, token: str | None, strategy: str) -> Access:
    """Who is admitted after the change."""
    if group.user_groups:
        raise rules.combination("An AUTH token and user groups exclude each other.")
    if not group.transit_mode:
        raise rules.combination("An AUTH token needs transit encryption.")
    if strategy == DELETE:
        raise rules.combination("DELETE needs UserGroupIdsToAdd in the same call: a token goes only where RBAC comes.")
    if token is None:
        raise rules.combination(f"AuthTokenUpdateStrategy {strategy} needs AuthToken.")
    rules.token(token)
    digest = digest_of(token)
    if strategy == SET:
        return _set(group, digest)
    return _rotate(group, digest)


def the_only(token: str) -> Access:
    """Where nobody had one before, as it takes the place of user groups."""
    rules.token(token)
    return Access(False, [digest_of(token)])


def _rotate(group: ReplicationGroup, digest: str) -> Access:
    """The new token besides what was good before. Without a token before, access without one stays open until SET."""
    others = [known for known in group.access.digests if known != digest]
    return Access(group.access.is_open, [*others, digest][-MOST_TOKENS:])


def _set(group: ReplicationGroup, digest: str) -> Access:
    """The given token alone; it must be one that a ROTATE has brought, or the one there is."""
    if digest not in group.access.digests:
        raise rules.combination("SET is allowed after a ROTATE with the same token only: call ROTATE first.")
    return Access(False, [digest])
