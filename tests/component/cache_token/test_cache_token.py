"""cache_token against moto's Secrets Manager over HTTP."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import cache_token
from moto.server import ThreadedMotoServer

ACCESS = {"region": "us-east-1", "access_key": "AKIAIOSFODNN7EXAMPLE", "secret_key": "not-a-real-key-0123"}
OURS = [{"Key": "cache_migration:name", "Value": "shop-prod"}]
# What ElastiCache takes as a token.
TOKEN = re.compile(r"[A-Za-z0-9!&#$^<>-]{16,128}")

Run = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def secrets(address: str) -> Any:
    return boto3.client(
        "secretsmanager",
        endpoint_url=address,
        region_name=ACCESS["region"],
        aws_access_key_id=ACCESS["access_key"],
        aws_secret_access_key=ACCESS["secret_key"],
    )


@pytest.fixture
def name() -> str:
    return f"kempian/{uuid.uuid4()}"


@pytest.fixture
def run(run_module: Any, address: str, name: str) -> Run:
    def ask(**params: Any) -> dict[str, Any]:
        asked = {"secret": name, "migration_name": "shop-prod", "endpoint_url": address, **ACCESS, **params}
        return dict(run_module(cache_token.main, **asked))

    return ask


def everything(secrets: Any, name: str) -> dict[str, Any]:
    """All that Secrets Manager says of a secret, with every value."""
    described = secrets.describe_secret(SecretId=name)
    values = {
        version: secrets.get_secret_value(SecretId=name, VersionId=version)["SecretString"]
        for version in described["VersionIdsToStages"]
    }
    return {"labels": described["VersionIdsToStages"], "tags": described.get("Tags", []), "values": values}


def test_a_secret_that_does_not_exist_is_made_ours_with_a_token_that_elasticache_takes(run, secrets, name):
    result = run(generate=True, tags={"team": "shop"})
    assert (result["changed"], result["exists"], result["ours"]) == (True, True, True)
    made = everything(secrets, name)
    assert {tag["Key"]: tag["Value"] for tag in made["tags"]} == {"team": "shop", "cache_migration:name": "shop-prod"}
    assert made["labels"] == {result["current_version_id"]: ["AWSCURRENT"]}
    assert TOKEN.fullmatch(made["values"][result["current_version_id"]])


def test_every_token_is_another(run, secrets, name):
    run(generate=True)
    run(state="pending")
    assert len(set(everything(secrets, name)["values"].values())) == 2


def test_no_token_is_in_the_result(run, secrets, name):
    results = json.dumps([run(generate=True), run(state="pending")])
    assert not any(value in results for value in everything(secrets, name)["values"].values())


def test_a_plan_says_that_it_would_be_made_and_makes_nothing(run, secrets, name):
    result = run(generate=True, check_mode=True)
    assert (result["changed"], result["exists"], result["current_version_id"]) == (True, False, "")
    with pytest.raises(secrets.exceptions.ResourceNotFoundException):
        secrets.describe_secret(SecretId=name)


@pytest.mark.parametrize("generate", [True, False])
def test_a_secret_that_exists_is_used_as_it_is_whoever_made_it(run, secrets, name, generate):
    secrets.create_secret(Name=name, SecretString="made-by-somebody-else")
    before = everything(secrets, name)
    result = run(generate=generate)
    assert (result["changed"], result["exists"], result["ours"]) == (False, True, False)
    assert result["current_version_id"] in before["labels"]
    assert everything(secrets, name) == before


def test_a_secret_that_is_missing_is_refused_with_what_to_do(run):
    result = run()
    assert result["failed"]
    assert "migration_auth_token_generate: true" in result["msg"]
    assert result["option"] == "secret"


def test_a_secret_that_is_marked_for_deletion_is_refused_with_what_to_do(run, secrets, name):
    secrets.create_secret(Name=name, SecretString="made-by-somebody-else")
    secrets.delete_secret(SecretId=name)
    assert f"restore-secret --secret-id {name}" in run(generate=True)["msg"]


def test_a_rotation_begins_beside_the_current_version_and_ends_with_it_as_the_previous(run, secrets, name):
    old = run(generate=True)["current_version_id"]
    begun = run(state="pending")
    new = begun["pending_version_id"]
    assert begun["changed"] and begun["current_version_id"] == old and new not in ("", old)
    assert everything(secrets, name)["labels"] == {old: ["AWSCURRENT"], new: ["AWSPENDING"]}

    ended = run(state="current", version_id=new)
    assert ended["changed"] and ended["current_version_id"] == new
    assert ended["pending_version_id"] == "", "a label that AWS leaves on the current version means nothing"
    labels = everything(secrets, name)["labels"]
    assert labels[old] == ["AWSPREVIOUS"] and "AWSCURRENT" in labels[new]


def test_each_of_its_steps_is_made_once(run, secrets, name):
    run(generate=True)
    new = run(state="pending")["pending_version_id"]
    again = run(state="pending")
    assert (again["changed"], again["pending_version_id"]) == (False, new)
    run(state="current", version_id=new)
    before = everything(secrets, name)
    assert not run(state="current", version_id=new)["changed"]
    assert everything(secrets, name) == before


def test_a_plan_of_a_rotation_writes_nothing(run, secrets, name):
    run(generate=True)
    before = everything(secrets, name)
    result = run(state="pending", check_mode=True)
    assert result["changed"] and result["pending_version_id"] == ""
    assert everything(secrets, name) == before


@pytest.mark.parametrize("tags", [[], [{"Key": "cache_migration:name", "Value": "another"}]])
def test_a_secret_of_others_gets_no_version_and_no_label_from_us(run, secrets, name, tags):
    secrets.create_secret(Name=name, SecretString="made-by-somebody-else", Tags=tags)
    put = secrets.put_secret_value(SecretId=name, SecretString="put-by-somebody-else", VersionStages=["theirs"])
    before = everything(secrets, name)
    for asked in ({"state": "pending"}, {"state": "current", "version_id": put["VersionId"]}):
        refused = run(**asked)
        assert refused["failed"] and "somebody else's" in refused["msg"]
    assert everything(secrets, name) == before


def test_a_version_that_has_lost_its_labels_does_not_become_the_current_one(run, secrets, name):
    secrets.create_secret(Name=name, SecretString="made-by-this-migration", Tags=OURS)
    assert "no labelled version" in run(state="current", version_id=str(uuid.uuid4()))["msg"]
