"""What the words of servers mean, in the wording of several versions."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.failures import from_server, of_the_app
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import parse_url

PARTS = parse_url("rediss://:hunter2-hunter2@cache.example:6379/3")


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("WRONGPASS invalid username-password pair or user is disabled.", "auth_wrong"),
        ("ERR invalid password", "auth_wrong"),  # Redis 5
        ("NOAUTH invalid username-password pair or user is disabled.", "auth_wrong"),  # through redis-py
        ("NOAUTH Authentication required.", "auth_wanted"),
        ("NOAUTH HELLO must be called with the client already authenticated", "auth_wanted"),
        ("ERR Client sent AUTH, but no password is set", "auth_not_configured"),  # Redis 5
        (
            "ERR AUTH <password> called without any password configured for the default user. Are you sure your "
            "configuration is correct?",
            "auth_not_configured",
        ),
        ("NOPERM this user has no permissions to run the 'set' command", "no_permission"),
        ("MOVED 3999 127.0.0.1:6381", "cluster_redirect"),
        ("ERR MOVED 7572 shop-x.serverless.euw1.cache.amazonaws.com:6379", "cluster_redirect"),  # a serverless cache
        ("CLUSTERDOWN Hash slot not served", "cluster_redirect"),
        ("ERR SELECT is not allowed in cluster mode", "cluster_redirect"),
        ("ERR DB index is out of range", "database_out_of_range"),
        ("ERR invalid DB index", "database_out_of_range"),
        ("READONLY You can't write against a read only replica.", "read_only_replica"),
        ("LOADING Redis is loading the dataset in memory", "loading"),
        ("OOM command not allowed when used memory > 'maxmemory'.", "out_of_memory"),
        ("MISCONF Redis is configured to save RDB snapshots", "server_error"),
    ],
)
def test_each_answer_has_its_kind_and_a_remedy(said, kind):
    found = from_server(PARTS, said)
    assert found.kind == kind
    assert found.remedy.endswith(".") and "cache.example:6379" in found.found


def test_a_server_that_quotes_the_password_is_not_quoted():
    found = from_server(PARTS, "ERR unknown command 'AUTH', with args beginning with: 'hunter2-hunter2'")
    assert "hunter2" not in found.sentence and "***" in found.found


@pytest.mark.parametrize("said", ["WRONGPASS no", "NOAUTH Authentication required.", "ERR AUTH but no password is set"])
def test_of_the_apps_own_url_the_remedy_is_there_and_not_in_the_secret_of_the_target(said):
    found = from_server(PARTS, said)
    assert "migration_auth_token_secret" in found.remedy
    told = of_the_app(found)
    assert "the URL that the app uses" in told.remedy and "auth_token" not in told.remedy
    assert (told.kind, told.found) == (found.kind, found.found)


def test_what_is_not_about_a_password_is_said_of_every_url_alike():
    found = from_server(PARTS, "LOADING Redis is loading the dataset in memory")
    assert of_the_app(found) == found
