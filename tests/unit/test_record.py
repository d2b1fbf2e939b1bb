"""What a record keeps: all of its data but secrets, whatever ansible-core would or would not mask."""

from __future__ import annotations

import dataclasses
import datetime
import html
import json
import os
import stat
from urllib.parse import quote, quote_plus

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.record import RecordError, kept
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import record
from hypothesis import example, given
from hypothesis import strategies as st

# Texts of another alphabet than that of secrets and places: neither has the other in it by chance.
PLAIN = st.text("abcdefghij äöü\n\"\\{}'<&", max_size=30)
NAMES = st.text("abcdefghij_", min_size=1, max_size=10)
IN_A_URL = "KLMNOPQRSTUVWXYZ0123456789!&#$^-\\/@:?%+ü"


def secrets_of(letters):
    texts = st.text(letters, min_size=8, max_size=40)
    return texts.filter(lambda text: text == text.strip() and len(set(text)) > 3)


SECRETS = secrets_of(IN_A_URL + "<>\"' ")
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | PLAIN
DATA = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4))
WAYS = st.sampled_from(
    [
        lambda secret: secret,
        lambda secret: quote(secret, safe=""),
        quote_plus,
        html.escape,
        repr,
        json.dumps,
        lambda secret: json.dumps({"said": secret}, ensure_ascii=False),
    ]
)


def hidden_in(secret, data):
    """Data with the secret in it, as a text, within one, and as a name."""
    texts = st.builds(lambda before, way, after: before + way(secret) + after, PLAIN, WAYS, PLAIN)
    return st.recursive(
        texts,
        lambda inner: (
            st.builds(lambda part, rest: [part, *rest], inner, st.lists(data, max_size=3))
            | st.builds(
                lambda name, part, rest: {**rest, name: part}, NAMES | texts, inner, st.dictionaries(NAMES, data)
            )
        ),
        max_leaves=5,
    )


@given(DATA)
@example({"port": 6379, "tls": True, "address": "master.shop.example.com", "url": "rediss://:***@h:6379/0"})
@example({"read": "https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth.html#auth-overview, and then: go on"})
@example({"old": "redis://10.0.0.5:6379/0", "to": ("(redis://[fd00::1]:6379)", "unix:///run/redis.sock")})
def test_data_without_a_secret_is_kept_as_it_is(data):
    assert json.dumps(kept(data, ["AN-UNRELATED-SECRET"])) == json.dumps(data)


@given(st.data(), SECRETS)
def test_no_secret_that_the_run_knows_survives_in_any_spelling(drawn, secret):
    written = json.dumps(kept(drawn.draw(hidden_in(secret, DATA)), [secret]), ensure_ascii=False)
    for way in (str, quote_plus, json.dumps, lambda text: quote(text, safe=""), html.escape):
        assert way(secret).strip('"') not in written


@given(st.data(), SECRETS)
def test_what_is_kept_is_kept_again(drawn, secret):
    once = kept(drawn.draw(hidden_in(secret, DATA)), [secret])
    assert kept(once, [secret]) == once


@given(secrets_of(IN_A_URL), PLAIN.filter(lambda text: "<" not in text))
@example("hunter2hunter2", "(see ")
def test_no_password_of_a_url_survives_that_nobody_knew(secret, before):
    for scheme in ("rediss", "https", "postgres"):
        assert secret not in json.dumps(kept({"said": f"{before} {scheme}://user:{secret}@host:6379/0 and more"}))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at rediss://:hunter2@h:6379/0.", "at rediss://:***@h:6379/0."),
        ("('redis://u:hunter2@h:6379')", "('redis://u:***@h:6379')"),
        ('redis://:hun"ter2@h:6379/0', "redis://:***@h:6379/0"),
        ("https://bucket.s3.amazonaws.com/dump?X-Amz-Signature=abc", "https://bucket.s3.amazonaws.com/dump?***"),
        ("redis://h:6379/0 and amqp://u:hunter2@q/", "redis://h:6379/0 and amqp://u:***@q/"),
    ],
)
def test_a_url_is_shown_but_for_its_login_and_options(text, shown):
    assert kept([text]) == [shown]
    assert kept({text: 1}) == {shown: 1}


@pytest.mark.parametrize(
    "name",
    ["password", "redis_password", "REDIS_PASSWORD", "AuthToken", "auth_token", "tokens", "secret_access_key",
     "SecretString", "private-key", "passwd", "client.credentials"],
)  # fmt: skip
@pytest.mark.parametrize("value", ["hunter2", 123456])
def test_a_value_under_the_name_of_a_secret_is_masked(name, value):
    assert kept({name: value}) == {name: "***"}
    assert kept({name: [value]}) == {name: ["***"]}


@pytest.mark.parametrize(
    "data",
    [
        {"token_changed": True, "auth_token": None, "password": ""},
        {"secret": "shop/cache-token", "from_secret": "shop/old", "version_id": "a1b2"},
        {"auth": "token", "env_key": "REDIS_URL", "kms_key_id": "alias/shop", "key": "dumps/1.rdb"},
        {"token": {"secret": "shop/cache-token", "time": "2026-11-25T19:42:11Z"}},
    ],
)
def test_what_says_of_a_secret_where_it_is_or_what_became_of_it_is_kept(data):
    assert kept(data) == data


PLACES = {
    "port": "6379", "tls": True, "databases": 16, "hosts": {"app1": {"on": "the target"}}, "region": "us-east-1",
    "address": "master.production.example.com", "said": "app1 is connected to 10.0.0.5:6379",
}  # fmt: skip


@pytest.mark.parametrize("secret", ["6379", "16", "True", "app1", "us-east-1", "master.production.example.com"])
def test_hosts_ports_and_flags_are_no_secrets_though_one_has_the_same_text(secret):
    assert kept(PLACES, [secret]) == PLACES


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("WRONGPASS: the password '6379' for port 6379", "WRONGPASS: the password '***' for port 6379"),
        ("requirepass 6379x", "requirepass 6379x"),
        ("token=6379, port=6379", "token=***, port=6379"),
    ],
)
def test_a_short_secret_is_masked_where_a_word_says_that_it_is_one(said, shown):
    assert kept(said, ["6379"]) == shown


def test_of_a_dataclass_the_fields_that_it_shows_are_kept():
    @dataclasses.dataclass(frozen=True)
    class Seen:
        host: str
        when: datetime.date
        password: str = dataclasses.field(repr=False)

    assert kept([Seen("app1", datetime.date(2026, 11, 25), "hunter2")]) == [{"host": "app1", "when": "2026-11-25"}]


@pytest.mark.parametrize(
    ("data", "where"),
    [({"a": [{"b": object()}]}, r"the record\.a\[0\]\.b is a object"), ({"a": b"x"}, "a bytes"), ({None: 1}, "a name")],
)
def test_what_is_no_data_is_refused_with_its_place(data, where):
    with pytest.raises(RecordError, match=where):
        kept(data)


def test_names_that_differ_in_a_secret_alone_are_both_kept():
    assert sorted(kept({"redis://:a@h": 1, "redis://:b@h": 2}).values()) == [1, 2]


# --- leaving it ---

TOKEN = "the-token-that-nobody-may-see"


def leave(folder, data, check_mode=False, secrets=()):
    told = record.of_stage(
        "cutover", data, began=1, check_mode=check_mode, directory=str(folder / "report"), secrets=secrets
    )
    return told["ansible_stats"]["data"]["cache_migration_cutover"] if told else None


def test_a_record_is_written_for_its_owner_alone_and_holds_what_the_statistics_do(tmp_path):
    told = leave(tmp_path, {"hosts": ["app1"], "said": f"AUTH {TOKEN}", "auth_token": "hunter2"}, secrets=[TOKEN])
    path = tmp_path / "report/cutover.json"
    assert json.loads(path.read_text()) == told
    assert {"hosts": ["app1"], "said": "AUTH ***", "auth_token": "***", "stage": "cutover"}.items() <= told.items()
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600


def test_in_check_mode_there_are_statistics_and_no_file(tmp_path):
    assert leave(tmp_path, {}, check_mode=True)["check_mode"] is True
    assert not (tmp_path / "report").exists()


def test_a_record_that_cannot_be_written_is_a_warning_that_names_the_option_and_leaves_no_half_file(tmp_path, capsys):
    (tmp_path / "report/cutover.json").mkdir(parents=True)
    assert leave(tmp_path, {"hosts": []})["hosts"] == []
    warned = " ".join(capsys.readouterr().err.split())
    assert "The record of the stage cutover is not written" in warned and "migration_report_dir" in warned
    assert [each.name for each in (tmp_path / "report").iterdir()] == ["cutover.json"]
