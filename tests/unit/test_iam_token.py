"""The token of IAM authentication, held against botocore's own signer."""

from __future__ import annotations

import datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.iam_token import (
    Credentials,
    Login,
    iam_token,
)
from botocore import auth, awsrequest, credentials

NOW = datetime.datetime(2026, 12, 1, 7, 8, 9, tzinfo=datetime.timezone.utc)
KEY, SECRET, SESSION = "AKIAIOSFODNN7EXAMPLE", "not/a+real=key-0123", "a/session+token=="


def of_botocore(monkeypatch, login, session_token):
    """What botocore signs of the same request, by its parameters."""

    class Frozen(datetime.datetime):
        @classmethod
        def utcnow(cls):
            return NOW.replace(tzinfo=None)

        @classmethod
        def now(cls, tz=None):
            return NOW

    monkeypatch.setattr(auth.datetime, "datetime", Frozen, raising=False)
    monkeypatch.setattr(auth, "get_current_datetime", lambda *_, **__: NOW.replace(tzinfo=None), raising=False)
    query = {"Action": "connect", "User": login.user}
    if login.is_serverless:
        query["ResourceType"] = "ServerlessCache"
    request = awsrequest.AWSRequest(method="GET", url=f"http://{login.cache.lower()}/", params=query)
    signer = auth.SigV4QueryAuth(
        credentials.Credentials(KEY, SECRET, session_token or None), login.service, login.region, expires=900
    )
    signer.add_auth(request)
    return {name: values[0] for name, values in parse_qs(urlsplit(request.url).query).items()}


@pytest.mark.parametrize("session_token", ["", SESSION])
@pytest.mark.parametrize(
    "login",
    [
        Login("shop", "Kempian-Cache", "us-east-1"),
        Login("shop", "kempian-serverless", "eu-central-1", is_serverless=True),
        Login("shop", "kempian", "us-east-1", service="memorydb"),
    ],
)
def test_the_token_is_what_botocore_signs(monkeypatch, login, session_token):
    token = iam_token(login, Credentials(KEY, SECRET, session_token), NOW)
    host, _, query = token.partition("/?")
    told = {name: values[0] for name, values in parse_qs(query).items()}
    assert host == login.cache.lower()
    assert told == of_botocore(monkeypatch, login, session_token)
    assert told["X-Amz-Expires"] == "900" and told["Action"] == "connect"


def test_a_serverless_cache_is_told_from_a_replication_group():
    login = Login("shop", "kempian", "us-east-1")
    serverless = Login("shop", "kempian", "us-east-1", is_serverless=True)
    assert "ResourceType=ServerlessCache" in iam_token(serverless, Credentials(KEY, SECRET), NOW)
    assert "ResourceType" not in iam_token(login, Credentials(KEY, SECRET), NOW)


def test_no_secret_is_in_the_token_or_in_what_is_shown_of_the_credentials():
    held = Credentials(KEY, SECRET, SESSION)
    assert SECRET not in iam_token(Login("shop", "kempian", "us-east-1"), held, NOW)
    assert SECRET not in repr(held) and SESSION not in repr(held)
