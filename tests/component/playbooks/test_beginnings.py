"""What a playbook says before it touches a host, where it cannot go on or has less than it expects."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.component.playbooks.conftest import HERE, Play


@pytest.fixture
def own(tmp_path: Path) -> Callable[..., str]:
    """A playbook of a user's own with a role of the collection."""

    def write(role: str, **keywords: Any) -> str:
        roles = [{"role": f"kempian.cache_migration.{role}"}]
        play = {"name": "Play", "hosts": "app", "gather_facts": False, "roles": roles, **keywords}
        (tmp_path / "own.yml").write_text(json.dumps([play]))
        return str(tmp_path / "own.yml")

    return write


def test_the_apps_interpreter_without_its_user_is_refused_as_root_would_run_it(play: Play) -> None:
    own = {**HERE, "migration_app_python": "/opt/shop/venv/bin/python"}
    run = play("playbooks/assess.yml", hosts={"app1": {**HERE}, "app2": own})
    assert run.code != 0
    assert "Set migration_app_user to the user that the app runs as" in run.said
    assert ".env does not exist" not in run.said, "it went on to the hosts"

    run = play("playbooks/assess.yml", hosts={"app1": {**own, "migration_app_user": "shop"}})
    assert "migration_app_user" not in run.said
    assert "does not exist" in run.said, "it did not go on to the hosts"


@pytest.mark.long
def test_the_way_back_does_not_run_the_apps_interpreter_and_is_not_refused_for_it(play: Play) -> None:
    run = play("playbooks/rollback.yml", "--check", hosts={"app1": {**HERE, "migration_app_python": "/venv/python"}})
    assert "app1" in run.said
    assert "migration_app_user" not in run.said


@pytest.mark.long
def test_an_original_that_leads_to_the_target_itself_is_none_to_go_back_to(play: Play, tmp_path: Path) -> None:
    """As of a host that came up on the target, and whose token was rotated since: the one before it has ended."""
    of_target, file = "redis://:{}@127.0.0.1:1/0", tmp_path / ".env"
    file.write_text(f"REDIS_URL={of_target.format('ended')}\n")
    rotate = {
        "store": "dotenv",
        "path": str(file),
        "values": {"REDIS_URL": of_target.format("new")},
        "state_dir": str(tmp_path / "state"),
    }
    task = {"name": "Rotate", "kempian.cache_migration.env_update": {"migration_name": "test", **rotate}}
    (tmp_path / "rotate.yml").write_text(json.dumps([{"name": "Play", "hosts": "app", "tasks": [task]}]))
    assert play(str(tmp_path / "rotate.yml"), hosts={"app1": HERE}).code == 0

    run = play("playbooks/rollback.yml", hosts={"app1": HERE})
    assert run.code != 0
    assert "has no original for it" in run.said
    assert file.read_text() == f"REDIS_URL={of_target.format('new')}\n"


@pytest.mark.parametrize("limit", ["app2", "app2,localhost"])
@pytest.mark.long
def test_state_looks_at_some_of_the_hosts_that_share_a_value(play: Play, limit: str) -> None:
    shared = [{"store": "ssm", "parameter": "/shop/url"}]
    some = play("playbooks/state.yml", "--limit", limit, hosts={"app1": HERE, "app2": HERE}, migration_values=shared)
    assert some.code == 0, some.text
    assert "app2:" in some.said and "app1:" not in some.said
    assert "Run without --limit" not in some.said


def test_a_run_for_some_of_the_hosts_that_share_a_value_is_refused(play: Play) -> None:
    shared = [{"store": "ssm", "parameter": "/shop/url"}]
    run = play("playbooks/rollback.yml", "--limit", "app2", hosts={"app1": HERE, "app2": HERE}, migration_values=shared)
    assert run.code != 0
    assert "--limit leaves out app1. Run without --limit" in run.said


@pytest.mark.parametrize("stated", [{"serial": 1}, pytest.param({"strategy": "free"}, marks=pytest.mark.long)])
def test_a_play_that_decides_over_some_hosts_alone_is_refused_in_one_sentence(
    play: Play, own: Callable[..., str], stated: dict[str, Any]
) -> None:
    run = play(own("cutover", **stated), hosts={"app1": HERE, "app2": HERE})
    assert run.code != 0
    assert f"This play has {next(iter(stated))}" in run.said
    assert "cannot be reached" not in run.said and "could not be reached" not in run.said


@pytest.mark.parametrize("playbook", ["migrate.yml", pytest.param("playbooks/state.yml", marks=pytest.mark.long)])
def test_an_inventory_without_app_hosts_is_no_success_and_says_what_may_have_emptied_it(
    play: Play, playbook: str
) -> None:
    run = play(playbook, hosts={})
    assert run.code != 0
    assert "could AWS be asked" in run.said


def test_a_host_that_is_lost_before_the_run_is_named_with_cause_and_remedy(
    play: Play, unused_port: Callable[[], int]
) -> None:
    lost = {"ansible_host": "127.0.0.1", "ansible_port": unused_port(), "ansible_connection": "ssh"}
    run = play("migrate.yml", hosts={"app1": {**HERE}, "app2": lost})
    assert run.code != 0
    assert "app1 failed: " in run.said, "it has no .env"
    assert re.search("app2 failed: the host cannot be reached: .*Connection refused", run.said)
    assert "out of the inventory" in run.said


@pytest.mark.parametrize(
    "playbook", ["playbooks/assess.yml", pytest.param("playbooks/rollback.yml", marks=pytest.mark.long)]
)
def test_a_run_without_a_region_is_refused_by_the_name_of_the_variable(
    playbook: str, play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", "us-east-1")  # which lookups with an empty region would not read
    run = play(playbook, "--check", hosts={"app1": HERE}, migration_region="")
    assert run.code != 0
    assert "migration_region is not set. Set it" in run.said


@pytest.mark.parametrize("localhost", [None, {}], ids=["unnamed", "named"])
@pytest.mark.long
def test_what_the_inventory_says_of_all_hosts_is_not_how_aws_is_asked(
    play: Play, localhost: dict[str, Any] | None
) -> None:
    """As `[all:vars] ansible_become=true`, with a password that this machine does not have for its own sudo."""
    other = {"ansible_become_user": "nobody", "ansible_become_exe": "/bin/false", "ansible_become_password": "x"}
    run = play("migrate.yml", "--check", hosts={"app1": HERE}, localhost=localhost, ansible_become=True, **other)
    assert "so no app reads its values there" in run.said, run.text


@pytest.mark.long
def test_a_localhost_that_the_inventory_names_is_not_asked_by_ssh(play: Play, unused_port: Callable[[], int]) -> None:
    run = play("migrate.yml", "--check", hosts={"app1": HERE}, localhost={"ansible_port": unused_port()})
    assert "so no app reads its values there" in run.said, run.text


@pytest.mark.parametrize("localhost", [None, {}], ids=["unnamed", "named"])
@pytest.mark.long
def test_how_to_log_in_may_be_looked_up_by_the_name_of_a_host(
    play: Play, tmp_path: Path, localhost: dict[str, Any] | None
) -> None:
    """Of localhost there is nothing to be found."""
    (tmp_path / "app1").write_text("secret")
    found = f"{{{{ lookup('file', '{tmp_path}/' ~ inventory_hostname) }}}}"
    names = ("ansible_become_password", "ansible_password", "ansible_user", "ansible_ssh_private_key_file")
    run = play("migrate.yml", "--check", hosts={"app1": HERE}, localhost=localhost, **dict.fromkeys(names, found))
    assert "so no app reads its values there" in run.said, run.text


GROUP = "group/kempian.cache_migration.cache_migration"
SHARED = [{"store": "ssm", "parameter": "/shop/url"}]


@pytest.mark.long
def test_module_defaults_reach_what_a_role_asks_of_aws(
    play: Play, own: Callable[..., str], moto_options: dict[str, str]
) -> None:
    """They may say which account: a run that passes them over asks, and changes, another one."""
    nobodys = own("cutover", module_defaults={GROUP: {"profile": "nobody"}})
    assert "profile (nobody) could not be found" in play(nobodys, hosts={"app1": HERE}, access=False).said

    known = own("cutover", module_defaults={GROUP: dict(moto_options)})
    run = play(known, "--check", hosts={"app1": HERE}, access=False, migration_values=SHARED)
    assert "/shop/url does not exist" in run.said or "no parameter /shop/url" in run.said, run.text


@pytest.mark.long
def test_module_defaults_that_do_not_reach_are_warned_of(play: Play, own: Callable[..., str]) -> None:
    playbook = own("state", module_defaults={"group/amazon.aws.aws": {"profile": "nobody"}})
    run = play(playbook, hosts={"app1": HERE})
    assert f"Say it of {GROUP} as well" in run.said, run.text


NOTHING_DONE = "leave out the tasks of this migration: nothing of it was done"


@pytest.mark.parametrize(
    "arguments", [("--tags", "cutover"), pytest.param(("--skip-tags", "all"), marks=pytest.mark.long)]
)
@pytest.mark.parametrize("playbook", ["migrate.yml", "playbooks/decommission.yml"])
def test_tags_that_leave_a_playbook_nothing_to_do_are_refused(
    play: Play, playbook: str, arguments: tuple[str, str]
) -> None:
    """They ended well, with two tasks that were ok on every host: those that check the options of a role."""
    run = play(playbook, *arguments, hosts={"app1": HERE})
    assert run.code != 0
    assert NOTHING_DONE in run.said


@pytest.mark.parametrize("arguments", [("--tags", "all"), ("--tags", "untagged"), ("--skip-tags", "slow")])
@pytest.mark.long
def test_tags_that_leave_nothing_out_are_as_none(play: Play, arguments: tuple[str, str]) -> None:
    run = play("migrate.yml", *arguments, hosts={"app1": HERE})
    assert "so no app reads its values there" in run.said, run.text


@pytest.mark.parametrize("tags", [[], ["cache"]], ids=["none", "its own"])
def test_a_role_that_the_tags_of_a_run_leave_out_does_not_fail_it(
    play: Play, own: Callable[..., str], tags: list[str]
) -> None:
    """One of the user's own, which has other things to do. That a role has no tag at all may be a mistake."""
    run = play(own("cutover", tags=tags), "--tags", "nginx", hosts={"app1": HERE})
    assert run.code == 0, run.text
    assert (NOTHING_DONE in run.said) == (not tags)


@pytest.mark.long
def test_a_role_is_run_by_its_tag(play: Play, own: Callable[..., str], tmp_path: Path) -> None:
    run = play(own("cutover", tags=["cache"]), "--tags", "cache", hosts={"app1": HERE})
    assert "so no app reads its values there" in run.said, run.text

    task: dict[str, Any] = {"ansible.builtin.include_role": {"name": "kempian.cache_migration.cutover"}}
    task["tags"] = ["cache"]
    including = {"name": "Play", "hosts": "app", "gather_facts": False, "tasks": [task]}
    (tmp_path / "own.yml").write_text(json.dumps([including]))
    run = play(str(tmp_path / "own.yml"), "--tags", "cache", hosts={"app1": HERE})
    assert NOTHING_DONE in run.said, run.text
    task["ansible.builtin.include_role"]["apply"] = {"tags": ["cache"]}
    (tmp_path / "own.yml").write_text(json.dumps([including]))
    run = play(str(tmp_path / "own.yml"), "--tags", "cache", hosts={"app1": HERE})
    assert "so no app reads its values there" in run.said, run.text


@pytest.mark.parametrize("role", ["cutover", pytest.param("decommission", marks=pytest.mark.long)])
def test_a_play_that_ignores_errors_does_not_run_over_what_a_role_refuses(
    play: Play, own: Callable[..., str], role: str
) -> None:
    """Where the lock could not be had, the instance of the old Redis would have been stopped all the same."""
    run = play(own(role, ignore_errors=True), hosts={"app1": HERE})
    assert run.code != 0
    assert "ignored=0" in run.said, run.text
    assert "no attribute" not in run.said, "it went on"


@pytest.mark.long
def test_a_token_is_not_handed_over_as_a_file(play: Play, connect: Callable[[str], Any]) -> None:
    """As aws_ssm does it, through a bucket, and su."""
    connect("secretsmanager").create_secret(Name="as-a-file", SecretString="hush-4711-hush-4711")
    files = {**HERE, "ansible_become": True, "ansible_become_method": "su"}
    target = {"address": "127.0.0.1", "port": 1, "tls": True, "auth": "token"}
    stated = {"migration_auth_token_secret": "as-a-file", "migration_endpoint": target}
    run = play("playbooks/cutover.yml", hosts={"app1": files}, **stated)
    assert "app1 failed: local and su hand a module over as a file" in run.said, run.text
    assert "AWS-StartSSHSession" in run.said

    run = play("playbooks/cutover.yml", hosts={"app1": files})  # which has no token
    assert "so no app reads its values there" in run.said, run.text


@pytest.mark.long
def test_where_nothing_is_named_a_look_at_the_hosts_is_what_refuses_it(play, tmp_path):
    run = play("playbooks/assess.yml", hosts={"app1": HERE}, migration_values=[], migration_services=[])
    assert (
        run.code != 0
        and "no .env file was found by migration_services that leads to a Redis: say what the app reads" in run.said
    )
    assert not (tmp_path / "state").exists()
    back = play("playbooks/rollback.yml", hosts={"app1": HERE}, migration_values=[])
    assert back.code != 0 and "migration_values is empty, so there is nothing to move: say what" in back.said
