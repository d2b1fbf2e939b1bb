"""What a host that has left the old Redis hears of it, whatever that is: it answers, or it is said what to do."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import old_redis_info

from tests.component.redis5.server import redis5

PASSWORD = "a-password-of-this-test"


@pytest.fixture
def ask(run_module, tmp_path):
    def run(url):
        where = {"migration_name": "test", "state_dir": str(tmp_path), "target_address": "target.internal"}
        seen = run_module(old_redis_info.main, urls=[{"name": "URL", "current": url}], ask=True, **where)
        assert PASSWORD not in repr(seen)
        return seen["redis"]

    return run


@pytest.mark.long  # it compiles a Redis of before 6.0
def test_a_redis_without_users_is_asked_by_the_password_alone(ask, start_engine):
    old = start_engine(password=PASSWORD, program=redis5())
    seen = ask(f"redis://app:{PASSWORD}@127.0.0.1:{old.port}/0")
    assert not seen["failure"] and seen["server"]["version"].startswith("5.0") and seen["writes"]["life"]


@pytest.mark.parametrize("denied", ["info", "client|list"])
def test_one_that_does_not_tell_who_uses_it_is_not_called_idle(ask, start_engine, denied):
    old = start_engine(f"user app on >{PASSWORD} ~* +@all -{denied}")
    seen = ask(f"redis://app:{PASSWORD}@127.0.0.1:{old.port}/0")
    assert denied in seen["failure"] and "Let the user in the URL call INFO, CLIENT LIST" in seen["failure"]
    assert "clients" not in seen


@pytest.mark.parametrize("command", ["CLIENT", "INFO"])
def test_nor_one_where_that_is_renamed(ask, start_engine, command):
    seen = ask(start_engine(f'rename-command {command} ""').url())
    assert f"unknown command '{command}'" in seen["failure"] and "clients" not in seen
