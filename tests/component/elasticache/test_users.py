"""Users and user groups against the local AWS."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.modules import (
    elasticache_user,
    elasticache_user_group,
    elasticache_user_group_info,
    elasticache_user_info,
)

PASSWORDS = ["a-first-password-1", "a-second-password-2", "a-third-password-3"]


@pytest.fixture
def user(converge):
    """Converges a user; what is not stated is that of an app's."""

    def stated(user_id, **params):
        login = {} if {"authentication_mode", "no_password_required"} & set(params) else {"passwords": PASSWORDS[:1]}
        given = {"engine": "REDIS", "access_string": "on ~app:* -@all +@read", **login, **params}
        return converge(elasticache_user.main, user_id=user_id, **given)

    return stated


@pytest.fixture
def group(converge):
    return lambda name, **params: converge(elasticache_user_group.main, user_group_id=name, **params)


def said(result):
    """Whatever a run could show to somebody."""
    return repr(result)


def test_a_user_is_made_once_changed_and_removed(aws, user):
    made = user("one", user_name="shop", tags={"team": "kempian"})
    assert "msg" not in made, made
    assert made["changed"] and made["status"] == "active" and made["passwords_changed"]
    assert made["user"]["authentication"] == {"type": "password", "password_count": 1}
    assert made["user"]["engine"] == "redis" and made["user"]["user_name"] == "shop"
    mark = aws.mark
    again = user("one", user_name="shop", tags={"team": "kempian"})
    assert (again["changed"], again["passwords_known"], aws.writes_since(mark)) == (False, False, [])
    changed = user("one", access_string="on ~app:* -@all +@read +@write")
    assert [step["action"] for step in changed["plan"]] == ["ModifyUser"]
    assert changed["user"]["access_string"] == "on ~app:* -@all +@read +@write"
    assert user("one", state="absent")["changed"]
    assert not user("one", state="absent")["changed"]


def test_the_same_access_string_in_other_words_is_no_change(aws, user):
    user("words", access_string="on allkeys allcommands")
    mark = aws.mark
    told = user("words", access_string="on  allkeys   allcommands")
    assert (told["changed"], told["user"]["access_string"]) == (False, "on ~* +@all")
    assert aws.writes_since(mark) == []


def test_other_passwords_are_set_where_their_number_or_their_version_differs(aws, user):
    user("pw", passwords=PASSWORDS[:2])
    fewer = user("pw", passwords=PASSWORDS[:1])
    assert fewer["changed"] and fewer["user"]["authentication"]["password_count"] == 1
    as_many = user("pw", passwords=PASSWORDS[2:])
    assert not as_many["changed"] and not as_many["passwords_known"]
    first = user("pw", passwords=PASSWORDS[2:], passwords_version="v1")
    assert first["passwords_changed"] and first["passwords_known"]
    assert first["user"]["tags"]["cache_migration:passwords"] == "v1"
    assert [step["action"] for step in first["plan"]] == ["ModifyUser", "AddTagsToResource"]
    mark = aws.mark
    again = user("pw", passwords=PASSWORDS[2:], passwords_version="v1")
    assert not again["changed"] and again["passwords_known"]
    assert aws.writes_since(mark) == []
    assert user("pw", passwords=PASSWORDS[:1], passwords_version="v2")["changed"]
    always = user("pw", passwords=PASSWORDS[:1], passwords_update="always")
    assert always["changed"] and always["passwords_changed"]


def test_no_password_is_in_what_is_said_or_logged(aws, user):
    mark = aws.mark
    secret = "not-for-anybody-to-see-7"
    made = user("silent", passwords=[secret], passwords_version="1")
    check = user("silent", passwords=[secret, PASSWORDS[0]], check_mode=True)
    assert secret not in said(made) + said(check) + said(aws.calls_since(mark))
    assert check["plan"][0]["parameters"]["AuthenticationMode"] == {"Passwords": "***", "Type": "password"}


def test_check_mode_tells_the_user_that_would_be_and_writes_nothing(aws, user):
    mark = aws.mark
    told = user("planned", check_mode=True, authentication_mode={"type": "iam"})
    assert told["changed"] and told["user"]["authentication"] == {"type": "iam", "password_count": 0}
    assert aws.writes_since(mark) == []


@pytest.mark.parametrize(
    ("params", "option"),
    [
        ({"engine": "valkey", "no_password_required": True}, "authentication_mode"),
        ({"user_name": "another", "authentication_mode": {"type": "iam"}}, "user_name"),
        ({"passwords": ["short"]}, "passwords"),
        ({"passwords": PASSWORDS}, "passwords"),
        ({"access_string": "on ~* +@all >a-password-in-clear-1"}, "access_string"),
        ({"access_string": "on ~* +config"}, "access_string"),
        ({"engine": "memcached"}, "engine"),
    ],
)
def test_what_aws_does_not_take_is_refused_before_anything_is_written(aws, user, params, option):
    mark = aws.mark
    refused = user("odd", **params)
    assert refused["failed"] and refused["option"] == option and option in refused["msg"]
    assert aws.writes_since(mark) == []


def test_a_command_that_no_engine_has_is_told_by_its_option(user):
    refused = user("nocommand", access_string="on ~* +gett")
    assert refused["failed"] and "access_string" in refused["msg"]


def test_a_user_that_is_changed_elsewhere_is_waited_for_and_put_right(aws, user, settings):
    user("drift")
    settings(modifying_seconds=1)
    aws.client("elasticache").modify_user(UserId="drift", AccessString="off -@all")
    planned = user("drift", check_mode=True)
    assert planned["changed"] and "access_string" in planned["diff"]["before"]
    put_right = user("drift", tags={"key": "value"})
    assert put_right["changed"] and put_right["user"]["access_string"] == "on ~app:* -@all +@read"
    assert put_right["user"]["tags"]["key"] == "value"


def test_a_group_is_made_its_users_come_and_go_in_one_call_and_it_is_removed(aws, user, group):
    for name, user_name in (("g-app", "app"), ("g-default", "default"), ("g-other", "other"), ("g-new", "default")):
        user(name, user_name=user_name)
    made = group("people", engine="REDIS", user_ids=["g-app", "g-default"], tags={"a": "1"})
    assert "msg" not in made, made
    assert made["user_group"]["user_ids"] == ["g-app", "g-default"] and made["status"] == "active"
    mark = aws.mark
    assert not group("people", engine="redis", user_ids=["g-default", "g-app"], tags={"a": "1"})["changed"]
    assert aws.writes_since(mark) == []
    swapped = group("people", user_ids=["g-new", "g-other"])
    assert aws.writes_since(mark) == ["ModifyUserGroup"]
    assert swapped["user_group"]["user_ids"] == ["g-new", "g-other"]
    assert user("g-new", state="absent")["option"] == "state"
    assert user("g-other", state="absent")["changed"]
    assert group("people")["user_group"]["user_ids"] == ["g-new"]
    assert group("people", state="absent")["changed"]
    assert user("g-new", state="absent")["changed"]


def test_a_group_that_has_no_default_or_two_of_one_name_is_refused(aws, user, group):
    user("n-app", user_name="app")
    user("n-twin", user_name="app")
    mark = aws.mark
    for ids, word in ((["n-app"], "default"), (["n-app", "n-twin", "default"], "n-twin"), (["nobody"], "no such user")):
        refused = group("refused", engine="redis", user_ids=ids)
        assert refused["option"] == "user_ids" and word in refused["msg"]
    open_one = group("refused", engine="valkey", user_ids=["default"])
    assert open_one["option"] == "user_ids" and "authentication_mode" in open_one["msg"]
    assert aws.writes_since(mark) == []
    planned = group("refused", engine="redis", user_ids=["n-app", "not-yet"], check_mode=True)
    assert planned["changed"] and planned["user_group"]["user_ids"] == ["n-app", "not-yet"]


def test_somebody_elses_users_and_groups_are_refused_used_and_left_alone(aws, run):
    client = aws.client("elasticache")
    client.create_user(
        UserId="theirs", UserName="default", Engine="redis", AccessString="off -@all", NoPasswordRequired=True
    )
    client.create_user_group(UserGroupId="theirs", Engine="redis", UserIds=["theirs"])
    for main, name in ((elasticache_user.main, "user_id"), (elasticache_user_group.main, "user_group_id")):
        assert run(main, **{name: "theirs"}, check_mode=True)["option"] == "adopt"
        assert not run(main, **{name: "theirs"}, adopt=True, check_mode=True)["changed"]
        assert run(main, **{name: "theirs"}, adopt=True, engine="valkey", check_mode=True)["option"] == "engine"
        assert "never deleted" in run(main, **{name: "theirs"}, adopt=True, state="absent", check_mode=True)["msg"]


def test_the_info_modules_tell_one_or_all(run, user, group):
    user("told", user_name="told")
    group("told", engine="redis", user_ids=["default", "told"])
    (found,) = run(elasticache_user_info.main, user_id="TOLD")["users"]
    assert found["ours"] and found["user_group_ids"] == ["told"] and found["access_string"] == "on ~app:* -@all +@read"
    everybody = run(elasticache_user_info.main)["users"]
    assert {"default", "told"} <= {each["user_id"] for each in everybody}
    (told,) = run(elasticache_user_group_info.main, user_group_id="told")["user_groups"]
    assert told["user_ids"] == ["default", "told"] and told["ours"]
    assert run(elasticache_user_info.main, user_id="nobody")["users"] == []
    assert run(elasticache_user_group_info.main, user_group_id="nobody")["user_groups"] == []
    assert run(elasticache_user_group_info.main)["user_groups"]
