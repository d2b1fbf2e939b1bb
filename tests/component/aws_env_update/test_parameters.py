"""aws_env_update with store: ssm, against moto's Parameter Store over HTTP."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import ssm as ssm_store
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused, Request
from ansible_collections.kempian.cache_migration.plugins.modules import aws_env_update

NAME = "/kempian/prod/REDIS_URL"
JOURNAL = "/cache_migration/test/journal/_2Fkempian_2Fprod_2FREDIS_5FURL"
OLD, NEW = "redis://:old%2Fpw@old-redis.internal:6379/0", "rediss://:new%23token@new.cache.internal:6379/0"

Update = Callable[..., dict[str, Any]]


@pytest.fixture
def ssm(connect_ssm: Callable[[], Any]) -> Iterator[Any]:
    """A store with one parameter in it, and nothing else."""
    client = connect_ssm()
    client.put_parameter(
        Name=NAME,
        Value=OLD,
        Type="SecureString",
        KeyId="alias/shop",
        Tier="Advanced",
        Description="where the shop's cache is",
        AllowedPattern="rediss?://.*",
        Tags=[{"Key": "team", "Value": "shop"}],
    )
    yield client
    client.delete_parameters(Names=list(everything(client)))


@pytest.fixture
def update(run_module: Any, ssm: Any, moto_options: dict[str, str]) -> Update:
    """Run the task; what is not given is a change of the parameter to the new URL."""

    def run(values: dict[str, Any] | None = None, **params: Any) -> dict[str, Any]:
        params = {"migration_name": "test", **moto_options, **params}
        return dict(run_module(aws_env_update.main, store="ssm", values=values or {NAME: NEW}, **params))

    return run


def everything(ssm: Any) -> dict[str, dict[str, Any]]:
    """All that the store holds and says of its parameters, but for the times."""
    found: dict[str, dict[str, Any]] = {}
    for page in ssm.get_paginator("describe_parameters").paginate():
        for each in page["Parameters"]:
            value = ssm.get_parameter(Name=each["Name"], WithDecryption=True)["Parameter"]["Value"]
            tags = ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=each["Name"])["TagList"]
            each.pop("LastModifiedDate")
            found[each["Name"]] = {**each, "Value": value, "Tags": tags}
    return found


def test_a_value_changes_and_all_else_of_the_parameter_stays(update, ssm):
    before = everything(ssm)[NAME]
    result = update()
    assert result["changed"]
    assert everything(ssm)[NAME] == {**before, "Value": NEW, "Version": 2}
    assert before["Tags"] == [{"Key": "team", "Value": "shop"}]
    assert (before["Tier"], before["KeyId"], before["Type"]) == ("Advanced", "alias/shop", "SecureString")
    assert result["version"] == {NAME: 2}
    assert result["changes"][NAME] == {
        "before": "redis://:***@old-redis.internal:6379/0",
        "after": "rediss://:***@new.cache.internal:6379/0",
        "before_location": {"host": "old-redis.internal", "port": 6379, "tls": False, "database": 0},
        "after_location": {"host": "new.cache.internal", "port": 6379, "tls": True, "database": 0},
        "original_location": {"host": "old-redis.internal", "port": 6379, "tls": False, "database": 0},
        "action": "write",
        "journaled": True,
    }
    assert result["diff"]["before"] == f"{NAME}=redis://:***@old-redis.internal:6379/0\n"


def test_the_original_is_recorded_as_a_secret_under_the_parameters_key(update, ssm):
    update()
    entry = everything(ssm)[JOURNAL]
    assert (entry["Type"], entry["KeyId"]) == ("SecureString", "alias/shop")
    stored = json.loads(entry["Value"])
    assert (stored["original"], stored["written"], stored["restore"]["version"]) == (OLD, [NEW], 1)


def test_a_second_run_writes_nothing(update, ssm):
    update()
    before = everything(ssm)
    assert not update()["changed"]
    assert everything(ssm) == before


def test_check_mode_says_what_a_run_does_and_writes_nothing(update, ssm):
    before = everything(ssm)
    told = update(check_mode=True)
    assert everything(ssm) == before
    assert told["version"] == {NAME: 1}
    assert {**told, "version": {NAME: 2}} == update()


def test_options_of_the_old_url_come_along_and_masked(update, ssm):
    options = "?decode_responses=True&client_name=the%20shop"
    old = f"{OLD}{options}&db=0&ssl_cert_reqs=none"
    ssm.put_parameter(Name=NAME, Value=old, Type="SecureString", KeyId="alias/shop", Tier="Advanced", Overwrite=True)
    before = everything(ssm)
    told = update(keep_options=True, check_mode=True)
    assert everything(ssm) == before
    result = update(keep_options=True)
    assert {**told, "version": {NAME: 3}} == result
    after = everything(ssm)
    assert after[NAME]["Value"] == NEW + options
    assert json.loads(after[JOURNAL]["Value"])["written"] == [NEW + options]
    shown = "rediss://:***@new.cache.internal:6379/0?decode_responses=True&client_name=***"
    assert result["changes"][NAME]["after"] == shown
    assert result["diff"]["after"] == f"{NAME}={shown}\n"
    assert not update(keep_options=True)["changed"]
    assert everything(ssm) == after
    update({NAME: None}, state="reverted", keep_options=True)
    assert everything(ssm)[NAME]["Value"] == old


@pytest.mark.parametrize("url", ["sentinel://:hunter2@s1:26379/mymaster", "valkey://:hunter2@old:6379/0"])
def test_a_url_that_other_clients_read_is_not_written_over(update: Update, ssm: Any, url: str) -> None:
    ssm.put_parameter(Name=NAME, Value=url, Overwrite=True, AllowedPattern=".*", Type="SecureString")
    result = update(keep_options=True)
    assert result["failed"] and f"{NAME} in" in result["msg"] and "redis://" in result["msg"]
    assert "hunter2" not in repr(result) and everything(ssm)[NAME]["Value"] == url


def test_reverting_restores_the_value_and_removes_the_record(update, ssm):
    before = everything(ssm)
    update()
    update({NAME: "rediss://:third@new.cache.internal:6379/0"})
    result = update({NAME: None}, state="reverted")
    assert result["changed"]
    assert result["version"] == {NAME: 4}
    assert everything(ssm) == {NAME: {**before[NAME], "Version": 4}}


def test_reverting_without_a_record_writes_nothing_and_says_so(update, ssm):
    before = everything(ssm)
    result = update({NAME: None}, state="reverted")
    assert not result["changed"]
    assert "no entry" in result["changes"][NAME]["message"]
    assert everything(ssm) == before


def test_reverting_twice_writes_nothing_the_second_time(update, ssm):
    update()
    update({NAME: None}, state="reverted")
    before = everything(ssm)
    assert not update({NAME: None}, state="reverted")["changed"]
    assert everything(ssm) == before


def test_a_value_that_somebody_has_changed_since_is_not_reverted(update, ssm):
    update()
    ssm.put_parameter(Name=NAME, Value="redis://:theirs@third:6379/0", Overwrite=True)
    before = everything(ssm)
    result = update({NAME: None}, state="reverted")
    assert "somebody has changed it since" in result["msg"]
    assert "theirs" not in result["msg"]
    assert everything(ssm) == before


def test_a_removed_parameter_comes_back_with_all_that_it_had(update, ssm):
    before = everything(ssm)[NAME]
    assert update({NAME: None}, state="absent")["changed"]
    assert set(everything(ssm)) == {JOURNAL}
    assert update({NAME: None}, state="reverted")["changed"]
    assert everything(ssm) == {NAME: {**before, "Version": 1}}


def test_a_missing_parameter_is_refused_unless_it_is_to_be_made(update, ssm):
    before = everything(ssm)
    other = "/kempian/prod/OTHER"
    assert f"{other} does not exist" in update({other: NEW})["msg"]
    assert everything(ssm) == before
    assert update({other: NEW}, create=True)["version"] == {other: 1}
    assert everything(ssm)[other]["Type"] == "SecureString"
    assert update({other: None}, state="reverted")["changed"]
    assert everything(ssm) == before


def test_one_refused_parameter_keeps_all_from_changing(update, ssm):
    before = everything(ssm)
    assert update({NAME: NEW, "/missing": NEW})["failed"]
    assert everything(ssm) == before


def test_a_value_that_is_not_the_expected_one_is_refused(update, ssm):
    before = everything(ssm)
    assert "somebody has changed it" in update(expected={NAME: "redis://elsewhere:6379/0"})["msg"]
    assert everything(ssm) == before
    assert update(expected={NAME: OLD})["changed"]


def test_names_of_different_parameters_never_share_a_record():
    names = ["/a/b", "/a.b", "/a_b", "/a_2Fb", "a/b", "/a-b"]
    assert len({ssm_store.journal_name("test", name) for name in names}) == len(names)


@pytest.mark.parametrize("name", ["/a:1", "/a b", "arn:aws:ssm:us-east-1:1:parameter/a", ""])
def test_a_name_with_a_version_or_of_another_account_is_refused(update, name):
    assert "is no parameter's name" in update({name: NEW})["msg"]


def test_an_empty_value_is_refused(update):
    assert "is empty" in update({NAME: ""})["msg"]


def test_an_error_of_aws_is_told_without_the_value(update):
    result = update(endpoint_url="http://127.0.0.1:9", aws_config={"retries": {"max_attempts": 0}})
    assert "Could not connect" in result["msg"]
    assert "new%23token" not in json.dumps(result)


# --- somebody else at the same time ---


def carry_out(request: Request, client: Any) -> Any:
    return ssm_store.carry_out(request, {"ssm": client}.__getitem__, "now")


def asked(**params: Any) -> Request:
    return Request.from_params(
        {"state": "present", "values": {NAME: NEW}, "migration_name": "test", "create": False, **params}
    )


def just_before_writing(client: Any, name: str, act: Callable[[], None]) -> None:
    """Act once, when the client is about to write that parameter."""
    done: list[bool] = []

    def act_once(params: dict[str, Any], **_: Any) -> None:
        if params["Name"] == name and not done:
            done.append(True)
            act()

    client.meta.events.register("provide-client-params.ssm.PutParameter", act_once)


def test_a_write_in_between_is_reported_with_its_version(ssm, connect_ssm):
    client = connect_ssm()
    just_before_writing(client, NAME, lambda: ssm.put_parameter(Name=NAME, Value="redis://theirs:1/0", Overwrite=True))
    with pytest.raises(ChangeRefused) as refused:
        carry_out(asked(), client)
    assert "reading its version 1 and writing version 3" in str(refused.value)
    assert "version 2 of its history holds what they wrote" in str(refused.value)


def test_a_repeated_write_of_our_own_is_no_stranger(ssm, connect_ssm):
    client = connect_ssm()
    just_before_writing(client, NAME, lambda: ssm.put_parameter(Name=NAME, Value=NEW, Overwrite=True))
    assert carry_out(asked(), client)[0].version == 3


def test_of_two_runs_at_once_the_first_recorded_original_stays(ssm, connect_ssm):
    client = connect_ssm()
    first = asked(values={NAME: "rediss://:first@new:6379/0"})
    just_before_writing(client, JOURNAL, lambda: carry_out(first, ssm))
    with pytest.raises(ChangeRefused, match="written by somebody else"):
        carry_out(asked(), client)
    entry = json.loads(everything(ssm)[JOURNAL]["Value"])
    assert (entry["original"], entry["written"]) == (OLD, ["rediss://:first@new:6379/0", NEW])


def test_a_parameter_that_somebody_makes_just_now_is_not_overwritten(ssm, connect_ssm):
    client = connect_ssm()
    name = "/kempian/prod/OTHER"
    just_before_writing(client, name, lambda: ssm.put_parameter(Name=name, Value="theirs", Type="String"))
    with pytest.raises(ChangeRefused, match="made by somebody else"):
        carry_out(asked(values={name: NEW}, create=True), client)
    assert everything(ssm)[name]["Value"] == "theirs"
