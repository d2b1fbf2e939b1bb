"""The sentences that a failed cutover ends with."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.verdict import untouched, verdict

BY_HOST = {"playbook": "playbooks/rollback.yml", "inventories": ["/srv/inventories/prod"], "by_host": True}
SHARED = {"playbook": "playbooks/rollback.yml", "inventories": ["/srv/inventories/prod"], "by_host": False}

OK = {"state": "ok", "changed": True}
UNTOUCHED = {"state": "untouched", "changed": False}


def failed(why="the service did not come back.", changed=True):
    return {"state": "failed", "changed": changed, "step": "restart", "why": why}


def test_the_verdict_names_the_failed_host_its_cause_and_where_every_host_is_now():
    said = verdict(
        {"app1": OK, "app2": failed(), "app3": UNTOUCHED},
        {"app1": {"state": "ok"}, "app2": {"state": "ok"}},
        {},
        {},
        BY_HOST,
    )
    assert "app2 failed at the step 'restart': the service did not come back." in said
    assert "Put back to the old Redis, restarted and healthy: app1, app2." in said
    assert "Never touched by this run: app3." in said
    assert "run the same command again" in said
    assert "NOT" not in said
    assert "rollback.yml" not in said


def test_the_verdict_never_claims_that_a_host_was_put_back_which_was_not():
    said = verdict(
        {"app1": failed("unreachable")},
        {"app1": {"state": "failed", "why": "unreachable"}},
        {"state": "failed", "why": "AccessDenied"},
        {},
        SHARED,
    )
    assert "NOT put back: app1: unreachable" in said
    assert "shared store was NOT put back: AccessDenied" in said
    assert "Put back to the old Redis" not in said


def test_what_was_not_put_back_is_named_with_the_command_that_does_it():
    said = verdict({"app1": OK, "app2": failed()}, {"app1": OK, "app2": failed()}, {}, {}, BY_HOST)
    assert "ansible-playbook playbooks/rollback.yml -i /srv/inventories/prod --limit app2" in said
    assert "--limit app1" not in said


def test_a_host_that_nothing_is_known_of_counts_as_not_put_back():
    assert "NOT put back: app1: no reason given" in verdict({"app1": OK}, {"app1": {}}, {}, {}, BY_HOST)


def test_where_hosts_share_a_value_the_command_is_for_all_and_says_so():
    said = verdict({"app1": failed()}, {"app1": failed()}, {"state": "ok"}, {}, SHARED)
    assert "ansible-playbook playbooks/rollback.yml -i /srv/inventories/prod" in said
    assert "--limit" not in said
    assert "ALL hosts" in said


def test_a_host_that_was_on_the_target_before_is_not_called_untouched():
    said = verdict({"app1": {"state": "ok", "changed": False}, "app2": failed()}, {"app2": OK}, {}, {}, BY_HOST)
    assert "On the target since before this run, and there when it looked: app1." in said
    assert "Never touched" not in said


def test_a_check_that_failed_is_the_cause_and_no_host_is():
    check = {"command": "make it", "phase": "all", "rc": 1, "seconds": 2, "output": "1 failed, 8 passed"}
    said = verdict({"app1": OK}, {"app1": OK}, {}, check, BY_HOST)
    assert said.startswith("The check `make it` (migration_check_command) failed after the last batch")
    assert "1 failed, 8 passed" in said
    assert "app1 failed" not in said


def test_hosts_that_failed_before_any_was_changed_are_named_with_cause_and_remedy():
    said = untouched(
        {"app2": "the host cannot be reached: No route to host.", "app3": "no such file", "app4": "no such file."}
    )
    assert "app2 failed: the host cannot be reached: No route to host.\napp3, app4 failed: no such file.\n" in said
    assert "out of the inventory" in said
