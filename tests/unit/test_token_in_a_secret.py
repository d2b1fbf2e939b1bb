"""What a secret holds, and which of it is the token."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.replication_group import stated
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.token_secret import (
    refuse_to_write_json,
    token_in,
)

TOKEN = "a-token-of-16-or-more"
JSON = f'{{"username": "default", "token": "{TOKEN}", "port": 6379}}'


@pytest.mark.parametrize(("value", "key"), [(TOKEN, ""), (JSON, "token"), ("0123456789012345", "")])
def test_the_token_is_all_of_a_secret_or_one_key_of_an_object(value, key):
    assert token_in(value, "shop/token", key) == (TOKEN if TOKEN in value else value)


@pytest.mark.parametrize(
    ("value", "key", "said"),
    [
        (JSON, "", "is a JSON object with the keys port, token, username"),
        ("{}", "", "is a JSON object with no keys"),
        (JSON, "password", "names password of the secret shop/token, not there: the JSON object has the keys port"),
        (JSON, "port", "which is no text"),
        ('{"token": ""}', "token", "which is empty"),
        (TOKEN, "token", "is no JSON object"),
        (f"{TOKEN}\n", "", "the secret shop/token holds begins or ends with a blank or a line break"),
        (f" {TOKEN}", "", "blank or a line break"),
        (f'{{"token": "{TOKEN}\\n"}}', "token", "token of the secret shop/token holds begins or ends"),
    ],
)
def test_what_is_no_token_is_refused_with_the_name_of_the_secret_and_what_is_wrong_with_it(value, key, said):
    with pytest.raises(PlanRefused) as refused:
        token_in(value, "shop/token", key)
    assert said in refused.value.message and "secret shop/token" in refused.value.message
    assert TOKEN not in refused.value.message


def test_a_token_never_takes_the_place_of_an_object():
    refuse_to_write_json("shop/token", "")
    with pytest.raises(PlanRefused, match="put the new token into the object yourself"):
        refuse_to_write_json("shop/token", "token")


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("short", "has 5 characters"),
        ("x" * 129, "has 129 characters"),
        ("a token with blanks in it", "has characters that it may not have"),
        ("a/b", "has 3 characters and has characters that it may not have"),
    ],
)
def test_what_aws_would_not_take_is_said_without_the_token(token, said):
    with pytest.raises(PlanRefused, match=said) as refused:
        stated.check_token(token)
    assert token not in refused.value.message
