# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How the app logs in to the target: the options of that, beneath the target's heading."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.option import Option
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import LOGS_IN

LOGIN = (
    Option(
        "auth_token_secret",
        "The secret in Secrets Manager that holds the AUTH token. Left empty, the target has no AUTH.",
        stages=LOGS_IN,
    ),
    Option(
        "auth_token_secret_key",
        "The key that holds the token, where that secret is a JSON object. Left empty, the secret is it. "
        "What this names is never written.",
        stages=LOGS_IN,
    ),
    Option(
        "auth_token_generate",
        "Make that secret, with a generated token, where it does not exist.",
        "bool",
        False,
        stages=("provision", "ingress", "transfer", "cutover"),
    ),
    Option(
        "auth_token_new",
        "Make a new token; for one run, by C(-e).",
        "bool",
        False,
        stages=("rotate",),
        asked=("rotate",),
        for_one_run=True,
    ),
    Option(
        "username",
        "The user that the app logs in as (RBAC), in place of a token; O(migration_auth_token_secret) holds "
        "its password then. It is made, with a group of users that the target is given, unless "
        "O(migration_user_group_ids), O(migration_user_group_id) or O(migration_acl_name) names one that is "
        "there. Left empty, C(default).",
        stages=LOGS_IN,
    ),
    Option(
        "authentication_mode",
        "How O(migration_username) logs in. Left empty, by the password in O(migration_auth_token_secret). "
        "With C(iam) by a token that the app makes of its credentials, which lasts 15 minutes: no secret is "
        "named then, the app reads parts of the endpoint and no URL, and O(migration_app_ready_for) says that "
        "it can.",
        choices=("", "iam"),
        stages=LOGS_IN,
    ),
    Option(
        "user_group_ids",
        "The user group of a replication group, whose users stand in place of a token, as a list of one. "
        "O(migration_username) says which user the app is, and O(migration_auth_token_secret) holds its "
        "password. Left empty, C(<name>-cache) with that user, which are made.",
        "list",
        [],
        elements="str",
        stages=LOGS_IN,
    ),
    Option(
        "user_group_id",
        "The user group of a serverless cache, as O(migration_user_group_ids) of a replication group.",
        stages=LOGS_IN,
    ),
)
