"""What a rotation takes of the ledger, which others than readers of secrets may write, against moto."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import in_process
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.controller import module_of
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.in_process import Order
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.looking import Looking

NAME = "shop-prod"
OURS = [{"Key": "cache_migration:name", "Value": NAME}]


@pytest.fixture
def secrets(connect: Callable[[str], Any]) -> Any:
    return connect("secretsmanager")


@pytest.fixture
def put(secrets: Any) -> Callable[..., tuple[str, str]]:
    """Makes a secret, and says its name and its version."""

    def made(value: str, tags: list[dict[str, str]]) -> tuple[str, str]:
        name = f"kempian/{uuid.uuid4()}"
        return name, secrets.create_secret(Name=name, SecretString=value, Tags=tags)["VersionId"]

    return made


class Controller:
    """What a look asks of the action that it is a part of: the modules of this collection, against moto."""

    class _task:
        action, check_mode = "kempian.cache_migration.migration_look", False

    def do(self, name: str, args: dict[str, Any], _task_vars: Any, check_mode: bool = True) -> dict[str, Any]:
        return in_process.carry_out(module_of(name), Order(name, args, check_mode))

    def client(self, _name: str, service: str, region: str) -> Any:
        return in_process.client(Order(self._task.action, {"region": region}), service)


@pytest.fixture
def look(
    moto_options: dict[str, str], moto_environment: dict[str, str], connect_ssm: Any, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Looks at the token with an entry in the ledger; what it refused, and the course that it decided on."""
    for name, value in moto_environment.items():
        monkeypatch.setenv(name, value)

    def run(secret: str, entry: dict[str, Any], **more: Any) -> tuple[str, dict[str, Any]]:
        stamped = {"time": "2026-11-25T19:42:11Z", **entry}
        connect_ssm().put_parameter(
            Name=f"/cache_migration/{NAME}/token", Value=json.dumps(stamped), Type="String", Overwrite=True
        )
        stated = {"name": NAME, "region": moto_options["region"], "auth_token_secret": secret}
        settings = {**stated, "adopt": False, "auth_token_new": False, "values": [], "endpoint": {}, **more}
        looking = Looking(Controller(), GOALS["rotate"], settings, {})
        looking.ledger = looking.do("migration_ledger_info", migration_name=NAME)
        try:
            looking.token({"status": "available"})
        except AnsibleActionFail as refused:
            return str(refused), looking.course
        return "", looking.course

    return run


def test_an_entry_that_names_a_secret_of_others_does_not_have_it_read(look, put):
    own, current = put("token-of-the-cache", OURS)
    other, version = put("password-of-the-database", [])
    for named in ({"secret": own, "from_secret": other}, {"secret": other}):
        rotating = {"version_id": current, "hosts": ["localhost"]} if "from_secret" in named else {}
        _output, way = look(own, {**named, "version_id": version, **({"rotating": rotating} if rotating else {})})
        assert (way["from_secret"], way["from_version"], way["prove"]) == (other, version, False)


def test_a_secret_that_is_gone_is_none_of_this_migration_and_stops_no_rotation(look, put, secrets):
    own, current = put("token-of-the-cache", OURS)
    former, version = put("token-before", OURS)
    secrets.delete_secret(SecretId=former, ForceDeleteWithoutRecovery=True)
    _output, way = look(own, {"secret": former, "version_id": version})
    assert (way["to_version"], way["prove"]) == (current, False)


def test_a_target_that_moves_from_a_secret_of_this_migration_proves_that_its_token_is_refused(look, put):
    own, current = put("token-of-the-cache", OURS)
    former, version = put("token-before", OURS)
    _output, way = look(own, {"secret": former, "version_id": version})
    assert (way["to_version"], way["from_secret"], way["prove"]) == (current, former, True)


def test_a_version_that_was_ended_is_refused_and_what_the_refusal_says_helps(look, put, secrets):
    own, ended = put("token-that-was-ended", OURS)
    current = secrets.put_secret_value(SecretId=own, SecretString="token-of-the-cache")["VersionId"]
    assert secrets.describe_secret(SecretId=own)["VersionIdsToStages"][ended] == ["AWSPREVIOUS"]
    entry = {"secret": own, "version_id": current, "rotating": {"version_id": ended, "hosts": []}}

    said, way = look(own, entry)
    assert way == {} and "must not become valid again" in said
    words = re.search(r"update-secret-version-stage (.*?)\)", said)
    assert words
    told = dict(re.findall(r"--([\w-]+) (\S+)", words[1]))
    assert told == {
        "secret-id": own,
        "version-stage": "AWSCURRENT",
        "move-to-version-id": ended,
        "remove-from-version-id": current,
    }
    secrets.update_secret_version_stage(
        SecretId=own, VersionStage="AWSCURRENT", MoveToVersionId=ended, RemoveFromVersionId=current
    )
    assert look(own, entry)[1]["to_version"] == ended


def test_a_version_that_waits_is_gone_on_with(look, put, secrets):
    own, current = put("token-of-the-cache", OURS)
    waits = secrets.put_secret_value(SecretId=own, SecretString="new", VersionStages=["AWSPENDING"])["VersionId"]
    entry = {"secret": own, "version_id": current, "rotating": {"version_id": waits, "hosts": []}}
    _said, way = look(own, entry)
    assert (way["to_version"], way["promote"], way["prove"]) == (waits, True, True)


def test_the_token_is_one_key_of_a_json_secret_where_that_is_named_and_refused_by_its_name_where_not(look, put):
    own, current = put('{"host": "x", "token": "token-of-the-cache"}', OURS)
    entry = {"secret": own, "version_id": current}
    said, _way = look(own, entry)
    assert f"The secret {own} is a JSON object with the keys host, token" in said and "token-of-the-cache" not in said
    said, way = look(own, entry, auth_token_secret_key="token")
    assert (said, way["to_version"]) == ("", current)


def test_a_new_token_is_not_written_over_a_json_secret(look, put):
    own, current = put('{"token": "token-of-the-cache"}', OURS)
    entry = {"secret": own, "version_id": current}
    said, _way = look(own, entry, auth_token_secret_key="token", auth_token_new=True)
    assert "put the new token into the object yourself" in said
