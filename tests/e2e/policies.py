"""Runs whose identity has the IAM policy of their stage, with the names that a sandbox has."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import contextmanager

from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.policy import Names, document
from ansible_collections.kempian.cache_migration.plugins.module_utils.aws.iam.stages import STAGES
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import Permission

from sandbox.aws.asked import ACCOUNT, REGION
from sandbox.places import BACKUP_BUCKET, MIGRATION_NAME, TOKEN_SECRET, URL_PARAMETER
from tests.e2e import world


def names_of(stage, secret: str = TOKEN_SECRET) -> Names:
    return Names(
        name=MIGRATION_NAME,
        region=REGION,
        account=ACCOUNT,
        target=world.GROUP,
        secrets=(secret,),
        parameters=(URL_PARAMETER,),
        bucket=BACKUP_BUCKET,
        instance=world.old_instance(stage.sandbox)["InstanceId"],
    )


@contextmanager
def held_to(stage, permissions: Iterable[Permission], names: Names):
    """Whoever runs playbooks meanwhile may do this and no more."""
    stage.sandbox.policy(document(permissions, names))
    try:
        yield
    finally:
        stage.sandbox.policy(None)


@contextmanager
def of_stage(stage, name: str, secret: str = TOKEN_SECRET):
    with held_to(stage, STAGES[name], names_of(stage, secret)):
        yield


def denied(run) -> list[str]:
    """The permissions that calls of a run asked for and had not."""
    return [call["denied"] for call in run.calls if call.get("denied")]
