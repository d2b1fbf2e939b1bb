"""ModifyReplicationGroup, as far as it says who may log in: the AUTH token, and user groups."""

from __future__ import annotations

from sandbox.aws.access import Access
from sandbox.aws.clock import now
from sandbox.aws.elasticache import auth_token, rbac_rules, rules
from sandbox.aws.elasticache.admission import access_of
from sandbox.aws.elasticache.state import MODIFYING, REGION, Account, ReplicationGroup
from sandbox.aws.elasticache.work import Work
from sandbox.aws.iam_tokens import Cache
from sandbox.aws.wire import Params

TOKEN = ("AuthToken", "AuthTokenUpdateStrategy")
USERS = ("UserGroupIdsToAdd", "UserGroupIdsToRemove", "RemoveUserGroups")
ACCESS = (*TOKEN, *USERS)


def change(account: Account, work: Work, group: ReplicationGroup, params: Params) -> None:
    """Begin it. From a token to user groups and back goes by one call; else it is the one or the other."""
    if any(name in params for name in USERS):
        _change_user_groups(account, work, group, params)
        return
    strategy = params.get("AuthTokenUpdateStrategy", auth_token.ROTATE)
    access = auth_token.access_after(group, params.get("AuthToken"), strategy)
    _begin(account, work, group, access, [])
    group.token_status = {auth_token.ROTATE: "ROTATING", auth_token.SET: "SETTING"}[strategy]


def _change_user_groups(account: Account, work: Work, group: ReplicationGroup, params: Params) -> None:
    wanted = _user_groups_after(account, group, params)
    token, strategy = params.get("AuthToken"), params.get("AuthTokenUpdateStrategy")
    if wanted and group.access.digests and strategy != auth_token.DELETE:
        raise rules.combination("With an AUTH token user groups need AuthTokenUpdateStrategy DELETE.")
    if wanted and token:
        raise rules.combination("AuthToken and user groups exclude each other.")
    if token:
        if strategy != auth_token.SET:
            raise rules.combination("Where user groups go, AuthToken needs AuthTokenUpdateStrategy SET.")
        _begin(account, work, group, auth_token.the_only(token), wanted)
    else:
        _begin(account, work, group, access_of(account.rbac, wanted, Cache(group.id, REGION)), wanted)
    group.user_groups_wanted = wanted


def _user_groups_after(account: Account, group: ReplicationGroup, params: Params) -> list[str]:
    added = [account.rbac.group(name) for name in params.get("UserGroupIdsToAdd", [])]
    removed = [account.rbac.group(name).id for name in params.get("UserGroupIdsToRemove", [])]
    if params.get("RemoveUserGroups"):
        removed = list(group.user_groups)
    odd = [name for name in removed if name not in group.user_groups]
    odd += [each.id for each in added if each.id in group.user_groups]
    if odd or not (added or removed):
        raise rules.combination(f"User groups {', '.join(odd)}: no modifications were requested, or none that can be.")
    for each in added:
        rbac_rules.is_active(each)
    kept = [account.rbac.group(name) for name in group.user_groups if name not in removed]
    rbac_rules.attachments([*kept, *added], group.version, group.transit_mode)
    return [each.id for each in (*kept, *added)]


def _begin(account: Account, work: Work, group: ReplicationGroup, access: Access, user_groups: list[str]) -> None:
    def act() -> None:
        try:
            for member in group.started:
                member.running.admit(access)
            work.take_time()
        finally:
            group.token_status, group.user_groups_wanted = "", None
        with account.lock:
            if access.digests:
                group.token_changed = now()
            group.access, group.user_groups = access, user_groups

    work.begin(group, MODIFYING, act)
