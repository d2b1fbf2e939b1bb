"""What a digest approves, what it refuses, and what it names as changed."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import OPTIONS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import approval, made_of
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.page import Page
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.engine_world import NEW, OLD, PATH, Held, Host, World

WORLD = World({"app1": Host(Held(OLD)), "app2": Host(Held(OLD)), "app3": Host(Held(NEW))}, Held(OLD))
DEFINED = ("options, The app", "options, The target", "the hosts")


def parts_of(world=WORLD, **more):
    """As they are when nothing has drifted; ``more`` is what is known otherwise."""
    known = world.known("cutover", **more)
    return made_of.of_run(known, world.looks("cutover"))


def digest_of(parts, done=("a step",)):
    return approval.digest("cutover", approval.fingerprints(parts), list(done))


def refusal(approved, parts, before=None, done=("a step",)):
    """What is said where ``parts`` are what a run found; empty where it goes on."""
    try:
        approval.refuse_another(approved, digest_of(parts, done), approval.fingerprints(parts), before or {}, parts)
    except approval.ApprovalRefused as refused:
        return str(refused)
    return ""


def named(text):
    return [line[2:] for line in text.splitlines() if line.startswith("- ")]


def other(parts, name):
    return {**parts, name: {"it is": "another one"}}


PARTS = parts_of()


def test_what_is_as_it_was_is_approved():
    assert refusal(digest_of(PARTS), parts_of()) == ""


@pytest.mark.parametrize("name", sorted(PARTS))
def test_each_part_alone_is_drift_and_is_named_by_the_digest_alone(name):
    assert named(refusal(digest_of(PARTS), other(PARTS, name))) == [name]


@given(st.sets(st.sampled_from(sorted(PARTS)), min_size=1))
def test_whatever_has_drifted_is_refused_and_named(names):
    now = {name: ["another one"] if name in names else data for name, data in PARTS.items()}
    told = named(refusal(digest_of(PARTS), now))
    # What follows from all else is no cause, so it is named alone only.
    assert set(told) == (names - {approval.DERIVED} or names)


def test_parts_that_are_others_are_refused_also_where_no_mark_tells_it():
    approved, name = digest_of(PARTS), "the ledger in Parameter Store"
    marks = approved.rpartition("-")[2]
    drifted = ({**PARTS, name: {"written": number}} for number in range(100_000))
    same_marks = next(parts for parts in drifted if digest_of(parts).endswith(f"-{marks}"))
    assert refusal(approved, same_marks) != ""


def test_other_steps_of_the_same_parts_are_refused():
    assert "what follows from them" in refusal(digest_of(PARTS), PARTS, done=("another step",))


@given(st.text(max_size=80))
def test_no_text_but_its_own_digest_approves_a_plan(text):
    assert refusal(text, PARTS) != ""


@pytest.mark.parametrize("place", range(8, len(digest_of(PARTS))))
def test_a_digest_with_any_sign_changed_approves_nothing(place):
    digest = digest_of(PARTS)
    wrong = digest[:place] + ("a" if digest[place] != "a" else "b") + digest[place + 1 :]
    assert refusal(wrong, PARTS) != ""


def test_a_digest_of_another_goal_is_told_as_that():
    said = refusal(digest_of(PARTS).replace("cutover", "rollback"), PARTS)
    assert said.startswith("migration_approve approves a plan of rollback, and this is cutover.")


def test_a_host_more_or_less_is_refused():
    fewer = {name: data for name, data in PARTS.items() if name != "host app3"}
    assert refusal(digest_of(PARTS), fewer) and refusal(digest_of(fewer), PARTS)


def test_hosts_in_another_order_are_told_as_that_and_none_of_them_as_drifted():
    # Who is the canary follows from the order.
    hosts = WORLD.hosts
    other_way = replace(WORLD, hosts={name: hosts[name] for name in reversed(hosts)})
    assert named(refusal(digest_of(PARTS), parts_of(other_way))) == ["the hosts"]


def test_of_many_hosts_each_is_told_among_few():
    many = {**PARTS, **{f"host web{number}": {"number": number} for number in range(100)}}
    [told] = named(refusal(digest_of(many), other(many, "host web50")))
    assert told.startswith("one of ") and "web50" in told and len(told.split(", ")) <= 4
    assert len(digest_of(many)) < 150


def test_with_the_plan_at_hand_what_has_changed_is_told_exactly():
    now = json.loads(json.dumps(PARTS))
    now["host app1"]["values"]["/opt/shop/.env"]["held"]["REDIS_URL"] = "redis://elsewhere:6379/0"
    assert named(refusal(digest_of(PARTS), now, before=PARTS)) == [
        "host app1: values: /opt/shop/.env: held: REDIS_URL: redis://:***@old.internal:6379/0 -> redis://elsewhere:6379/0"
    ]


def test_of_a_part_that_is_another_one_as_a_whole_the_first_lines_are_told():
    target = {"engine": "redis", "kms_key_id": "", **{f"option_{number}": number + 1 for number in range(20)}}
    now = {**PARTS, "the target in AWS": {**PARTS["the target in AWS"], **target}}
    told = named(refusal(digest_of(PARTS), now, before=PARTS))
    assert len(told) == approval.MOST_LINES + 1
    assert told[0] == "the target in AWS: engine: nothing -> redis" and told[-1] == "the target in AWS: 13 more"


def test_what_a_plan_at_hand_says_of_a_host_is_one_line_of_the_reason():
    before = {**PARTS, "host app1": {**PARTS["host app1"], "address": "x\n- app2: nothing\x1b[2J"}}
    assert named(refusal(digest_of(PARTS, ()), PARTS, before=before)) == [
        "host app1: address: x - app2: nothing?[2J -> nothing"
    ]


def test_what_is_seen_before_the_hosts_is_held_against_the_digest_too():
    whole, seen = digest_of(PARTS), made_of.of_controller(WORLD.known("cutover"))
    approval.refuse_drift(whole, "cutover", approval.fingerprints(seen), {}, seen)
    drifted = other(seen, "the ledger in Parameter Store")
    with pytest.raises(approval.ApprovalRefused, match="the ledger in Parameter Store"):
        approval.refuse_drift(whole, "cutover", approval.fingerprints(drifted), {}, drifted)


def test_the_digest_is_found_in_a_page_and_never_guessed():
    digest, other = digest_of(PARTS), digest_of(PARTS).replace("cutover", "migrate")
    assert approval.found_in(f"# A plan\n\nDigest: `{digest}`\n    run {digest}\n") == digest
    assert approval.found_in("nothing") == approval.found_in(f"Digest: `{digest}`\nDigest: `{other}`\n") == ""


def test_a_digest_that_a_host_has_named_is_not_the_pages():
    digest, other = digest_of(PARTS), digest_of(PARTS, done=("another step",))
    page = Page("A plan", digest, notes=[f"a process Digest: `{other}`\nDigest: `{other}`"], command="do it").markdown()
    assert approval.found_in(page) == digest
    refused = replace(Page("A plan", digest, notes=[f"Digest: `{other}`"]), refusals=["no"]).markdown()
    assert approval.found_in(refused) == ""


# --- while the target is made ---


def test_what_the_app_reads_is_to_be_as_it_was_when_the_target_is_made_and_aws_is_not():
    before = approval.fingerprints(PARTS)
    reads = [name for name in PARTS if name == approval.SHARED or name.startswith(approval.HOST)]
    for name in PARTS:
        now = approval.fingerprints(other(PARTS, name))
        assert approval.drifted_while_made(before, now) == ([name] if name in reads else [])
    assert len(reads) == 4


# --- what a plan is made of ---


def test_how_a_run_is_told_is_no_part_of_it():
    told = {**WORLD.known("cutover").settings, "report_dir": "/elsewhere", "plan_out": "a", "approve": "b"}
    assert parts_of(settings=told) == PARTS


def test_what_passes_by_itself_is_no_drift():
    found = {"status": "available", "cache_node_type": "cache.t3.micro", "members": [{"role": "primary"}]}
    later = {**found, "status": "snapshotting", "members": [{"role": "replica"}]}
    assert parts_of(found=found) == parts_of(found=later) != parts_of(found={**found, "cache_node_type": "other"})


def test_a_lock_is_no_part_of_the_ledger():
    ledger = {"entries": {"cutover": {"hosts": ["app1"]}}, "now": "then"}
    locked = {"entries": {**ledger["entries"], "lock": {"id": "1"}}, "now": "later"}
    assert parts_of(ledger=ledger) == parts_of(ledger=locked) != PARTS


def test_no_part_holds_a_secret():
    assert "pw@" not in json.dumps(PARTS) and "***@" in json.dumps(PARTS)
    settings = {"services": [{"name": "shop", "health_headers": {"Authorization": "hunter2"}}], "assess_url": "hunter2"}
    another = {"services": [{"name": "shop", "health_headers": {"Authorization": "other"}}], "assess_url": "other"}
    assert made_of.defined(settings) == made_of.defined(another), "or its hash would tell a weak one"


def test_nothing_that_is_hashed_is_a_secret_that_is_masked_where_it_is_shown():
    def fingerprints(password):
        told = {
            **WORLD.known("cutover").settings,
            "check_command": f"check https://ops:{password}@ci.example/?k={password}",
        }
        return approval.fingerprints(parts_of(settings=told))

    assert fingerprints("hunter2") == fingerprints("other"), "or the digest would tell a weak one"
    service = {"name": "shop", "health_url": "http://127.0.0.1/healthz?key=hunter2"}
    another = {**service, "health_url": "http://127.0.0.1/healthz?key=other"}
    assert made_of.defined({"services": [service]}) == made_of.defined({"services": [another]})


def test_another_key_of_the_secret_is_drift_although_its_name_looks_like_that_of_a_secret():
    known = WORLD.known("cutover")
    now = parts_of(settings={**known.settings, "auth_token_secret_key": "password2"})
    [told] = named(refusal(digest_of(PARTS), now, before=PARTS))
    assert told.endswith("migration_auth_token_secret_key: nothing -> password2")


@pytest.mark.parametrize("option", sorted(set(OPTIONS) - made_of.OF_THE_RUN))
def test_every_option_that_a_run_reads_is_a_part_of_its_plan_but_a_secret(option):
    """What is on hosts is told by each of them."""
    settings = {**WORLD.known("cutover").settings, "services": []}
    now = {**settings, option: [{"name": "another"}]}
    is_part = made_of.definition(now, [], [], "") != made_of.definition(settings, [], [], "")
    of_host = made_of.defined(now) != made_of.defined(settings)
    assert (is_part, of_host) == ((not OPTIONS[option].is_secret,) * 2)


def test_every_field_of_a_look_is_a_part_of_the_plan_or_passes_by_itself():
    told = {"consumer", "values", "services", "defined", "address", "why"}
    passing = {"target", "old", "survey", "contents", "other_clients", "found", "transfer"}
    passing |= {"queues", "step", "unreachable"}  # queues are defined by values and services
    assert {field.name for field in fields(Look)} == told | passing, (
        "say in decide/made_of.py which of both a new one is"
    )


def test_every_field_of_what_is_known_is_a_part_of_the_plan_or_passes_by_itself():
    told = {"settings", "endpoint", "everyone", "present", "account", "shared", "ledger", "parts", "course", "found"}
    passing = {"goal", "cost", "target_failure", "words", "check_mode"}  # the goal is in the digest by its name
    assert {field.name for field in fields(Known)} == told | passing, (
        "say in decide/made_of.py which of both a new one is"
    )


def test_a_target_at_another_address_is_drift_and_another_node_of_it_is_none():
    endpoint = WORLD.known("cutover").endpoint
    moved = parts_of(endpoint={**endpoint, "address": "another.internal"})
    assert named(refusal(digest_of(PARTS), moved)) == ["the target in AWS"]
    assert parts_of(endpoint={**endpoint, "nodes": [{"name": "shop-cache-002"}]}) == PARTS


def test_a_target_that_became_this_migrations_by_its_tag_is_drift():
    found = {"status": "available", "ours": False, "tags": {}}
    assert parts_of(found=found) != parts_of(found={**found, "ours": True})


def test_a_host_whose_service_fails_otherwise_is_no_drift():
    def look(why):
        return {"app1": Look("app1", services=({"name": "shop", "failure": why},))}

    known = WORLD.known("cutover")
    assert made_of.of_run(known, look("pid 17 is gone")) == made_of.of_run(known, look("pid 18 is gone"))
    assert made_of.of_run(known, look("pid 17 is gone")) != made_of.of_run(known, look(""))


def test_another_version_of_the_secret_or_of_what_is_shared_is_drift():
    assert parts_of(course={"version_id": "1"}) != parts_of(course={"version_id": "2"})
    one, other_version = ([{"name": "/shop/REDIS_URL", "version": {"/shop/REDIS_URL": number}}] for number in (1, 2))
    assert parts_of(shared=one) != parts_of(shared=other_version)


@pytest.mark.parametrize(
    ("known", "ledger", "stores"),
    [
        ({"account": "444455556666"}, {}, {}),
        ({"instance_id": "i-2"}, {}, {}),
        ({"old_host": "another"}, {}, {}),
        ({"target_address": "another.internal"}, {}, {}),
        ({"version": "2"}, {}, {}),
        ({"settings": {"decommission_min_age": 1}}, {}, {}),
        ({}, {"backup": {"sha256": "2"}}, {}),
        ({}, {}, {"current": "redis://another:6379/0"}),
        ({}, {}, {"original": "redis://another:6379/0"}),
    ],
)
def test_a_retirement_rests_on_what_is_retired_the_backup_and_where_each_host_is(known, ledger, stores):
    usual = {"settings": {"decommission_min_age": 48}, "everyone": ["app1"], "account": "111122223333", "version": "1"}
    usual.update(instance_id="i-1", old_host="redis1", target_address="target.internal")
    entries = {"backup": {"sha256": "1"}}
    store = {"name": PATH, "original": "redis://old:6379/0", "current": "rediss://new:6379/0"}
    planned = made_of.of_retirement(usual, entries, {"app1": {"stores": [store]}})
    now = made_of.of_retirement({**usual, **known}, {**entries, **ledger}, {"app1": {"stores": [{**store, **stores}]}})
    assert now != planned


def test_a_file_that_was_written_since_is_drift_whatever_it_holds():
    def look(written):
        value = {"path": "/opt/shop/.env", "written": written, "changes": {}}
        return {"app1": Look("app1", values=(value,))}

    known = WORLD.known("cutover")
    assert made_of.of_run(known, look("then")) != made_of.of_run(known, look("later"))


def test_another_account_or_another_machine_of_the_same_name_is_drift():
    known, looks = WORLD.known("cutover", account="111122223333"), WORLD.looks("cutover")
    approved = digest_of(made_of.of_run(known, looks))
    assert named(refusal(approved, made_of.of_run(replace(known, account="444455556666"), looks))) == [
        "the AWS account"
    ]
    elsewhere = {**looks, "app1": replace(looks["app1"], address="192.0.2.9")}
    assert named(refusal(approved, made_of.of_run(known, elsewhere))) == ["host app1"]


def test_what_the_inventory_says_for_one_host_is_its_own_part():
    known, looks = WORLD.known("cutover"), WORLD.looks("cutover")
    now = {**looks, "app2": replace(looks["app2"], defined="another")}
    assert named(refusal(digest_of(PARTS), made_of.of_run(known, now))) == ["host app2"]
