"""app_host_info: all that must be known of a host, in one run, on an app between two real engines."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import celery
import kombu
import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import endpoint, forms
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import health
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.clients import clients_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.connections import places
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.environment import (
    files_beside,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import environment
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.leads import elsewhere
from ansible_collections.kempian.cache_migration.plugins.modules import app_host_info, cache_probe, env_update

from tests.component.app_service.conftest import OLD, TOKEN, probe_of


@pytest.fixture
def old(start_engine):
    return start_engine(password=OLD)


@pytest.fixture
def new(start_engine):
    return start_engine(password=TOKEN)


@pytest.fixture
def target(target):
    return {**target, "auth": "token"}


@pytest.fixture
def moved(look, file, own):
    """The host's value has been changed by an earlier run."""
    values = own[0]["keys"]
    made = look(False, env_update.main, store="dotenv", path=str(file), values=values, keep_options=True)
    assert made["changed"]


def test_a_host_that_is_to_be_moved_is_seen_as_a_whole(look, own, target, app, old):
    app.start(old.port)
    old.client.set("page:1", "x")
    service = {"name": "shop", "manager": "supervisor", "supervisorctl": app.supervisorctl}
    asked = {"probe": probe_of(target), "old": {}, "survey": {}}
    file = Path(own[0]["path"])
    before = file.read_bytes()
    seen = look(values=own, services=[service], endpoint=target, **asked)
    assert not seen.get("failed") and not seen["changed"], seen
    [value] = seen["stores"]
    change = value["changes"]["REDIS_URL"]
    assert (value["store"], value["path"], change["action"]) == ("dotenv", str(file), "write")
    assert change["after"].endswith("?decode_responses=True") and change["before_location"]["port"] == old.port
    [shop] = seen["services"]
    assert shop["name"] == "shop" and shop["restarted"] and "no connection" in shop["reason"]
    assert seen["target"]["reached"] and seen["target"]["location"]["host"] == "localhost"
    assert "write" not in [check["name"] for check in seen["target"]["checks"]], "not in check mode"
    assert seen["old"]["reached"] and seen["old"]["location"]["port"] == old.port
    assert seen["survey"]["total_keys"] == 1 and seen["survey"]["key_groups"][0]["pattern"] == "page:*"
    assert file.read_bytes() == before and not list(file.parent.glob("state/*"))


def test_keys_beside_those_that_move_are_told_where_they_lead_to_the_same_redis(look, own, file, target, old):
    others = (
        f"BROKER=redis://:{OLD}@localhost:{old.port}/1\nRESULTS=${{REDIS_URL}}/2\nDATABASE_URL=postgres://127.0.0.1/x\n"
    )
    file.write_text(file.read_text() + others)
    [value] = look(values=own, endpoint=target)["stores"]
    assert value["unnamed"] == [
        {"key": "BROKER", "how": "url", "database": 1, "form": "url", "off": ""},
        {"key": "RESULTS", "how": "hangs", "database": 0, "form": "url", "off": ""},
    ]


CLIENT = """
import socket, sys, time
kept = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
print(flush=True)
time.sleep(60)
"""


# In a network of its own, where the same address and port are another server.
ALONE = ["unshare", "--map-root-user", "--net", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
SERVER = "import socket, sys\nserver = socket.create_server(('127.0.0.1', int(sys.argv[1])))"


@pytest.fixture
def connected():
    """Starts a program that is connected to an engine, and has a secret among its arguments."""
    started = []

    def start(port, before=(), code=CLIENT, **env):
        command = [*before, sys.executable, "-c", code, str(port), OLD]
        started.append(subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, **env}))
        started[-1].stdout.readline()
        return started[-1].pid

    yield start
    for process in started:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def looked_at(own, target, app):
    service = {"name": "shop", "manager": "supervisor", "supervisorctl": app.supervisorctl}
    return {"values": own, "endpoint": target, "services": [service]}


def others(seen):
    return {one["pid"]: one for one in seen["other_clients"]["processes"]}


def test_a_process_on_the_old_redis_that_is_of_no_service_is_told_by_its_names(look, looked_at, app, old, connected):
    app.start(old.port)
    for _round in range(5):
        health.spread(app.health_url)
    assert old.client.ping(), "we are connected, too, as a probe is"
    assert look(**looked_at)["other_clients"] == {"processes": []}, "neither the app, nor the engine, nor this process"
    forgotten = connected(old.port, SUPERVISOR_GROUP_NAME="shop", SUPERVISOR_PROCESS_NAME="beat")
    connected(looked_at["endpoint"]["port"])
    seen = look(**looked_at)
    program = Path(f"/proc/{forgotten}/comm").read_text().strip()
    assert others(seen) == {forgotten: {"pid": forgotten, "program": program, "unit": "shop:beat"}}
    assert "failure" not in seen["other_clients"]
    without = look(**{**looked_at, "services": []})
    assert {forgotten, *(process["pid"] for process in seen["services"][0]["processes"] if process["to_left"])} == set(
        others(without)
    )


def test_what_a_timer_starts_between_two_looks_is_of_its_service(look, looked_at, app, old, monkeypatch):
    """It cannot be had to come at that moment."""
    app.start(old.port)
    for _round in range(5):
        health.spread(app.health_url)
    seen, looks = app_host_info.service_seen, []

    def seen_late(*asked):
        looks.append(seen(*asked))
        return {**looks[-1], "processes": []} if len(looks) == 1 else looks[-1]

    monkeypatch.setattr(app_host_info, "service_seen", seen_late)
    assert others(look(**looked_at)) == {} and len(looks) == 2


@pytest.mark.usefixtures("moved")
def test_on_the_way_back_it_is_who_is_on_the_target(look, own, new, old, connected):
    connected(old.port)
    stays = connected(new.port)
    back = {"state": "reverted", "values": [{**own[0], "keys": {"REDIS_URL": None}}]}
    seen = look(**back, leave=[{"address": "localhost", "port": new.port}])
    assert list(others(seen)) == [stays]


def test_the_old_redis_of_this_host_is_left_by_whichever_of_its_addresses(look, connected, old):
    """A server on the host itself: the app may name it by another address than a process that was forgotten."""
    forgotten = connected(old.port)
    assert list(others(look(leave=[{"address": "::1", "port": old.port}]))) == [forgotten]
    assert others(look(leave=[{"address": "10.255.0.9", "port": old.port}])) == {}


def test_what_is_loopback_in_a_container_is_no_redis_of_the_host(look, connected, old):
    connected(old.port, before=ALONE, code=SERVER + CLIENT)
    assert others(look(leave=[{"address": "127.0.0.1", "port": old.port}])) == {}


def test_who_may_not_see_all_processes_does_not_say_that_there_are_none(look, old, connected):
    connected(old.port)
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            if os.geteuid() == 0:
                os.setuid(65534)
            seen = clients_of(places([{"address": "127.0.0.1", "port": old.port}]))
            os._exit(0 if seen.unseen == 1 and not seen.found else 1)
        os._exit(2)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_where_a_service_cannot_be_looked_at_nobody_is_said_to_be_of_none(look, app, old, connected):
    connected(old.port)
    missing = {"name": "shoe", "manager": "supervisor", "supervisorctl": app.supervisorctl}
    assert "other_clients" not in look(services=[missing], leave=[{"address": "127.0.0.1", "port": old.port}])


@pytest.fixture
def beside(app):
    """The .env in the folder that the app is started in."""
    path = app.folder / ".env"
    yield path
    path.unlink(missing_ok=True)


def test_what_the_processes_of_a_service_read_is_found_and_no_value_is_told(look, looked_at, app, old, beside):
    beside.write_text(f"REDIS_URL=redis://:{OLD}@localhost:{old.port}/2\nBROKER=redis://127.0.0.1:{old.port}/3\nX=1\n")
    app.start(old.port)
    seen = look(**{**looked_at, "values": [], "find": True})
    [one] = seen["found"]["caches"]
    assert [(lead["key"], lead["form"], lead["database"]) for lead in one[str(beside)]] == [
        ("REDIS_URL", "url", 2),
        ("BROKER", "url", 3),
    ]
    assert seen["found"]["elsewhere"] == [] and seen["stores"] == []


def test_a_key_that_a_process_was_started_with_and_no_file_has_is_found(app, old, connected):
    """A unit's Environment=, or what a shell exported: nothing of ours could change it."""
    pid = connected(old.port, CACHE_URL=old.url())
    environments = {"web": environment(pid)}
    assert elsewhere(environments, {}) == [{"service": "web", "key": "CACHE_URL"}]
    assert files_beside([pid, 0]) == [os.path.join(os.getcwd(), ".env")]


def test_a_file_that_has_none_of_the_named_keys_tells_what_it_has_and_one_that_has_any_does_not(
    look, file, target, old
):
    file.write_text(f"CACHE_HOST=127.0.0.1\nREDIS_HOST=localhost\nREDIS_PORT={old.port}\nREDIS_PASSWORD={OLD}\n")
    seen = look(values=[{"path": str(file), "keys": {"REDIS_URL": "redis://x"}}], endpoint=target)
    [one] = seen["found"]["caches"]
    assert [lead["form"] for lead in one[str(file)]] == ["host", "port", "password"]
    assert "REDIS_URL is not set" in seen["stores"][0]["failure"] and "is_nothing_there" not in seen["stores"][0]
    keys = {"REDIS_URL": "redis://x", "REDIS_PORT": "1"}
    assert "found" not in look(values=[{"path": str(file), "keys": keys}], endpoint=target)


def test_only_what_is_asked_for_is_in_the_result(look):
    assert look() == {"changed": False, "stores": [], "services": [], "invocation": look()["invocation"]}


def test_outside_check_mode_the_probe_of_the_target_writes_and_that_of_the_old_redis_does_not(look, own, target, old):
    seen = look(False, values=own, endpoint=target, probe=probe_of(target), old={})
    assert "write" in [check["name"] for check in seen["target"]["checks"]]
    assert seen["old"]["reached"] and "cmdstat_set" not in old.client.info("commandstats")


@pytest.mark.usefixtures("moved")
def test_what_is_to_be_left_is_where_the_values_led_before_and_what_was_stated(look, own, target, app, old):
    app.start(old.port)
    look_at = {"values": own, "endpoint": target, "leave": [{"address": "10.0.0.9", "port": 1}]}
    service = {"name": "shop", "manager": "supervisor", "supervisorctl": app.supervisorctl}
    for _round in range(5):
        health.spread(app.health_url)
    [shop] = look(services=[service], **look_at)["services"]
    assert shop["restarted"] and f"connected to 10.0.0.9:1 or 127.0.0.1:{old.port}" in shop["reason"]
    [shop] = look(services=[service], values=own, leave=[{"address": "127.0.0.1", "port": target["port"]}])["services"]
    assert not shop["restarted"], "without a target only what is stated is to be left"


def test_after_the_move_the_way_back_is_the_original_in_the_journal(look, own, target, old, moved):
    seen = look(values=own, endpoint=target, old={}, survey={"sample": 10})
    assert seen["stores"][0]["changes"]["REDIS_URL"]["action"] == "keep"
    assert seen["old"]["reached"] and seen["old"]["location"]["port"] == old.port
    assert seen["survey"]["server"]["engine"] == "redis"
    old.stop()
    seen = look(values=own, endpoint=target, old={}, survey={})
    assert seen["old"]["failure"]["kind"] == "refused" and "cannot use" in seen["old"]["msg"]
    assert seen["survey"]["failure"]["kind"] == "refused" and "cannot be assessed" in seen["survey"]["msg"]


def test_a_host_that_goes_back_is_seen_without_a_target(look, own, new, old, moved):
    back = {"state": "reverted", "values": [{**own[0], "keys": {"REDIS_URL": None}}]}
    seen = look(**back, leave=[{"address": "localhost", "port": new.port}], old={})
    assert seen["stores"][0]["changes"]["REDIS_URL"]["action"] == "restore"
    assert seen["old"]["reached"] and seen["old"]["location"]["port"] == old.port


def test_a_value_that_leads_to_the_target_and_has_no_original_has_no_way_back(look, own, target, file, new):
    file.write_text(f"REDIS_URL={new.url(host='localhost')}\n")
    seen = look(values=own, endpoint=target, old={}, survey={})
    assert seen["old"]["failure"]["kind"] == seen["survey"]["failure"]["kind"] == "no_original"
    assert f"REDIS_URL in {file}" in seen["old"]["msg"] and not seen["old"]["reached"]


def test_the_first_value_that_is_a_url_is_the_way_back(look, own, file):
    file.write_text(f"CACHE_HOST=somewhere\n{file.read_text()}")
    own[0]["keys"] = {"CACHE_HOST": "elsewhere", **own[0]["keys"]}
    assert look(values=own, old={})["old"]["reached"]


@pytest.mark.parametrize(
    ("url", "way_out"),
    [
        ("sentinel://:hunter2@s1:26379/mymaster", "today's primary first"),
        ("sentinel://:hunter2@s1:26379;sentinel://:hunter2@s2:26379", "today's primary first"),
        ("redis+sentinel://:hunter2@s1:26379/mymaster/0", "today's primary first"),
        ("redis+socket://:hunter2@/run/redis.sock", "listen on an address too"),
        ("unix://:hunter2@/run/redis.sock?db=1", "listen on an address too"),
        ("valkey://:hunter2@old:6379/0", "write it with redis://"),
        ("valkeys://:hunter2@old:6379/0", "rediss://"),
        ("redis://:hunter2#x@old:6379/0", "must be percent-encoded"),
    ],
)
def test_a_value_that_no_way_back_could_be_proven_of_is_named_with_the_way_out(look, own, file, url, way_out):
    """Also beside one of which it could be: it would be changed all the same."""
    file.write_text(f"BROKER={url}\n{file.read_text()}")
    own[0]["keys"] = {"REDIS_URL": own[0]["keys"]["REDIS_URL"], "BROKER": "redis://localhost:1/0"}
    seen = look(values=own, old={}, survey={})
    for part in ("old", "survey"):
        assert seen[part]["failure"]["kind"] == "unreadable" and way_out in seen[part]["msg"]
    assert "hunter2" not in json.dumps(seen)
    back = {"state": "reverted", "values": [{**own[0], "keys": dict.fromkeys(own[0]["keys"])}]}
    assert look(**back, leave=[], old={})["old"]["reached"], "where nothing would be written, it holds nothing up"


def test_the_url_may_be_given_where_it_is_in_no_file(look, old):
    seen = look(old={"url": old.url()}, survey={})
    assert seen["old"]["reached"] and seen["survey"]["total_keys"] == 0


def test_a_replica_is_a_way_back(look, start_engine, old):
    replica = start_engine(f"replicaof 127.0.0.1 {old.port}", f"masterauth {OLD}", password=OLD)
    assert look(old={"url": replica.url()})["old"]["reached"]


def test_what_cannot_be_seen_is_in_its_part_alone(look, target, app, tmp_path):
    missing = {"path": str(tmp_path / "none.env"), "keys": {"REDIS_URL": "redis://x:6379/0"}}
    services = [
        {"name": "shoe", "manager": "supervisor", "supervisorctl": app.supervisorctl},
        {"name": "shop", "manager": "supervisor", "supervisorctl": [*app.supervisorctl, "-p", "hunter2"]},
        {"name": "shop", "health_url": "ftp://x"},
    ]
    probe = {**probe_of(target), "auth_token": "wrong-token-of-this-test"}
    seen = look(values=[missing], services=services, endpoint=target, probe=probe, old={}, survey={})
    assert not seen.get("failed"), seen
    assert "does not exist" in seen["stores"][0]["failure"] and seen["stores"][0]["changes"] == {}
    shoe, password, health = (one["failure"] for one in seen["services"])
    assert "no program shoe" in shoe and "has a password among" in password and "health_url" in health
    assert seen["target"]["failure"]["kind"] == "auth_wrong"
    assert seen["old"]["failure"]["kind"] == "unreadable" and "none.env does not exist" in seen["old"]["msg"]
    assert seen["survey"]["failure"]["kind"] == "unreadable" and "hunter2" not in str(seen)


def test_a_target_that_is_yet_to_be_made_is_no_failure(look):
    seen = look(probe={"endpoint": endpoint.after_apply("elasticache", "shop", tls=True, auth="token").as_dict()})
    assert seen["target"]["after_apply"] and not seen["target"]["reached"] and seen["target"]["failure"] is None


@pytest.mark.parametrize(
    "wrong, why",
    [
        ({"migration_name": "9"}, "migration_name is '9'"),
        ({"python": "venv/bin/python", "user": "x"}, "whole path"),
        ({"probe": {"endpoint": {"address": "x"}}}, "the endpoint lacks service"),
    ],
)
def test_the_module_fails_for_wrong_options(run_module, wrong, why):
    result = run_module(app_host_info.main, **{"migration_name": "shop-prod", **wrong})
    assert result["failed"] and why in result["msg"]


def test_that_one_database_is_served_proves_nothing_of_another(look, target):
    served = look(probe={**probe_of(target), "uses": [{"database": 0}, {"database": 3}]})["target"]
    assert served["reached"] and "msg" not in served and served["location"]["database"] == 0
    beyond = {**probe_of({**target, "databases": 100}), "uses": [{"database": 0}, {"database": 99}]}
    refused = look(probe=beyond)["target"]
    assert refused["location"]["database"] == 99 and "99" in refused["msg"]


def test_who_reads_a_url_in_a_way_of_its_own_proves_it_too(look, start_engine, ca, ca_file, monkeypatch):
    """Celery's clients verify by what is written for them, or the probe fails as the app would."""
    engine = start_engine(password=TOKEN, certificate=ca.issue_cert("localhost"))
    target = endpoint.Endpoint("elasticache", "shop", address="localhost", port=engine.tls_port, tls=True, auth="token")
    uses = [{"database": 1, "reader": "celery-broker"}, {"database": 2, "reader": "celery-backend"}]
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    told = {use["reader"]: look(probe={**probe_of(target.as_dict()), "uses": [use]})["target"] for use in uses}
    assert f"kombu {kombu.__version__}" in told["celery-broker"]["through"]
    assert f"celery {celery.__version__}" in told["celery-backend"]["through"]
    monkeypatch.setitem(forms.READERS, "celery-backend", "")
    refused = look(probe={**probe_of(target.as_dict()), "uses": uses})["target"]
    assert refused["failure"]["kind"] == "client_library" and "ssl_cert_reqs" in refused["msg"]
    assert TOKEN not in str(refused)


def test_it_tells_of_the_target_what_cache_probe_tells(look, run_module, target):
    seen = look(probe=probe_of(target))["target"]
    alone = run_module(cache_probe.main, check_mode=True, **probe_of(target))
    volatile = ("checks", "latency_ms")
    assert {**seen, **{name: alone[name] for name in volatile}, "changed": False} == {
        name: value for name, value in alone.items() if name != "invocation"
    }


def contents_of(target, token=TOKEN):
    return {"endpoint": target, "auth_token": token}


def test_what_the_target_holds_is_counted_by_pattern_and_nothing_is_written_or_named(look, target, new):
    for number in range(20):
        new.client.set(f"session:{number}", "x", ex=100)
    new.client.hset("profile:jane@example.com", mapping={"a": 1})
    changes = new.client.info("persistence")["rdb_changes_since_last_save"]
    seen = look(False, contents=contents_of(target))
    found = seen["contents"]
    assert (found["total_keys"], found["keys_without_ttl"], found["sampled"]) == (21, 1, 21)
    told = {(group["type"], group["pattern"]): (group["count"], group["without_ttl"]) for group in found["key_groups"]}
    assert told == {("string", "session:*"): (20, 0), ("hash", "profile:*.com"): (1, 1)}
    assert "jane" not in json.dumps(seen)
    assert new.client.info("persistence")["rdb_changes_since_last_save"] == changes


def test_why_the_target_cannot_be_counted_is_told(look, target, new):
    assert look(contents=contents_of(target, "wrong"))["contents"]["failure"]["kind"] == "auth_wrong"
    assert "wants a token" in look(contents=contents_of(target, None))["contents"]["msg"]
    new.stop()
    refused = look(contents=contents_of(target))["contents"]
    assert refused["failure"]["kind"] == "refused" and "cannot be told" in refused["msg"]
    failed = look(contents={"endpoint": endpoint.after_apply("elasticache", "shop").as_dict()})
    assert failed["failed"] and "yet to be made" in failed["msg"]
