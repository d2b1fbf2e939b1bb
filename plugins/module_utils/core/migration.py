# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is moved: the values that an app reads, the services that read them, and who they are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any, Callable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, build_url

DEFAULT_KEY = "REDIS_URL"
URL = "url"

# What a key holds, made of the endpoint, the token and the number of the database. They raise EndpointError.
FORMS: Mapping[str, Callable[[Endpoint, str, int], str]] = {URL: build_url}

# Who reads a URL, by the options that it needs in it where TLS is on, beside what redis-py does by itself. Without its
# own, Celery's result backend does not start, and its broker (kombu) verifies no certificate; `required` is the word
# that both and redis-py take: https://github.com/celery/celery/pull/5703 and the settings of the Redis backend in
# https://docs.celeryq.dev/en/stable/userguide/configuration.html
REDIS_PY = "redis-py"
READERS: Mapping[str, str] = {
    REDIS_PY: "",
    "django": "",
    "rq": "",
    "celery-broker": "ssl_cert_reqs=required",
    "celery-backend": "ssl_cert_reqs=required",
}

# Where a store is, and by which word of its address a value of it is found.
ADDRESSES = {"dotenv": "path", "ssm": "parameter"}


class SettingError(ValueError):
    """A setting cannot be used; the text is a sentence for the operator and names the option."""


@dataclass(frozen=True)
class Key:
    """What a key holds, and who reads it. Without a ``database`` it is the one of the migration."""

    form: str = URL
    database: int | None = None
    reader: str = REDIS_PY

    @classmethod
    def words(cls) -> list[str]:
        return [each.name for each in fields(cls)]

    @classmethod
    def from_stated(cls, stated: Any, where: str) -> Key:
        """Of a form alone, or of a mapping with one. ``where`` names the key in what is refused."""
        told = dict(stated) if isinstance(stated, Mapping) else {"form": stated}
        unknown = sorted(str(name) for name in set(told) - set(cls.words()))
        if unknown:
            raise SettingError(
                f"migration_values gives {where} the unknown {', '.join(unknown)}: use {', '.join(cls.words())}"
            )
        form, database, reader = told.get("form") or URL, told.get("database"), told.get("reader") or REDIS_PY
        if form not in FORMS:
            raise SettingError(f"migration_values gives {where} the form {form!r}: use {', '.join(FORMS)}")
        if database is not None and not re.fullmatch("[0-9]{1,9}", str(database)):
            raise SettingError(f"migration_values gives {where} the database {database!r}: it is a number from 0 on")
        if reader not in READERS:
            raise SettingError(f"migration_values gives {where} the reader {reader!r}: use {', '.join(READERS)}")
        return cls(str(form), None if database is None else int(database), str(reader))

    def held(self, endpoint: Endpoint, token: str, database: int) -> str:
        """Raises EndpointError."""
        made, options = FORMS[self.form](endpoint, token, database), READERS[self.reader]
        return f"{made}?{options}" if options and endpoint.tls and self.form == URL else made


@dataclass(frozen=True)
class Value:
    """One place that holds keys: ``address`` is a path on each host, or the name of what all consumers share."""

    store: str
    address: str
    keys: Mapping[str, Key] = field(default_factory=dict)
    dialect: tuple[str, ...] = ()  # who reads a file, where it need not be the same to all readers

    @classmethod
    def from_dict(cls, stated: Mapping[str, Any]) -> Value:
        store = str(stated.get("store") or "")
        word = ADDRESSES.get(store)
        if word is None:
            raise SettingError(f"migration_values names the store {store!r}: use one of {', '.join(ADDRESSES)}")
        address = str(stated.get(word) or "")
        if not address:
            raise SettingError(f"migration_values has a value with store: {store} and no {word}: say where it is")
        of_all = {name: stated[name] for name in Key.words() if stated.get(name) is not None}
        keys = stated.get("keys") or {DEFAULT_KEY: URL} if word == "path" else {address: of_all}
        if not isinstance(keys, Mapping):
            raise SettingError(
                f"migration_values: keys of {address} is no mapping of names to forms, as {{REDIS_URL: url}}"
            )
        held = {
            str(name): Key.from_stated(key, address if name == address else f"{name} of {address}")
            for name, key in keys.items()
        }
        return cls(store, address, held, tuple(map(str, stated.get("dialect") or ())))

    def databases(self, settings: Mapping[str, Any]) -> dict[str, int]:
        """The number for each key."""
        usual = int(settings.get("database") or 0)
        return {name: usual if key.database is None else key.database for name, key in self.keys.items()}

    def held(self, endpoint: Mapping[str, Any], token: str, settings: Mapping[str, Any]) -> dict[str, str]:
        """What each key is to hold, by its form. Raises EndpointError."""
        reached, databases = Endpoint.from_dict(endpoint), self.databases(settings)
        return {name: key.held(reached, token, databases[name]) for name, key in self.keys.items()}


@dataclass(frozen=True)
class Service:
    """What reads the values, and is restarted."""

    name: str
    manager: str = "systemd"
    supervisorctl: tuple[str, ...] = ("supervisorctl",)
    health_url: str = ""

    @classmethod
    def from_dict(cls, stated: Mapping[str, Any]) -> Service:
        if not stated.get("name"):
            raise SettingError("migration_services has a service without a name: say which unit or program it is")
        return cls(
            name=str(stated["name"]),
            manager=str(stated.get("manager") or "systemd"),
            supervisorctl=tuple(stated.get("supervisorctl") or ("supervisorctl",)),
            health_url=str(stated.get("health_url") or ""),
        )


@dataclass(frozen=True)
class Migration:
    """What one consumer has: its values, split by where they are, and its services in the order of their restart."""

    own: tuple[Value, ...]
    shared: tuple[Value, ...]
    services: tuple[Service, ...]
    python: str = ""
    user: str = ""

    def databases(self, settings: Mapping[str, Any]) -> list[int]:
        """Each that a key names, once, in their order."""
        values = (*self.own, *self.shared)
        return list(dict.fromkeys(number for value in values for number in value.databases(settings).values()))

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Migration:
        """Of ``migration_*`` without the prefix. Raises SettingError."""
        values = tuple(Value.from_dict(stated) for stated in settings.get("values") or ())
        if not values and "services" in settings:  # whoever reads no services does not move either
            raise SettingError(
                "migration_values is empty, so there is nothing to move: say what the app reads, as "
                "[{store: dotenv, path: /opt/shop/.env, keys: {REDIS_URL: url}}]"
            )
        places = [(value.store, value.address) for value in values]
        twice = sorted({address for store, address in places if places.count((store, address)) > 1})
        if twice:
            raise SettingError(f"migration_values names {', '.join(twice)} twice: put its keys into one entry")
        return cls(
            own=tuple(value for value in values if ADDRESSES[value.store] == "path"),
            shared=tuple(value for value in values if ADDRESSES[value.store] != "path"),
            services=tuple(Service.from_dict(stated) for stated in settings.get("services") or ()),
            python=str(settings.get("app_python") or ""),
            user=str(settings.get("app_user") or ""),
        )
