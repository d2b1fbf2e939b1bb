# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is moved: the values that an app reads, the services that read them, and who they are. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, fields
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    REDIS,
    Endpoint,
    EndpointError,
    build_url,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.forms import (
    OF_ONE_NODE,
    PARTS,
    READERS,
    REDIS_PY,
    TLS,
    URL,
    Form,
    FormError,
    as_read,
    parts_of,
)

DEFAULT_KEY = "REDIS_URL"
TEMPLATE = "template"

LITERAL = "literal"

# What a key may hold: one part, or with `template` a text with parts in braces, or with `literal` a text as it is.
FORMS = (*PARTS, TEMPLATE, LITERAL)

# Where a store is, and by which word of its address a value of it is found.
ADDRESSES = {"dotenv": "path", "ssm": "parameter"}


# YAML 1.1 reads these two words as truths, also where they are keys.
_OF_YAML = {True: "on", False: "off"}


class SettingError(ValueError):
    """A setting cannot be used; the text is a sentence for the operator and names the option."""


@dataclass(frozen=True)
class Key(Form):
    """What a key holds, by the name of its ``form``. Without a ``database`` it is the migration's. A ``literal`` says
    nothing of a place, as the word by which an app chooses its client.
    """

    form: str = URL
    database: int | None = None
    literal: str = ""

    @classmethod
    def words(cls) -> list[str]:
        return [each.name for each in fields(cls)]

    @classmethod
    def from_stated(cls, stated: Any, where: str) -> Key:
        """Of a form alone, or of a mapping with one. ``where`` names the key in what is refused."""
        if not isinstance(stated, (Mapping, str)):
            raise SettingError(
                f"migration_values gives {where} {type(stated).__name__}, and not what it holds: say its form, as "
                "host, or {form: database, database: 3}"
            )
        told = dict(stated) if isinstance(stated, Mapping) else {"form": stated}
        told = {_OF_YAML.get(name, name) if isinstance(name, bool) else name: value for name, value in told.items()}
        unknown = sorted(str(name) for name in set(told) - set(cls.words()))
        if unknown:
            raise SettingError(
                f"migration_values gives {where} the unknown {', '.join(unknown)}: use {', '.join(cls.words())}"
            )
        given = {name: value for name, value in told.items() if value is not None}
        literal = _word(given.get("literal", ""))
        form = given.get("form") or (TEMPLATE if given.get("template") else LITERAL if literal else URL)
        database, reader = given.get("database"), given.get("reader") or REDIS_PY
        if form not in FORMS:
            # What is no word may be the secret that was meant for the key.
            shown = repr(form) if re.fullmatch("[A-Za-z_-]{1,20}", str(form)) else "***"
            raise SettingError(f"migration_values gives {where} the form {shown}: use {', '.join(FORMS)}")
        if database is not None and not re.fullmatch("[0-9]{1,9}", str(database)):
            raise SettingError(f"migration_values gives {where} the database {database!r}: it is a number from 0 on")
        if reader not in READERS:
            raise SettingError(f"migration_values gives {where} the reader {reader!r}: use {', '.join(READERS)}")
        template = str(given.get("template") or "")
        if bool(template) != (form == TEMPLATE):
            raise SettingError(
                f"migration_values gives {where} the form {form} and {'a' if template else 'no'} template: with "
                f"form: {TEMPLATE} there is one, as '{{host}}:{{port}}', and with no other"
            )
        if bool(literal) != (form == LITERAL):
            raise SettingError(
                f"migration_values gives {where} the form {form} and {'a' if literal else 'no'} literal: with "
                f"form: {LITERAL} there is one, as 'true', and with no other"
            )
        key = cls(
            form=str(form),
            database=None if database is None else int(database),
            template=template or literal or f"{{{form}}}",
            literal=literal,
            on=_word(given.get("on", "true")),
            off=_word(given.get("off", "false")),
            group=str(given.get("group") or ""),
            added=given.get("added") in (True, "true", "True", "yes"),
            reader=str(reader),
        )
        try:
            key.check()
        except FormError as error:
            raise SettingError(f"the template that migration_values gives {where} {error}") from None
        return key

    def check(self) -> None:
        if self.form != LITERAL:
            super().check()
        elif re.search("[{}]", self.literal):
            raise FormError("has a brace, which a literal has not: with parts in braces it is a template")

    @property
    def is_plain(self) -> bool:
        """A URL and nothing else, which is there before."""
        return self.form == URL and not self.added

    def held(self, endpoint: Endpoint, token: str, database: int) -> str:
        """Of the target. Raises EndpointError."""
        if endpoint.protocol != REDIS and self.reader in OF_ONE_NODE:
            raise EndpointError(
                f"migration_values says that {self.reader} reads it, whose client needs one node with all keys, and "
                f"{endpoint.name} speaks {endpoint.protocol}: take a target that speaks {REDIS} for what {self.reader} "
                "reads, or name another reader where it was given a client of its own"
            )
        parts = parts_of(endpoint, token, database)
        url = as_read(build_url(endpoint, token, database), self.reader) if self.is_url else ""
        return self.rendered({**parts, URL: url})


def _word(stated: Any) -> str:
    """As an app has it in its file: YAML makes a truth of true, and a number of 1."""
    return str(stated).lower() if isinstance(stated, bool) else str(stated)


def _refuse_what_says_no_form(address: str, keys: Mapping[str, Any]) -> None:
    """A URL is the usual form, but not what was meant where the app has parts. A reader is one of URLs."""
    has_form = {
        name: not isinstance(key, Mapping) or any(key.get(word) for word in ("form", "template", "literal", "reader"))
        for name, key in keys.items()
    }
    forms = {str(key.get("form") if isinstance(key, Mapping) else key) for key in keys.values()}
    silent = [str(name) for name, has in has_form.items() if not has]
    if silent and forms & (set(FORMS) - {URL, TEMPLATE, LITERAL}):
        raise SettingError(
            f"migration_values names parts of {address}, and of {', '.join(silent)} not what it holds: say its form, "
            "as url, or {form: database, database: 3}"
        )


def _groups_of(keys: Mapping[str, Key]) -> dict[str, dict[str, Key]]:
    """Keys that lead somewhere only together, by the name of their group."""
    groups: dict[str, dict[str, Key]] = {}
    for name, key in keys.items():
        if key.parts and not key.is_url:
            groups.setdefault(key.group, {})[name] = key
    return groups


def _refuse_what_leads_nowhere(address: str, keys: Mapping[str, Key]) -> None:
    """Parts without a host, of which nobody could tell where they lead."""
    for name, of_group in _groups_of(keys).items():
        if not any("host" in key.parts for key in of_group.values()):
            raise SettingError(
                f"migration_values names {', '.join(of_group)} of {address}{f' (group {name})' if name else ''} "
                "and no key with their host: name it too, with form: host"
            )


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
        if not isinstance(keys, Mapping) or not keys:
            raise SettingError(
                f"migration_values: keys of {address} is no mapping of names to forms, as {{REDIS_URL: url}}"
            )
        held = {
            str(name): Key.from_stated(key, address if name == address else f"{name} of {address}")
            for name, key in keys.items()
        }
        _refuse_what_leads_nowhere(address, held)
        _refuse_what_says_no_form(address, keys)
        if word != "path" and not all(key.is_plain for key in held.values()):
            raise SettingError(
                f"migration_values gives {address} the form {held[address].form}: what hosts share in a store of AWS "
                "is a URL that is there"
            )
        return cls(store, address, held, tuple(map(str, stated.get("dialect") or ())))

    @property
    def forms(self) -> dict[str, Form]:
        """Of the keys that are not plain URLs with options."""
        return {name: key for name, key in self.keys.items() if not key.is_plain or not key.takes_options}

    @property
    def takes_options(self) -> bool:
        return all(key.takes_options for key in self.keys.values())

    def databases(self, settings: Mapping[str, Any]) -> dict[str, int]:
        """The number for each key: its own, that of its group, or the one of the migration."""
        usual = int(settings.get("database") or 0)
        of_groups: dict[str, int] = {}
        for name, key in self.keys.items():
            if key.database is not None:
                of_groups.setdefault(key.group_of(name), key.database)
        return {
            name: of_groups.get(key.group_of(name), usual) if key.database is None else key.database
            for name, key in self.keys.items()
        }

    def held(self, endpoint: Mapping[str, Any], token: str, settings: Mapping[str, Any]) -> dict[str, str]:
        """What each key is to hold, by its form. Raises EndpointError."""
        reached, databases = Endpoint.from_dict(endpoint), self.databases(settings)
        self._refuse_what_would_not_reach(reached, token)
        held = {}
        for name, key in self.keys.items():
            try:
                held[name] = key.held(reached, token, databases[name])
            except EndpointError as error:
                raise EndpointError(f"{name} in {self.address}: {error}") from None
        return held

    def urls(self, endpoint: Mapping[str, Any], token: str, settings: Mapping[str, Any]) -> dict[str, str]:
        """Where each key is to lead, whatever its form. Raises EndpointError."""
        reached = Endpoint.from_dict(endpoint)
        return {name: build_url(reached, token, number) for name, number in self.databases(settings).items()}

    def _refuse_what_would_not_reach(self, endpoint: Endpoint, token: str) -> None:
        """Parts of which one that the target needs is in no key."""
        wants_token = endpoint.auth != "iam" and (bool(token) or endpoint.auth == "token")
        wants_user = bool(endpoint.username) and (wants_token or endpoint.auth == "iam")
        words = "{form: tls, on: 'true', off: 'false'}, in the words of the app, as 'True' or '1'"
        needed = [
            ("TLS", {TLS, "scheme"}, words, endpoint.tls),
            ("a password", {"password"}, "{form: password}", wants_token),
            ("a user name", {"username"}, "{form: username}", wants_user),
        ]
        for name, keys in _groups_of(self.keys).items():
            parts = {part for key in keys.values() for part in key.parts}
            lacking = {what: form for what, by, form, is_needed in needed if is_needed and not parts & by}
            if lacking and not self._is_told_by_a_url(name):
                raise EndpointError(
                    f"{endpoint.name} wants {' and '.join(lacking)}, and of {', '.join(keys)} in {self.address} "
                    "(migration_values) no key says so to the app: name the one by which it is told "
                    f"({', '.join(lacking.values())}, or "
                    "{form: url} where the app takes that before them), with added: true where the app reads it and "
                    "the file does not have it yet"
                )

    def _is_told_by_a_url(self, name: str) -> bool:
        """One that is added for that, or that says by its group that it goes before the parts."""
        return any(key.is_url and key.group == name and (key.added or name) for key in self.keys.values())


@dataclass(frozen=True)
class Service:
    """What reads the values, and is restarted."""

    name: str
    manager: str = "systemd"
    scope: str = "system"
    user: str = ""  # of the scope or the command; the app's where left out
    supervisorctl: tuple[str, ...] = ("supervisorctl",)
    restart_command: tuple[str, ...] = field(default=(), repr=False)
    pid_file: str = ""
    health_url: str = ""
    health_headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    queues: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by the key that leads to their cache

    @classmethod
    def from_dict(cls, stated: Mapping[str, Any]) -> Service:
        if not stated.get("name"):
            raise SettingError("migration_services has a service without a name: say which unit or program it is")
        queues = stated.get("queues") or {}
        if not isinstance(queues, Mapping) or not all(isinstance(names, list) and names for names in queues.values()):
            raise SettingError(
                f"migration_services gives {stated['name']} queues that are no lists of names by keys: write them as "
                "{CELERY_BROKER_URL: [celery, unacked]}"
            )
        odd = [name for names in queues.values() for name in names if re.search(r"[*?\[]", str(name))]
        if odd or (queues and str(stated["name"]).endswith(".timer")):
            why = (
                f"{odd[0]!r} as a queue, and a name stands for itself"
                if odd
                else "queues, and a timer is not restarted"
            )
            raise SettingError(
                f"migration_services gives {stated['name']} {why}: name each queue of what does its jobs"
            )
        return cls(
            name=str(stated["name"]),
            manager=str(stated.get("manager") or "systemd"),
            scope=str(stated.get("scope") or "system"),
            user=str(stated.get("user") or ""),
            supervisorctl=tuple(stated.get("supervisorctl") or ("supervisorctl",)),
            restart_command=tuple(stated.get("restart_command") or ()),
            pid_file=str(stated.get("pid_file") or ""),
            health_url=str(stated.get("health_url") or ""),
            health_headers=dict(stated.get("health_headers") or {}),
            queues={str(key): tuple(map(str, names)) for key, names in queues.items()},
        )


def _refuse_queues_nowhere(services: Sequence[Service], own: Sequence[Value]) -> None:
    """Those of which no file says where they are."""
    urls = {name for value in own for name, key in value.keys.items() if key.leads}
    for service in services:
        lost = [key for key in service.queues if key not in urls]
        if lost:
            raise SettingError(
                f"migration_services gives {service.name} queues by {', '.join(lost)}, which is no key with a URL or "
                "a host in a file of migration_values: name the one that leads to their cache, and the file that has it"
            )


@dataclass(frozen=True)
class Migration:
    """What one consumer has: its values, split by where they are, and its services in the order of their restart."""

    own: tuple[Value, ...]
    shared: tuple[Value, ...]
    services: tuple[Service, ...]
    python: str = ""
    user: str = ""

    def uses(self, settings: Mapping[str, Any]) -> list[tuple[int, str]]:
        """Each database with who reads it, once, in their order."""
        return list(
            dict.fromkeys(
                (number, value.keys[name].reader)
                for value in (*self.own, *self.shared)
                for name, number in value.databases(settings).items()
                if value.keys[name].parts
            )
        )

    @property
    def reads_nothing(self) -> bool:
        """Nobody has said what it reads."""
        return not (self.own or self.shared)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Migration:
        """Of ``migration_*`` without the prefix. Raises SettingError."""
        values = tuple(Value.from_dict(stated) for stated in settings.get("values") or ())
        places = [(value.store, value.address) for value in values]
        twice = sorted({address for store, address in places if places.count((store, address)) > 1})
        if twice:
            raise SettingError(f"migration_values names {', '.join(twice)} twice: put its keys into one entry")
        own = tuple(value for value in values if ADDRESSES[value.store] == "path")
        services = tuple(Service.from_dict(stated) for stated in settings.get("services") or ())
        names = [service.name for service in services]
        again = sorted({name for name in names if names.count(name) > 1})
        if again:
            raise SettingError(f"migration_services names {', '.join(again)} twice: a service is restarted once")
        _refuse_queues_nowhere(services, own)
        return cls(
            own=own,
            shared=tuple(value for value in values if ADDRESSES[value.store] != "path"),
            services=services,
            python=str(settings.get("app_python") or ""),
            user=str(settings.get("app_user") or ""),
        )
