"""What becomes of one host on its way: whatever ends the way ends in a result."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.story import jobs_left
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.words import of_host
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.trip import Trip

LOST = {"unreachable": True, "msg": "Connection reset"}


def travelled(*steps, raises=None):
    """Each step is its name and the answer of its module; ``raises`` comes after them."""
    with Trip("app1") as trip:
        for name, answer in steps:
            trip.take(name, answer)
        if raises:
            raise raises
    return trip.result()


def test_a_way_without_trouble_is_ok_and_tells_what_was_changed():
    result = travelled(("Probe", {}), ("Change", {"changed": True}), ("Restart", {"restarted": True}))
    assert (result["state"], result["changed"], result["restarted"]) == ("ok", True, True)
    assert "step" not in result and "why" not in result


def test_jobs_that_were_left_are_told_with_the_host():
    with Trip("app1") as trip:
        trip.count("worker", {"jobs": "3 in celery"})
        trip.count("web", {"jobs": ""})
    result = trip.result()
    assert result["jobs"]["worker"] == "3 in celery"
    assert of_host("app1", result).endswith("; worker left 3 in celery behind")
    assert jobs_left({"app1": result}, "the target")[0].startswith(
        "app1: worker left 3 in celery behind, in the target"
    )


def test_nothing_changed_is_told_as_such():
    assert not travelled(("Probe", {}), ("Change", {"changed": False}))["changed"]


def test_what_fails_ends_the_way_with_its_step_and_its_reason():
    result = travelled(("Probe", {}), ("Change", {"failed": True, "msg": "it is a folder"}), ("Restart", {}))
    assert (result["state"], result["step"], result["why"]) == ("failed", "Change", "it is a folder")


def test_what_a_failed_step_has_done_all_the_same_is_kept():
    result = travelled(("Restart", {"failed": True, "msg": "not healthy", "changed": True, "restarted": True}))
    assert result["changed"] and result["restarted"]


def test_an_answer_may_name_the_step_that_failed():
    result = travelled(("Change the host", {"failed": True, "msg": "no way", "step": "Probe the target"}))
    assert result["step"] == "Probe the target"


def test_a_host_that_was_lost_may_have_been_changed():
    result = travelled(("Probe", {}), ("Change", LOST))
    assert result["changed"] and result["restarted"] and result["step"] == "reach the host"
    assert "Connection reset" in result["why"]


def test_connections_of_all_services_are_counted_together():
    with Trip("app1") as trip:
        for name, proof in (("web", "connections"), ("beat", "environment"), ("api", "seen")):
            trip.count(name, {"connections": {"to_target": 2, "to_left": 0}, "proof": proof})
    assert trip.result()["connections"] == {"to_target": 6, "to_left": 0}
    assert of_host("app1", trip.result()) == (
        "  app1: healthy, 6 connections; beat was started with the new values and opens none by itself; "
        "api was seen with one"
    )


def test_what_ansible_refuses_in_the_middle_is_a_result_too_and_may_have_been_done():
    """Raised, it would take the host out of the play, and nobody would put it back."""
    result = travelled(("Probe", {}), raises=AnsibleActionFail("Missing sudo password"))
    assert (result["state"], result["why"], result["changed"]) == ("failed", "Missing sudo password", True)
    assert not travelled(raises=AnsibleActionFail("Missing sudo password"))["changed"], "nothing was begun"


def test_an_error_of_our_own_is_a_result_that_quotes_nothing():
    result = travelled(("Change", {"changed": True}), raises=ValueError("redis://:secret@host"))
    assert result["state"] == "failed" and "secret" not in str(result) and "ValueError" in result["why"]


def test_an_interruption_ends_the_run_and_not_only_the_way():
    try:
        travelled(raises=KeyboardInterrupt())
    except KeyboardInterrupt:
        return
    raise AssertionError("it was swallowed")
