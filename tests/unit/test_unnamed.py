"""What is said of keys by which the app would go on with the old Redis."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import engine
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.unnamed import refusal

from tests.unit.engine_world import OLD, PATH, Held, Host, World

BROKER = {"key": "CELERY_BROKER_URL", "how": "url", "database": 1, "form": "url"}
MADE = {"key": "RESULTS", "how": "hangs", "database": 0}


def look(host, *leads):
    return Look(host, values=({"path": "/opt/shop/.env", "unnamed": list(leads)},))


def test_each_is_named_once_with_its_hosts_and_what_to_paste():
    told = refusal({"app1": look("app1", BROKER, MADE), "app2": look("app2", BROKER), "app3": look("app3")}, ())
    assert "app1, app2: /opt/shop/.env CELERY_BROKER_URL leads there (database 1)." in told
    assert "app1: /opt/shop/.env RESULTS is made of a value that changes." in told
    assert "migration_unmoved_keys: [CELERY_BROKER_URL, RESULTS]" in told
    assert "  CELERY_BROKER_URL: {form: url, database: 1, reader: celery-broker}" in told.splitlines()
    assert not any(line.startswith("  RESULTS") for line in told.splitlines())


def test_parts_are_told_with_their_forms_and_the_words_for_tls():
    parts = {"REDIS_HOST": "host", "REDIS_PORT": "port", "REDIS_SSL": "tls"}
    told = refusal(
        {
            "app1": look(
                "app1", *({"key": key, "how": "part", "form": form, "off": "False"} for key, form in parts.items())
            )
        },
        (),
    )
    assert "app1: /opt/shop/.env REDIS_PORT leads there with others (port)." in told
    assert told.splitlines()[-3:] == [
        "  REDIS_HOST: {form: host}",
        "  REDIS_PORT: {form: port}",
        "  REDIS_SSL: {form: tls, on: 'True', off: 'False'}",
    ]


def test_a_key_that_is_no_plain_name_is_neither_shown_nor_pasted():
    """Whoever may write the file would else write the inventory, by what its owner pastes."""
    evil = {**BROKER, "key": "X: url}\n    migration_check_command: [sh, -c, id]\n#"}
    told = refusal({"app1": look("app1", evil, {**BROKER, "key": "\x1b]0;owned\x07"})}, ())
    assert "migration_check_command" not in told and "\x1b" not in told
    assert told.count("has a key that is no plain name, which leads there") == 2 and "{form: url" not in told


def test_what_is_waived_by_name_is_not_refused():
    looks = {"app1": look("app1", BROKER, MADE)}
    assert refusal(looks, ["CELERY_BROKER_URL", "RESULTS"]) == "" != refusal(looks, ["RESULTS"])


def test_a_run_is_refused_before_anything_is_touched_and_the_way_back_is_not():
    there = World({"app1": Host(Held(OLD))})
    looks = there.looks("cutover")
    [value] = looks["app1"].values
    with_it = {"app1": Look("app1", values=({**value, "path": PATH, "unnamed": [BROKER]},), old=looks["app1"].old)}
    for goal in ("cutover", "migrate", "assess"):
        assert any("CELERY_BROKER_URL" in each for each in engine.plan(there.known(goal), with_it).refusals), goal
    assert not engine.plan(there.known("rollback"), there.looks("rollback")).refusals
