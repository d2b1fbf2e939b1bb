"""Parts of a place in one file: they change together, go back together, and say together where the app is."""

from __future__ import annotations

import os

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import old_redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import Value
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import contract, on_host
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import ChangeRefused

FILE = """# of the shop
REDIS_HOST=old.internal
REDIS_PORT=6379
REDIS_PASSWORD='pass of old'
REDIS_DB=3
CELERY_BROKER_URL=redis://:old-secret@old.internal:6379/1?socket_timeout=5
DEBUG=0
"""
KEYS = {
    "REDIS_HOST": "host",
    "REDIS_PORT": "port",
    "REDIS_PASSWORD": "password",
    "REDIS_DB": {"form": "database", "database": 3},
    "REDIS_SSL": {"form": "tls", "on": "True", "off": "False", "added": True},
    "CELERY_BROKER_URL": {"form": "url", "database": 1, "reader": "celery-broker"},
}
TOKEN = "a-token/1"
TARGET = Endpoint("elasticache", "shop", address="new.internal", tls=True, auth="token")
SECRETS = ("pass of old", "old-secret", TOKEN)


class Shop:
    """The file of an app, and the journal on its host."""

    def __init__(self, folder, text=FILE, keys=None):
        self.path, self.state_dir = folder / ".env", folder / "state"
        self.path.write_text(text)
        self.value = Value.from_dict({"store": "dotenv", "path": str(self.path), "keys": keys or KEYS})

    @property
    def text(self):
        return self.path.read_text()

    def edit(self, old, new):
        assert old in self.text
        self.path.write_text(self.text.replace(old, new))

    def order(self, wanted):
        forms = {name: form.as_dict() for name, form in self.value.forms.items()}
        return {"store": "dotenv", "path": str(self.path), "keys": wanted, "dialect": [], "forms": forms}

    def change(self, wanted, state, is_look=False):
        params = {"state": state, "state_dir": str(self.state_dir), "migration_name": "prod", "keep_options": True}
        told = on_host.change_value(params, self.order(wanted), is_look)
        assert not [secret for secret in SECRETS if secret in str(told)]
        return told

    def move(self, target=TARGET, token=TOKEN, is_look=False):
        return self.change(self.value.held(target.as_dict(), token, {}), "present", is_look)

    def back(self, is_look=False):
        return self.change(dict.fromkeys(KEYS), "reverted", is_look)

    def old(self):
        """Where the old Redis is, as hosts tell that ask it or retire it."""
        file = {"path": str(self.path), "keys": list(KEYS), "forms": self.order({})["forms"]}
        values = old_redis.values_in(file, str(self.state_dir), "prod")
        return {value.name: value.old_url("new.internal") for value in values}


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def places(told, which):
    return {
        key: (change[which]["host"], change[which]["port"], change[which]["database"], change[which]["tls"])
        for key, change in told["changes"].items()
        if change[which]
    }


def test_parts_and_urls_go_there_and_back_byte_for_byte(shop):
    told = shop.move()
    moved = FILE.replace("=old.internal\n", "=new.internal\n").replace("'pass of old'", f"'{TOKEN}'")
    was = "redis://:old-secret@old.internal:6379/1?socket_timeout=5"
    broker = "'rediss://:a-token%2F1@new.internal:6379/1?ssl_cert_reqs=required&socket_timeout=5'"  # & is for a shell
    assert shop.text == moved.replace(was, broker) + "REDIS_SSL=True\n"
    assert places(told, "before_location") == {
        "REDIS_HOST": ("old.internal", 6379, 3, False),
        "REDIS_DB": ("old.internal", 6379, 3, False),
        "CELERY_BROKER_URL": ("old.internal", 6379, 1, False),
    }
    assert places(told, "after_location") == {
        "REDIS_HOST": ("new.internal", 6379, 3, True),
        "REDIS_DB": ("new.internal", 6379, 3, True),
        "CELERY_BROKER_URL": ("new.internal", 6379, 1, True),
    }
    assert places(told, "original_location") == places(told, "before_location")
    shown = {key: (change["before"], change["after"]) for key, change in told["changes"].items()}
    assert shown["REDIS_HOST"] == ("old.internal", "new.internal") and shown["REDIS_DB"] == ("3", "3")
    assert shown["REDIS_PASSWORD"] == ("***", "***") and shown["REDIS_SSL"] == (None, "True")
    back = shop.back()
    assert shop.text == FILE and places(back, "after_location") == places(told, "before_location")


def test_a_second_run_changes_nothing_and_still_knows_where_the_app_was(shop):
    was = shop.old()
    assert was == {
        "REDIS_HOST": "redis://:pass%20of%20old@old.internal:6379/3",
        "REDIS_DB": "redis://:pass%20of%20old@old.internal:6379/3",
        "CELERY_BROKER_URL": "redis://:old-secret@old.internal:6379/1?socket_timeout=5",
    }
    shop.move()
    again = shop.move()
    assert not again["changed"] and {change["action"] for change in again["changes"].values()} == {"keep"}
    assert places(again, "original_location")["REDIS_HOST"] == ("old.internal", 6379, 3, False)
    assert shop.old() == was


def test_a_look_tells_what_a_run_does_and_writes_nothing(shop):
    look = shop.move(is_look=True)
    assert shop.text == FILE and not shop.state_dir.exists()
    done = shop.move()
    assert {**look["changes"]} == {**done["changes"]}


def test_another_redis_that_somebody_set_since_is_the_way_back_with_all_of_its_parts(shop):
    """Its port is what that of the target is, so that it need not be changed on the way there, and yet goes along."""
    shop.edit("REDIS_PORT=6379", "REDIS_PORT=7000")
    shop.move()
    moved = shop.text
    shop.edit("=new.internal\n", "=other.internal\n")
    half = shop.text
    with pytest.raises(
        ChangeRefused, match=r"REDIS_HOST in .* elsewhere .* REDIS_PASSWORD, REDIS_SSL is still"
    ) as told:
        shop.move()
    assert "by half" in str(told.value)
    assert shop.text == half, "the token of the target is no password of another Redis"
    shop.edit(f"'{TOKEN}'", "other-pass")
    shop.edit("REDIS_SSL=True", "REDIS_SSL=False")
    theirs = shop.text
    told = shop.move()
    assert shop.text.replace("REDIS_PASSWORD=a-token/1", f"REDIS_PASSWORD='{TOKEN}'") == moved
    assert places(told, "original_location")["REDIS_HOST"][:2] == ("other.internal", 6379)
    shop.back()
    assert [line for line in shop.text.splitlines() if line.startswith("REDIS_")] == [
        line for line in theirs.splitlines() if line.startswith("REDIS_")
    ]


@pytest.mark.parametrize("edit", [("REDIS_DB=3", "REDIS_DB=4"), ("REDIS_PORT=6379", "REDIS_PORT=7000")])
def test_a_part_that_was_the_same_on_the_way_there_is_one_of_the_place_all_the_same(shop, edit):
    """Its edit on the target is refused on the way back, as that of a URL, and is never taken for the original."""
    shop.move()
    was = shop.old()
    shop.edit(*edit)
    assert shop.old() == was
    before = shop.text
    with pytest.raises(ChangeRefused, match=edit[0].partition("=")[0]):
        shop.back()
    assert shop.text == before, "all of it or nothing"
    shop.edit(*reversed(edit))
    shop.back()
    assert shop.text == FILE


def test_a_part_that_is_not_there_is_refused_unless_it_is_to_be_added(tmp_path):
    with pytest.raises(ChangeRefused, match="REDIS_PASSWORD is not set"):
        Shop(tmp_path, FILE.replace("REDIS_PASSWORD='pass of old'\n", "")).move()
    keys = {**KEYS, "REDIS_PASSWORD": {"form": "password", "added": True}}
    text = FILE.replace("REDIS_PASSWORD='pass of old'\n", "")
    shop = Shop(tmp_path, text, keys)
    assert shop.old()["REDIS_HOST"] == "redis://old.internal:6379/3"
    shop.move()
    assert f"REDIS_PASSWORD={TOKEN}" in shop.text
    shop.back()
    assert shop.text == text


def test_a_template_keeps_the_options_of_the_url_in_it(tmp_path):
    keys = {"CHANNEL": {"template": "name={url}"}, "PEER": {"template": "tcp:{host}:{port}", "group": "peer"}}
    text = "CHANNEL=name=redis://old.internal:6379/0?socket_timeout=5\nPEER=tcp:peer.internal:7000\n"
    shop = Shop(tmp_path, text, keys)
    plain = Endpoint("elasticache", "shop", address="new.internal")
    told = shop.move(plain, "")
    assert shop.text == "CHANNEL=name=redis://new.internal:6379/0?socket_timeout=5\nPEER=tcp:new.internal:6379\n"
    assert places(told, "original_location") == {
        "CHANNEL": ("old.internal", 6379, 0, False),
        "PEER": ("peer.internal", 7000, 0, False),
    }


def test_what_is_none_of_its_form_leads_nowhere_and_is_shown_to_nobody(tmp_path):
    told = Shop(tmp_path, FILE.replace("REDIS_HOST=old.internal", "REDIS_HOST=a/b")).move(is_look=True)
    change = told["changes"]["REDIS_HOST"]
    assert change["before"] == contract.MASK and change["before_location"] is None


def test_a_journal_that_is_damaged_is_told(shop):
    shop.move()
    os.truncate(shop.state_dir / "prod" / "journal.json", 10)
    with pytest.raises(ValueError, match=r"journal\.json"):
        shop.old()


def test_two_hosts_of_one_file_are_two_places(tmp_path):
    """Else one of them would be moved without anybody having looked at what it holds."""
    keys = {"REDIS_HOST": "host", "SESSION_REDIS_HOST": "host", "A_DB": "database", "B_DB": {"form": "database"}}
    text = "REDIS_HOST=old.internal\nSESSION_REDIS_HOST=sessions.internal\nA_DB=0\nB_DB=7\n"
    told = Shop(tmp_path, text, keys).move(Endpoint("elasticache", "shop", address="new.internal"), "", is_look=True)
    assert places(told, "before_location") == {
        "REDIS_HOST": ("old.internal", 6379, 0, False),
        "SESSION_REDIS_HOST": ("sessions.internal", 6379, 0, False),
        "A_DB": ("old.internal", 6379, 0, False),
        "B_DB": ("old.internal", 6379, 7, False),
    }


def test_a_file_of_another_encoding_is_read_as_its_bytes(tmp_path):
    shop = Shop(tmp_path)
    shop.path.write_bytes(FILE.replace("pass of old", "geh\xe4im").encode("latin-1"))
    before = shop.path.read_bytes()
    assert shop.old()["REDIS_HOST"] == "redis://:geh%E4im@old.internal:6379/3"
    shop.move()
    shop.back()
    assert shop.path.read_bytes() == before


def test_keys_that_are_all_to_be_added_make_no_file(tmp_path):
    shop = Shop(tmp_path, keys={"REDIS_URL": {"form": "url", "added": True}})
    shop.path.unlink()
    with pytest.raises(ChangeRefused, match="does not exist"):
        shop.move()
