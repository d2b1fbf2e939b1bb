"""Forms: what a key holds of a place, written and read by the same template."""

from __future__ import annotations

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import forms
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    Endpoint,
    build_url,
    parse_url,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import Form, FormError
from hypothesis import given
from hypothesis import strategies as st

TARGET = Endpoint("elasticache", "shop", address="target.internal", tls=True, auth="token", username="")
PARTS = {**forms.parts_of(TARGET, "s3cret/@:#", 2), "url": build_url(TARGET, "s3cret/@:#", 2)}

HELD = {
    "{url}": "rediss://:s3cret%2F%40%3A%23@target.internal:6379/2",
    "{host}": "target.internal",
    "{host}:{port}": "target.internal:6379",
    "{scheme}://{host}": "rediss://target.internal",
    "name={url}": "name=rediss://:s3cret%2F%40%3A%23@target.internal:6379/2",
    "{password}": "s3cret/@:#",
    "{password|percent}": "s3cret%2F%40%3A%23",
    "{password|base64}": "czNjcmV0L0A6Iw==",
    "{host},{port},{database}": "target.internal,6379,2",
    "ssl={tls};": "ssl=yes;",
}


@pytest.mark.parametrize("template, held", HELD.items())
def test_what_a_template_writes_it_reads(template, held):
    form = Form(template, on="yes", off="no")
    form.check()
    assert form.rendered(PARTS) == held
    assert form.read(held) == {part: PARTS[part] for part in form.parts}


@pytest.mark.parametrize(
    "form, value", [("{host}:{port}", "target.internal"), ("{port}", "x"), ("{password|base64}", "?"), ("a{tls}", "b")]
)
def test_what_is_of_another_form_is_not_read(form, value):
    assert Form(form).read(value) is None


@pytest.mark.parametrize(
    "wrong, why",
    [
        (Form("redis"), "has no part in braces"),
        (Form("{hots}"), "names the part 'hots'"),
        (Form("{password|rot13}"), "names the filter 'rot13'"),
        (Form("{host}}"), "a brace that is not of a part"),
        (Form("{tls}", "1", "1"), "the same word"),
    ],
)
def test_a_template_that_cannot_be_used_is_refused(wrong, why):
    with pytest.raises(FormError, match=why):
        wrong.check()


def test_secrets_are_not_shown_whatever_the_template_makes_of_them():
    for template in HELD:
        form = Form(template, on="yes", off="no")
        shown = form.shown(form.rendered(PARTS))
        assert "s3cret" not in shown and "czNjc" not in shown, template
    assert Form("{host}:{port}").shown("old.internal:6379") == "old.internal:6379"
    assert Form("{host}:{port}").shown("s3cret") == "***" and Form("{host}").shown(None) is None


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("redis://{username}:{password}@{host}:{port}/{database}", "redis://shop:hun:ter2@old:6379/0"),
        ("{host}:{port}:{password}", "old:6379:hun:99:ter2"),
        ("redis://:hunter2@{host}:{port}", "redis://:hunter2@old:6379"),
        ("{username}", "x\napp3: on the target, proven"),
        ("{host}", "old\x1b]0;owned\x07"),
        ("{host|percent}", "a%0Ab"),
    ],
)
def test_neither_a_piece_of_a_password_nor_what_would_be_a_line_of_the_run_is_shown(template, value):
    shown = Form(template).shown(value)
    assert not [piece for piece in ("hun", "ter2", "99", "\n", "\x1b", "owned") if piece in shown]


def test_a_long_value_is_none_of_any_form():
    assert Form("{username}:{password}@{host}:{port}").read(":" * 20000) is None


def test_an_address_of_version_6_is_a_host_alone_and_in_brackets():
    assert Form("{host}").read("fd00::5") == {"host": "fd00::5"}
    assert Form("{host}:{port}").read("[fd00::5]:6379") == {"host": "[fd00::5]", "port": "6379"}
    for host in ("fd00::5", "[fd00::5]"):
        assert forms.url_of({"host": host}) == "redis://[fd00::5]:6379/0"


def test_parts_of_a_group_lead_somewhere_together_and_say_so_at_their_host():
    known = {
        "REDIS_HOST": Form("{host}"),
        "REDIS_PORT": Form("{port}"),
        "REDIS_PASSWORD": Form("{password}"),
        "REDIS_SSL": Form("{tls}", on="True", off="False"),
        "QUEUE": Form("{host}:{port}", group="queue"),
        "BROKER": Form("name={url}"),
    }
    values = {
        "REDIS_HOST": "old.internal",
        "REDIS_PORT": "7000",
        "REDIS_PASSWORD": "p@ss",
        "REDIS_SSL": "True",
        "QUEUE": "queue.internal:6380",
        "BROKER": "name=redis://broker.internal/1",
        "PLAIN": "redis://plain.internal",
    }
    told = forms.urls(known, values)
    assert told == {
        "REDIS_HOST": "rediss://:p%40ss@old.internal:7000/0",
        "REDIS_PORT": None,
        "REDIS_PASSWORD": None,
        "REDIS_SSL": None,
        "QUEUE": "redis://queue.internal:6380/0",
        "BROKER": "redis://broker.internal/1",
        "PLAIN": "redis://plain.internal",
    }
    assert forms.urls(known, {"REDIS_HOST": None, "REDIS_PORT": "7000"})["REDIS_HOST"] is None


text = st.text(max_size=20)


@given(username=text, password=text, database=st.integers(0, 15), port=st.integers(1, 65535))
def test_the_url_of_parts_has_these_parts(username, password, database, port):
    given_parts = {"host": "h.internal", "username": username, "password": password, "port": str(port)}
    url = parse_url(forms.url_of({**given_parts, "database": str(database), "tls": forms.ON}))
    assert (url.host, url.port, url.database, url.tls) == ("h.internal", port, database, True)
    assert (url.username, url.password) == (username, password)
