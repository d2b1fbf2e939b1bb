"""The stage assess: what the looks of the hosts mean for the target, or why they are not enough."""

from __future__ import annotations

from dataclasses import asdict, replace

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.clients import Client
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.engine import Server
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import engine
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess import stage
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look

from tests.unit.engine_world import FOREIGN, NEW, OLD, SETTINGS, Held, Host, World

ON_OLD, ON_TARGET = Host(Held(OLD)), Host(Held.written_over(OLD, NEW), "target.internal")


def world(*hosts, **more):
    return World({f"app{number}": host for number, host in enumerate(hosts, 1)}, **more)


def weigh(there, **looks):
    return stage.weigh(there.known("assess"), {**there.looks("assess"), **looks})


def seen(there, host, **parts):
    return {host: replace(there.looks("assess")[host], **parts)}


def test_the_first_host_that_is_not_on_the_target_is_to_look_into_the_old_redis():
    assert weigh(world(ON_TARGET, ON_OLD, ON_OLD)).wants == ("app2",)
    plan = engine.plan(world(ON_OLD).known("assess"), world(ON_OLD).looks("assess"))
    assert plan.facts["survey"] == ["app1"] and plan.is_nothing


def test_where_every_host_is_on_the_target_there_is_nothing_to_assess():
    told = weigh(world(ON_TARGET, ON_TARGET))
    assert not told.wants and "there is nothing to assess" in told.lines[0] and told.record["waiting"] == {}


def test_a_value_that_leads_to_the_target_with_another_token_is_not_waiting():
    assert not weigh(world(Host(Held(NEW.replace("token", "old-token"))))).wants


def test_hosts_that_cannot_be_looked_at_are_named_with_the_way_on():
    [refused] = weigh(world(ON_OLD, ON_OLD), app2=Look.from_dict("app2", None)).refusals
    assert "app2 failed" in refused and "playbooks/cutover.yml" not in refused


def test_a_host_that_does_not_reach_its_old_redis_is_named_with_what_was_found():
    there = world(ON_OLD)
    silent = {"failed": True, "msg": "x", "failure": {"kind": "timeout", "found": "No answer from old.internal."}}
    assert "No answer from old.internal" in weigh(there, **seen(there, "app1", old=silent)).refusals[0]


def test_of_a_host_that_names_a_wrong_key_the_key_is_told_and_not_what_a_probe_made_of_it():
    there = world(ON_OLD, ON_OLD)
    wrong = ({"path": "/opt/shop/.env", "changes": {}, "failure": "REDIS_HOTS is not set in /opt/shop/.env."},)
    silent = {"failed": True, "msg": "x", "failure": {"kind": "refused", "found": "127.0.0.1:6379 refuses."}}
    with_it = seen(there, "app1", values=wrong, old=silent)
    [refused] = weigh(there, **with_it).refusals
    assert "app1 failed: REDIS_HOTS is not set in /opt/shop/.env." in refused and "refuses" not in refused
    told = engine.plan(there.known("cutover"), {**there.looks("cutover"), **with_it})
    [refused] = told.refusals
    assert "REDIS_HOTS" in refused and "refuses" not in refused and not told.notes


def test_a_value_that_leads_nowhere_is_no_host_that_is_done():
    there = world(Host(Held("no url at all")))
    unread = {"failed": True, "msg": "The cache cannot be probed: it is no URL."}
    assert "it is no URL" in weigh(there, **seen(there, "app1", old=unread)).refusals[0]


def test_an_old_redis_that_cannot_be_looked_into_is_said_in_a_sentence():
    there = world(ON_OLD)
    failure = {"failure": {"kind": "no_permission"}, "msg": "The old Redis cannot be assessed: it refuses INFO."}
    [refused] = weigh(there, **seen(there, "app1", survey=failure)).refusals
    assert "app1 failed: The old Redis cannot be assessed: it refuses INFO." in refused and "kind" not in refused


def test_where_its_place_is_told_by_what_each_host_reads():
    known = replace(world(Host(Held(FOREIGN))).known("assess"), settings=SETTINGS)
    place = stage.place_of(world(Host(Held(FOREIGN))).looks("assess")["app1"], known)
    assert (place["host"], place["port"]) == ("foreign.internal", 6379)


SURVEY = Source(Server("redis", "7.0.15"), run_id="one", keyspace={0: {"count": 3, "expires": 1}}).as_dict()


def with_surveys(there, settings=SETTINGS, **surveys):
    """What is weighed where these hosts have looked into the Redis that they have."""
    known = replace(
        there.known("assess"), settings={**settings, "transfer": "cold", "cache_node_type": "cache.t3.micro"}
    )
    looks = there.looks("assess")
    looks.update({host: replace(looks[host], survey=survey) for host, survey in surveys.items()})
    return stage.weigh(known, looks)


def test_each_host_looks_into_the_redis_that_it_has_for_itself():
    there = world(*[Host(Held(OLD.replace("old.internal", name))) for name in ("127.0.0.1", "localhost", "a", "a")])
    assert weigh(there).wants == ("app1", "app2", "app3")
    assert with_surveys(there, app1=SURVEY, app3=SURVEY).wants == ("app2",)


def test_another_name_of_the_host_itself_is_told_by_the_address_that_its_redis_sees():
    there = world(ON_OLD, ON_OLD)
    looks = {
        name: replace(look, old={**look.old, "client_address": "::1"}) for name, look in there.looks("assess").items()
    }
    assert stage.weigh(there.known("assess"), looks).wants == ("app1", "app2")


def test_keys_of_several_meet_which_is_said_with_how_many_each_holds():
    there = world(*[Host(Held(OLD.replace("old.internal", "localhost")))] * 2)
    told = with_surveys(there, app1=SURVEY, app2={**SURVEY, "run_id": "two"})
    [line] = [line for line in told.lines if "several" in line]
    assert "2 old Redises: localhost:6379 on app1 (3 keys), localhost:6379 on app2 (3 keys)" in line
    assert list(told.record["sources"]) == ["localhost:6379 on app1", "localhost:6379 on app2"]


def test_one_server_is_weighed_once_however_hosts_call_it():
    there = world(*[Host(Held(OLD.replace("old.internal", name))) for name in ("localhost", "app1.internal")])
    told = with_surveys(there, app1=SURVEY, app2=SURVEY)
    assert list(told.record["sources"]) == ["app1.internal:6379"]
    assert not [line for line in told.lines if "several" in line]


def test_what_a_host_has_for_itself_stands_for_no_other_place():
    """Whoever has the app's user there may let it answer anything."""
    there = world(*[Host(Held(OLD.replace("old.internal", name))) for name in ("localhost", "old.internal")])
    told = with_surveys(there, app1={**SURVEY, "maxmemory_policy": "forged"}, app2=SURVEY)
    assert [source["maxmemory_policy"] for source in told.record["sources"].values()] == [SURVEY["maxmemory_policy"]]


def test_a_survey_of_one_that_failed_refuses_all():
    there = world(*[Host(Held(OLD.replace("old.internal", "localhost")))] * 2)
    failed = {"failure": {"kind": "not_told"}, "msg": "It refuses INFO."}
    assert with_surveys(there, app1=SURVEY, app2=failed).refusals[0].startswith("app2 failed: It refuses INFO.")


def client_of(survey, address):
    client = Client(address, "", 1, ("get",), (0,), False, False, False, False)
    return {**survey, "clients": [asdict(client)]}


def test_loopback_is_a_host_of_ours_only_at_the_redis_that_it_has_itself():
    """What is on the machine of another Redis is a stranger there, although an app host is loopback at its own."""
    there = world(*[Host(Held(OLD.replace("old.internal", name))) for name in ("localhost", "b")])
    looks = there.looks("assess")
    surveys = {name: client_of({**SURVEY, "run_id": name}, "127.0.0.1") for name in looks}
    looks = {
        "app1": replace(looks["app1"], old={**looks["app1"].old, "client_address": "127.0.0.1"}),
        "app2": replace(looks["app2"], old={**looks["app2"].old, "client_address": "10.0.0.2"}),
    }
    looks = {name: replace(look, survey=surveys[name]) for name, look in looks.items()}
    settings = {**SETTINGS, "transfer": "cold", "unknown_clients": "refuse"}
    [refused] = stage.weigh(replace(there.known("assess"), settings=settings), looks).refusals
    assert "clients: b:6379: 127.0.0.1 has 1 connection" in refused and "clients: localhost" not in refused


def test_the_record_has_what_is_recommended_and_whose_each_client_is():
    there = world(ON_OLD)
    looks = there.looks("assess")
    survey = client_of(SURVEY, "10.0.0.2")
    survey["clients"].append({**survey["clients"][0], "address": "10.9.9.9", "name": "exporter"})
    services = tuple({**one, "connections": {"to_target": 0, "to_left": 2}} for one in looks["app1"].services)
    others = {"processes": [{"pid": 7, "program": "python", "unit": "beat.service"}]}
    told = {"survey": survey, "services": services, "other_clients": others}
    looks = {"app1": replace(looks["app1"], old={"client_address": "10.0.0.2"}, **told)}
    known = there.known("assess")
    record = stage.weigh(replace(known, settings={**SETTINGS, "transfer": "cold"}), looks).record
    [[ours, nobody_s]] = record["clients"].values()
    assert ours["hosts"] == ["app1"]
    assert ours["connected_there"] == {"app1": sorted(["beat.service", *(one["name"] for one in services)])}
    assert (nobody_s["address"], nobody_s["name"], nobody_s["hosts"]) == ("10.9.9.9", "exporter", [])
    assert record["strategy"]["recommended"] in ("cold", "copy", "live") and record["strategy"]["why"]


def test_two_names_of_the_host_itself_are_one_place():
    there = world(Host(Held(OLD.replace("old.internal", "localhost"))))
    [value] = there.looks("assess")["app1"].values
    other = {**value["changes"]["REDIS_URL"], "before_location": {"host": "127.0.0.1", "port": 6379}}
    both = ({**value, "changes": {**value["changes"], "BROKER_URL": other}},)
    assert weigh(there, **seen(there, "app1", values=both)).wants == ("app1",)


def test_keys_of_one_host_that_lead_to_more_than_one_redis_are_refused_with_each_place():
    there = world(ON_OLD)
    [value] = there.looks("assess")["app1"].values
    other = {**value["changes"]["REDIS_URL"], "before_location": {"host": "queue.internal", "port": 6380}}
    both = ({**value, "changes": {**value["changes"], "BROKER_URL": other}},)
    [refused] = weigh(there, **seen(there, "app1", values=both)).refusals
    assert "REDIS_URL to old.internal:6379" in refused and "BROKER_URL to queue.internal:6380" in refused
    assert "a migration of its own" in refused
