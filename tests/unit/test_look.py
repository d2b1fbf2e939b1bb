"""What was seen of a host: a look never fails, and what could not be seen is in it."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import NEVER_LOOKED, Look


def test_a_host_without_a_look_was_lost_earlier_in_the_run():
    look = Look.from_dict("app1", None)
    assert look.unreachable and look.failure == ("reach the host", NEVER_LOOKED)


def test_a_look_that_ended_in_an_error_is_no_look_at_a_host_that_has_nothing():
    """As Ansible registers a task that failed: without it the host would count as one that needs nothing."""
    look = Look.from_dict("app1", {"failed": True, "msg": "Missing sudo password"})
    assert look.failure == ("look at the host", "Missing sudo password") and not look.unreachable
    lost = Look.from_dict("app1", {"unreachable": True, "msg": "no route"})
    assert lost.unreachable and lost.failure[1] == "the host cannot be reached: no route"


def test_what_an_action_could_not_see_is_told_with_its_step():
    look = Look.from_dict("app1", {"step": "look at the host", "why": "timed out", "unreachable_host": True})
    assert look.unreachable and look.failure == ("look at the host", "timed out")


def test_a_value_or_a_service_that_cannot_be_looked_at_is_a_failure():
    value = {"path": "/.env", "changes": {}, "failure": "it is a folder"}
    service = {"name": "shop", "failure": "there is no such unit"}
    assert Look.from_dict("app1", {"values": [value], "services": [service]}).failure[1] == "it is a folder"
    assert Look.from_dict("app1", {"services": [service]}).failure == (
        "look at its service",
        "there is no such unit",
    )


def test_all_values_that_cannot_be_looked_at_are_told_at_once():
    values = [{"path": path, "failure": f"{path} does not exist."} for path in ("/a", "/b")]
    assert Look.from_dict("app1", {"values": values}).failure[1] == "/a does not exist. /b does not exist."


def test_a_host_would_change_where_any_key_of_any_value_would():
    kept, written = {"changes": {"A": {"action": "keep"}}}, {"changes": {"B": {"action": "write"}}}
    assert Look("app1", values=(kept, written)).would_change and not Look("app1", values=(kept,)).would_change


def test_a_host_would_be_restarted_where_any_of_its_services_would():
    services = ({"name": "web", "restarted": False}, {"name": "worker", "restarted": True})
    assert Look("app1", services=services).would_restart and not Look("app1", services=services[:1]).would_restart
