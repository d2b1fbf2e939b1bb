# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What each stage needs of IAM: no action that no run needs, and none that a run asks for is left out. Pure.

What a target and a store need is in their rows. A run of each stage is held to this in the sandbox, and to this without
any one of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Iterable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import (
    EVERYTHING,
    OURS,
    Permission,
    Place,
    each,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.on_aws import STORES
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.contract import Target
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.table import DEFAULT, TARGETS

# --- the ledger, and the lock in it ---

_FOLDER = "ssm:{region}:{account}:parameter/cache_migration/{name}"
LEDGER_FOLDER = Place("LedgerFolder", (_FOLDER, f"{_FOLDER}/*"))
LEDGER = Place("Ledger", (f"{_FOLDER}/*",))

_LEDGER = each(LEDGER_FOLDER, {"ssm:GetParametersByPath": "what is known of the migration: its ledger, as a whole"})
_LOCK_LOOK = each(LEDGER, {"ssm:GetParameter": "an entry of the ledger: the lock, and the journal of a value in AWS"})
_LOCK = each(
    LEDGER,
    {
        "ssm:PutParameter": "to keep other runs out (the lock), and to note what was done",
        "ssm:DeleteParameter": "to let go of the lock, and to forget what is no longer so",
    },
)
_LOCK_STAYS = "all is done, and the lock stays until it expires, five minutes later"

# --- the token ---

SECRET = Place("Token", ("secretsmanager:{region}:{account}:secret:{secret}*",))
KEY = Place("Key", ("kms:{region}:{account}:key/{key}",))
_BY_SECRETS = "Secrets Manager makes this call with the caller's permission"

_TOKEN_VALUE = (
    Permission("secretsmanager:GetSecretValue", "the token, which the app and the target are given", SECRET),
    Permission("kms:Decrypt", "a key of your own encrypts the secret", KEY, unseen=_BY_SECRETS),
)
_TOKEN_LOOK = (*each(SECRET, {"secretsmanager:DescribeSecret": "which version of the token is current"}), *_TOKEN_VALUE)
_TOKEN_MAKE = (
    *each(
        SECRET,
        {
            "secretsmanager:CreateSecret": "to make a token (migration_auth_token_generate)",
            "secretsmanager:TagResource": "it has a tag that says whose it is; AWS asks for this with the creation",
        },
    ),
    Permission("kms:GenerateDataKey", "a key of your own encrypts the secret", KEY, unseen=_BY_SECRETS),
)
_TOKEN_ROTATE = (
    *each(
        SECRET,
        {
            "secretsmanager:PutSecretValue": "to put a new token beside the current one",
            "secretsmanager:UpdateSecretVersionStage": "to make it the current one, when it alone is valid",
        },
    ),
    Permission("kms:GenerateDataKey", "a key of your own encrypts the secret", KEY, unseen=_BY_SECRETS),
)

# --- the way to the target ---

_GROUPS = "ec2:{region}:{account}:security-group/*"
_OUR_GROUPS = Place("WayOurs", (_GROUPS,), (OURS,))
_WAY_LOOK = each(EVERYTHING, {"ec2:DescribeSecurityGroups": "the target's security group, and who is let in"})
_WAY_MAKE = (
    Permission(
        "ec2:CreateSecurityGroup",
        "to make the security group of the target",
        Place("WayNew", (_GROUPS, "ec2:{region}:{account}:vpc/*")),
    ),
    Permission(
        "ec2:CreateTags",
        "it has a tag that says whose it is; EC2 asks for this with the creation, and takes tags with it alone",
        Place(
            "WayNewTags",
            (_GROUPS,),
            (
                ("StringEquals", "ec2:CreateAction", "CreateSecurityGroup"),
                ("StringEquals", "aws:RequestTag/cache_migration:name", "{name}"),
            ),
        ),
    ),
)
_WAY_OPEN = each(_OUR_GROUPS, {"ec2:AuthorizeSecurityGroupIngress": "to let the app in"})
_WAY_CLOSE = each(
    _OUR_GROUPS,
    {
        "ec2:RevokeSecurityGroupIngress": "to shut the app out (migration_rollback_close_ingress)",
        "ec2:DeleteSecurityGroup": "to take the group away with the target (migration_rollback_delete_target)",
    },
)

# --- the old Redis ---

_INSTANCE = Place("OldInstance", ("ec2:{region}:{account}:instance/{instance}",))
_INSTANCE_LOOK = each(
    EVERYTHING,
    {
        "ec2:DescribeInstances": "the instance of the old Redis: its state, and by which addresses it is known",
        "ec2:DescribeInstanceAttribute": "whether it is protected against a stop or its end",
    },
)
_INSTANCE_START = each(_INSTANCE, {"ec2:StartInstances": "to bring the old Redis back"})
_INSTANCE_END = each(
    _INSTANCE,
    {
        "ec2:StopInstances": "to stop it, when its backup is proven",
        "ec2:TerminateInstances": "to end it, when it was held (migration_decommission_terminate)",
    },
)
_BACKUP = Place("LastBackup", ("s3:::{bucket}/cache_migration/{name}/*",))
_BY_S3 = "S3 makes this call with the caller's permission"
_BACKUP_TAKE = (
    *each(
        _BACKUP,
        {
            "s3:PutObject": "to store the last backup; a host uploads it by a URL that the controller signed",
            "s3:GetObject": "to read it again: it is loaded once, and looked for before the instance ends",
        },
    ),
    Permission(
        "s3:ListBucket",
        "S3 says that an object is not there only to whoever may list the bucket",
        Place("LastBackupBucket", ("s3:::{bucket}",)),
    ),
    Permission("kms:GenerateDataKey", "a key of your own encrypts the backup", KEY, unseen=_BY_S3),
    Permission("kms:Decrypt", "the same, to read it", KEY, unseen=_BY_S3),
)

# --- rows ---

_VALUES_LOOK = tuple(one for row in STORES.values() for one in row.look)
_VALUES_BACK = tuple(one for row in STORES.values() for one in row.write)
_VALUES_WRITE = (*(one for row in STORES.values() for one in row.record), *_VALUES_BACK)


def _told(permissions: Iterable[Permission], without: str) -> tuple[Permission, ...]:
    """The same, where a run goes on without them and says so."""
    return tuple(replace(one, without=one.without or without) for one in permissions)


def _once(*groups: Iterable[Permission]) -> tuple[Permission, ...]:
    """Each row once, with all its reasons; where one of them ends a run, it does."""
    rows: dict[tuple[str, Place], Permission] = {}
    for one in (one for group in groups for one in group):
        known = rows.get(one.row)
        if known is None:
            rows[one.row] = one
        else:
            why = known.why if one.why in known.why.split("; ") else f"{known.why}; {one.why}"
            without = known.without if known.without and one.without else ""
            rows[one.row] = replace(known, why=why, without=without)
    return tuple(rows.values())


_SAYS = "the run goes on, and names it as what it could not see"
_GOES_BACK = "the hosts are put back as far as the old Redis answers, and what could not be asked stays as it is"
_STAYS = "that part stays, and what does not hang on it is taken down"
_HOLD = (_LOCK[0], replace(_LOCK[1], without=_LOCK_STAYS))

_COMPARE = (
    *_told(
        each(EVERYTHING, {"pricing:GetProducts": "what the services cost that an app can move to"}),
        "AWS's public price list is read, else the dated part of it that the collection has, and it is said which",
    ),
    *_told(
        each(
            EVERYTHING,
            {
                "ec2:DescribeInstances": "what the old instance is, to say what it costs",
                "ec2:DescribeVolumes": "the same, of its volumes",
            },
        ),
        "it is said that the cost of the old instance is not known",
    ),
)


def stages_of(row: Target) -> Mapping[str, tuple[Permission, ...]]:
    """What a migration to it needs, by the stage's name, which is its playbook's; ``plan`` is migrate.yml with
    ``--check``.
    """
    target = row.actions
    look = (*_LOCK_LOOK, *_LEDGER, *target.look, *_TOKEN_LOOK)
    assess = _once(look, _VALUES_LOOK)
    provision = _once(look, _WAY_LOOK, target.plan, _HOLD, _TOKEN_MAKE, _WAY_MAKE, target.make)
    ingress = _once(look, _WAY_LOOK, _HOLD, _WAY_OPEN)
    transfer = _once(look, _VALUES_LOOK, _HOLD, target.migrate)
    cutover = _once(look, _VALUES_LOOK, _HOLD, target.migrate, _VALUES_WRITE)

    return {
        "plan": _once(look, _VALUES_LOOK, _WAY_LOOK, target.plan),
        "assess": _once(assess, _COMPARE),
        "provision": provision,
        "ingress": ingress,
        "transfer": transfer,
        "cutover": cutover,
        "migrate": _once(assess, provision, ingress, transfer, cutover),
        "rollback": _once(
            _told((*_LOCK_LOOK, *_LEDGER, *target.look, *_TOKEN_VALUE, *_HOLD), _GOES_BACK),
            _told((*_VALUES_LOOK, *_VALUES_BACK), _GOES_BACK),
            _INSTANCE_LOOK,
            _INSTANCE_START,
            _told((*_WAY_LOOK, *_WAY_CLOSE, *target.delete), _STAYS),
        ),
        "rotate": _once(look, _VALUES_LOOK, _HOLD, _TOKEN_ROTATE, target.token, _VALUES_WRITE),
        "state": _told(_once(_LOCK_LOOK, _LEDGER, target.look, target.tell, _VALUES_LOOK), _SAYS),
        "decommission": _once(
            _LOCK_LOOK,
            _LEDGER,
            target.look,
            _INSTANCE_LOOK,
            _HOLD,
            _BACKUP_TAKE,
            _INSTANCE_END,
        ),
        "inventory": each(
            EVERYTHING, {"ec2:DescribeInstances": "an inventory of the plugin aws_ec2 finds the app's hosts"}
        ),
    }


BY_SERVICE: Mapping[str, Mapping[str, tuple[Permission, ...]]] = {
    service: stages_of(row) for service, row in TARGETS.items()
}
STAGES = BY_SERVICE[DEFAULT.service]
