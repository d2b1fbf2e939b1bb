"""What the role rotate takes of the ledger, which others than readers of secrets may write, against moto."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]
NAME = "shop-prod"
OURS = [{"Key": "cache_migration:name", "Value": NAME}]
ENDPOINT = {"state": "known", "auth": "token", "address": "cache.invalid"}


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


@pytest.fixture
def look(
    tmp_path: Path, moto_options: dict[str, str], moto_environment: dict[str, str], connect_ssm: Any
) -> Callable[..., tuple[str, dict[str, Any]]]:
    """Runs the role's look with an entry in the ledger; the output, and the course that it decided on."""

    def run(secret: str, entry: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        stamped = {"time": "2026-11-25T19:42:11Z", **entry}
        connect_ssm().put_parameter(
            Name=f"/cache_migration/{NAME}/token", Value=json.dumps(stamped), Type="String", Overwrite=True
        )
        role = {"name": "kempian.cache_migration.rotate", "tasks_from": "look"}
        told = "COURSE{{ __rotate_course | default({}) | to_json }}COURSE"
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            "vars": {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                "rotate_auth_token_secret": secret,
                "rotate_endpoint": ENDPOINT,
                "rotate_migration_name": NAME,
                "rotate_region": moto_options["region"],
                "rotate_replication_group_id": "cache",
            },
            "tasks": [
                {  # it goes no further than to the replication group, which is not there
                    "block": [{"ansible.builtin.include_role": role}],
                    "rescue": [{"ansible.builtin.copy": {"content": told, "dest": str(tmp_path / "course")}}],
                }
            ],
        }
        (tmp_path / "play.yml").write_text(json.dumps([play]))
        done = subprocess.run(
            [str(Path(sys.executable).with_name("ansible-playbook")), str(tmp_path / "play.yml")],
            cwd=CHECKOUT,
            env=moto_environment,
            capture_output=True,
            text=True,
            check=False,
        )
        output = done.stdout + done.stderr
        assert (tmp_path / "course").exists(), output
        return re.sub(r"\s+", " ", output), json.loads((tmp_path / "course").read_text().strip("COURSE"))

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
