"""What of an answer of the app's own interpreter goes on: data, without what it was told in confidence."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.app_answer import only_data, secrets_of, without

TOKEN = "a&token-of-this-test"
ARGUMENTS = {"auth_token": TOKEN, "url": "redis://:hunter2@old-redis.internal:6379/0"}


def test_what_ansible_would_act_on_is_left_out():
    forged = {"reached": True, "ansible_facts": {"x": 1}, "_ansible_verbose_always": True, "add_host": {}}
    assert only_data(forged) == {"reached": True}


def test_a_forged_answer_cannot_repeat_what_the_task_gave_away():
    forged = {
        "reached": True,
        "through": TOKEN,
        "checks": [{"detail": f"it is {TOKEN}"}, {"hunter2": "a%26token-of-this-test"}],
    }
    shown = without(secrets_of(ARGUMENTS), forged)
    assert shown["reached"] is True and len(shown["checks"]) == 2
    for secret in (TOKEN, "hunter2", "%26token"):
        assert secret not in str(shown)


def test_without_secrets_an_answer_stays_as_it_is():
    answer = {"reached": False, "failure": {"kind": "timeout", "addresses": ["192.0.2.1"]}, "ms": 1.5, "none": None}
    assert without(secrets_of({"env_path": "/opt/shop/.env"}), answer) == answer
    assert secrets_of({"url": "no url"}) == []


def test_an_answer_does_not_act_on_the_terminal():
    shown = without([], {"failure": {"found": "all is well\x1b[2J\r\x9b1A\n\ttwo lines"}})
    assert shown == {"failure": {"found": "all is well?[2J??1A\n\ttwo lines"}}
