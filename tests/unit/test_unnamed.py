"""What is said of keys by which the app would go on with the old Redis."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Migration
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import engine
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.unnamed import NOTHING, proposal, refusal
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv import text
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.leads import caches

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


# --- where nothing is named ---

APPS = {
    app["app"]: app
    for app in yaml.safe_load((pathlib.Path(__file__).resolve().parents[2] / "docs/apps.yml").read_text())
}


def finding(files, elsewhere=(), host="app1", values=()):
    """A host whose look found what leads to a Redis in these files."""
    told = [{path: [lead.as_dict() for lead in each] for path, each in one.items()} for one in caches(files)]
    return {host: Look(host, values=tuple(values), found={"caches": told, "elsewhere": list(elsewhere)})}


def pasted(told):
    """What of it is YAML, as a person would paste it; it is nothing where it does not pass the check of the options."""
    lines = told.partition("migration_values:\n")[2].splitlines()
    end = next((number for number, line in enumerate(lines) if not line.startswith(" ")), len(lines))
    values = yaml.safe_load("\n".join(["migration_values:", *lines[:end]]))["migration_values"]
    return {value.address: value for value in Migration.from_settings({"values": values or []}).own}


def test_the_whole_option_is_proposed_for_all_files_of_all_hosts():
    celery = {"REDIS_URL": "redis://:hunter2@old/0", "CELERY_BROKER_URL": "redis://old/1", "SESSIONS": "redis://two/0"}
    parts = {"REDIS_HOST": "old", "REDIS_SSL": "False", "CHANNELS": '["old:6379"]'}
    told = proposal(
        {**finding({"/opt/shop/.env": celery, "/etc/default/shop": parts}), **finding({"/b": celery}, host="app2")}
    )
    assert told.startswith(f"{NOTHING}. By what the services read it would be:\nmigration_values:\n")
    found = pasted(told)
    assert list(found) == ["/opt/shop/.env", "/etc/default/shop", "/b"]
    broker = found["/opt/shop/.env"].keys["CELERY_BROKER_URL"]
    assert (broker.form, broker.database, broker.reader) == ("url", 1, "celery-broker")
    assert {key: form.form for key, form in found["/etc/default/shop"].keys.items()} == {
        "REDIS_HOST": "host",
        "REDIS_SSL": "tls",
    }
    assert "app1: /opt/shop/.env SESSIONS leads to another Redis, which a migration of its own moves" in told
    assert "app1: /etc/default/shop CHANNELS has its address within: give it a template" in told
    assert "hunter2" not in told


def test_what_no_file_holds_is_named_with_its_service_and_where_to_put_it():
    told = proposal(finding({}, [{"service": "worker", "key": "REDIS_URL"}, {"service": "web", "key": "a\nb"}]))
    assert (
        "no .env file was found by migration_services that leads to a Redis: say what the app reads, as [{store: dotenv"
        in told
    )
    assert "app1: worker has REDIS_URL in its environment, and in no .env file" in told
    assert "web has a key that is no plain name in its environment" in told


def test_names_that_yaml_reads_otherwise_stay_what_they_are():
    files = {
        "/f": {"ON": "redis://old/0", "no": "redis://old/1", "B C": "redis://old/2"},
        "/h": {"REDIS_HOST X": "old"},
    }
    found = pasted(proposal(finding(files)))
    assert list(found) == ["/f"] and list(found["/f"].keys) == ["ON", "no"]


@pytest.mark.parametrize(
    "evil",
    [
        '/srv/x\n    keys: {A: url}\nmigration_check_command: "id"/.env',
        "/tmp/{{ lookup('pipe', 'id') }}/.env",
        "/tmp/{%x%}/.env",
        "/tmp/a b/.env",
    ],
)
def test_a_path_that_a_stranger_chose_is_never_pasted(evil):
    """Whoever may start a process in a folder would else write the inventory, or run what Jinja may."""
    told = proposal(finding({evil: {"REDIS_URL": "redis://old/0"}, "/f": {"REDIS_URL": "redis://old/0"}}))
    assert list(pasted(told)) == ["/f"]
    assert evil not in told and "a path that is no plain name REDIS_URL" in told


def test_parts_without_a_host_that_can_be_pasted_are_no_entry():
    part = {"key": "REDIS_PORT", "how": "part", "form": "port"}
    look = Look("app1", found={"caches": [{"/f": [{**part, "key": "REDIS HOST", "form": "host"}, part]}]})
    told = proposal({"app1": look})
    assert "migration_values:\n" not in told and "app1: /f REDIS_PORT leads there with others" in told


def test_a_file_without_any_of_its_named_keys_has_its_entry_proposed():
    missing = {"path": "/f", "changes": {}, "failure": "REDIS_URL is not set in /f."}
    looks = finding({"/f": {"REDIS_HOST": "old", "REDIS_PORT": "6379"}}, values=[missing])
    told = engine.plan(World({"app1": Host(Held(OLD))}).known("cutover"), looks).refusals
    assert "REDIS_URL is not set in /f" in told[0]
    assert "None of the keys that migration_values names is in that file" in told[1]
    assert list(pasted(told[1])["/f"].keys) == ["REDIS_HOST", "REDIS_PORT"]


@pytest.mark.parametrize("goal", ["assess", "migrate", "cutover"])
def test_where_nothing_is_named_a_run_is_refused_with_it_and_with_who_could_not_be_looked_at(goal):
    looks = {**finding({"/f": {"REDIS_URL": "redis://old/0"}}), "app2": Look.from_dict("app2", None)}
    plan = engine.plan(World({"app1": Host(Held(OLD)), "app2": Host(Held(OLD))}).known(goal), looks)
    unseen, proposed = plan.refusals
    assert "app2 failed" in unseen and pasted(proposed) and plan.is_nothing and not plan.facts


@pytest.mark.parametrize("name", APPS)
def test_of_a_public_app_nothing_is_proposed_that_does_not_move_it(name):
    values = text.parse_text("\n".join(APPS[name]["file"]) + "\n").values()
    told = proposal(finding({"/f": values}))
    keys = set(pasted(told)["/f"].keys) if "migration_values:\n" in told else set()
    assert keys <= set(APPS[name]["keys"]) and "old-secret" not in told
    urls = {key for key, value in values.items() if value.startswith(("redis://", "rediss://")) and "old" in value}
    assert urls <= keys
