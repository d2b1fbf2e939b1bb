# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a target is to the rest of the collection: a row of targets/table.py. Pure.

Whoever makes, reads, weighs, prices or removes a target asks its row; nobody asks which service it is. Settings are the
``migration_*`` options without their prefix. What is empty in them counts as left out.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Callable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    PROTOCOLS,
    REDIS,
    Endpoint,
    after_apply,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import Permission
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.offer import Load, Offer, Wishes

Settings = Mapping[str, Any]
Found = Mapping[str, Any]

MIGRATING = "migrating"  # the status of what AWS has follow another cache: it serves, and takes no writes
SERVING = ("available", MIGRATING)

AUTH_TOKEN, PASSWORDS = "auth_token", "passwords"  # what takes a secret, of a target and of a user


@dataclass(frozen=True)
class Part:
    """One thing that a target is made of: the module of this collection that makes it, and its options.

    No secret is in ``args``: it is given to the option that ``takes`` names, as the target's token (``auth_token``) or
    the password of a user (``passwords``). One part is the target (``is_target``): it waits, and its result has
    ``endpoint``, ``monthly_cost`` and ``status``. What it needs stands before it, and what needs it after it.
    """

    what: str
    module: str
    args: Mapping[str, Any]
    is_target: bool = False
    takes: str = ""


@dataclass(frozen=True)
class Traits:
    """What a service is like, whatever the size: what its clients meet, and what its nodes do unless told otherwise."""

    engines: tuple[str, ...]  # the first is what a new target runs where none is stated
    databases: int
    maxmemory_policy: str
    reserved_percent: float
    denied_commands: frozenset[str]  # as a server counts them: "config|set"
    # How data outlives a node, as a predicate.
    keeps: str = (
        "keeps data by replicas and daily snapshots; what was written since the last snapshot is lost where all nodes "
        "of the group are."
    )


@dataclass(frozen=True)
class Actions:
    """What AWS asks for, by what it is needed for: to look at one, to plan what is to be made or changed, to make and
    change it, to give it another token, and to take it away; ``tell`` is what a state tells beside it, and ``migrate``
    what it takes to have AWS itself bring the data.
    """

    look: tuple[Permission, ...]
    plan: tuple[Permission, ...]
    make: tuple[Permission, ...]
    token: tuple[Permission, ...]
    delete: tuple[Permission, ...]
    tell: tuple[Permission, ...] = ()
    migrate: tuple[Permission, ...] = ()


def _nothing(_settings: Settings) -> dict[str, Any]:
    return {}


def _unknown(_settings: Settings, _found: Found | None) -> dict[str, Any]:
    return {}


def _nobody(_settings: Settings) -> Part | None:
    return None


def _migrated_by_nobody(_settings: Settings, _found: Found | None) -> list[str]:
    why = "migration_transfer: managed is of replication groups of ElastiCache alone: choose migration_transfer: copy."
    return [why]


def _never(_settings: Settings, _found: Found | None) -> bool:
    return False


@dataclass(frozen=True)
class Target:
    """One service. ``info_module`` is asked for ``name_option`` and answers with a list under ``listed_as``, each with
    its ``endpoint``, its ``status`` (``available`` once it serves), and the rest in the words of the module's options.

    ``module`` makes one of that name, and leaves as it is what it is not told. Given ``auth_token``, it has that
    token beside the one before by ``auth_token_update_strategy: rotate``, and alone by ``set``. ``expected`` is what
    the settings say of the endpoint (protocol, tls, auth, port, databases) of one that is yet to be made, and
    ``is_durable`` that one which is found, or made by them, has each write in several zones before it answers. Where
    one grows by itself, ``grows_to`` says up to how many bytes, None without a limit. ``app_user`` is the part that is
    the app's user, where that is this migration's to make: then the secret is its password, and no token of the target.
    ``against_managed`` are reasons, as sentences, why AWS itself cannot bring the data to it (migration_transfer:
    managed), which it does by ``migration_module``, of whose options are its name, ``state`` (present, completed,
    absent), ``source_address`` and ``source_port``.

    ``scales`` has what Application Auto Scaling scales of it, by dimension: the setting that is its count, and what
    else that is found changes with it. ``becomes`` is what decides whether it does, once the target is as stated: the
    option will_be of cache_scaling. Where it scales nothing, ``scales_instead`` says what there is in its place.
    """

    service: str  # as an endpoint names it
    title: str  # as people name it
    noun: str  # what one of them is called
    name_option: str
    needs: tuple[str, ...]  # settings without which none can be made
    options: tuple[str, ...]  # settings that are this service's
    module: str
    info_module: str
    listed_as: str
    traits: Traits
    actions: Actions
    parts: Callable[[Settings, Found | None], list[Part]]  # what it is made of, in the order of making
    removal: Callable[[Settings], list[Part]]  # what to take away, in that order: after the target what hangs on it
    maxmemory: Callable[[str], int | None]  # bytes, by node type
    offers: Callable[[Load, Wishes], list[Offer]]  # for the comparison, which puts those of all rows side by side
    node_type_option: str = "cache_node_type"
    shards_option: str = ""  # the setting that says over how many nodes the data is spread
    expected: Callable[[Settings], Mapping[str, Any]] = _nothing
    app_user: Callable[[Settings], Part | None] = _nobody
    iam_login: Mapping[str, Any] = field(default_factory=dict)  # of cache.iam_token.Login, where that is another
    is_durable: Callable[[Settings, Found | None], bool] = _never
    durable_as: str = ""  # how one is stated that is, as a phrase after "take"
    against_managed: Callable[[Settings, Found | None], list[str]] = _migrated_by_nobody
    migration_module: str = ""
    grows_to: Callable[[Settings, Found | None], int | None] | None = None
    grows_by: str = ""  # the setting that says how far, as a phrase
    scales: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    scales_instead: str = ""  # as a sentence without its full stop
    becomes: Callable[[Settings, Found | None], Mapping[str, Any]] = _unknown
    renamed: Mapping[str, str] = field(default_factory=dict)  # options of the modules whose setting has another name
    login_by: str = ""  # how one without authentication gets users, as an advice; empty where none can

    def what(self, settings: Settings) -> str:
        return f"{self.noun} {settings.get(self.name_option) or ''}".rstrip()

    def missing(self, settings: Settings) -> tuple[str, ...]:
        """The options that must be stated before one can be made, by their full names."""
        return tuple(self.setting(name) for name in self.needs if not settings.get(name))

    def setting(self, option: str) -> str:
        """The ``migration_*`` option behind an option of a module, for whoever repeats the module's refusal."""
        return f"migration_{self.renamed.get(option, option)}"

    @property
    def _named_by(self) -> str:
        """The option of the modules that is its name."""
        return next((one for one, setting in self.renamed.items() if setting == self.name_option), self.name_option)

    def look(self, settings: Settings) -> Part:
        """How it is read."""
        args = {self._named_by: settings.get(self.name_option), "migration_name": settings.get("name")}
        return Part(self.what(settings), self.info_module, args)

    def at_rest(self, settings: Settings) -> Part:
        """How one that is there is waited for, and changed in nothing."""
        args = stated(settings, {self._named_by: self.name_option, "wait_timeout": "wait_timeout"})
        return Part(self.what(settings), self.module, args, is_target=True)

    def login(self, settings: Settings) -> Part:
        """What has the secret by which the app logs in, changed in nothing else: its user, or the target itself."""
        user = self.app_user(settings)
        if user is None:
            return replace(self.at_rest(settings), takes=AUTH_TOKEN)
        named = {name: user.args[name] for name in ("migration_name", "user_id", "user_name") if name in user.args}
        return replace(user, args=named)

    def gives_login(self, settings: Settings) -> bool:
        """Whether the target, or its user, has the secret of this migration: not where the app is somebody's user."""
        return not settings.get("username") or self.app_user(settings) is not None

    def found_in(self, result: Mapping[str, Any]) -> Found | None:
        """The target as the info module's result tells it; None where there is none."""
        return next(iter(result.get(self.listed_as) or ()), None)

    def endpoint(self, settings: Settings, found: Found | None) -> Endpoint:
        """How it is reached, by the user that is stated; a placeholder where there is none yet."""
        if found is None:
            name = str(settings.get(self.name_option) or "target")
            return as_user(after_apply(self.service, name, **self._usual(settings)), settings)
        return as_user(Endpoint.from_dict(found["endpoint"]), settings)

    def port(self, settings: Settings) -> int:
        """Where one listens that is made by the settings."""
        return int(self._usual(settings)["port"])

    def reader_port(self, settings: Settings) -> int:
        """Where its reader listens, 0 where that has no port of its own."""
        return int(self._usual(settings).get("reader_port") or 0)

    def _usual(self, settings: Settings) -> dict[str, Any]:
        """What is expected of its endpoint; where the settings leave something out, what its protocol has."""
        expected = self.expected(settings)
        return {**asdict(PROTOCOLS[str(expected.get("protocol") or REDIS)]), **expected}


def as_user(endpoint: Endpoint, settings: Settings) -> Endpoint:
    """Of the users that a cache has only the app can say which one it is."""
    username = settings.get("username") if endpoint.auth in ("rbac", "iam") else ""
    auth = settings.get("authentication_mode") or endpoint.auth
    return replace(endpoint, username=str(username), auth=str(auth)) if username else endpoint


def own_name(settings: Settings) -> str:
    """What groups that belong to a target are called; empty where it is somebody else's, and so are they."""
    return "" if settings.get("adopt") else f"{settings['name']}-cache"


def stated(settings: Settings, options: Mapping[str, str]) -> dict[str, Any]:
    """The options of a module, each from the setting that ``options`` gives it; what is left out is not in it.

    So is a port of 0, which is no port: a setting that is a number has a default.
    """
    values = {option: settings.get(setting) for option, setting in options.items()}
    left_out = [option for option, value in values.items() if value in (None, "", [], {}, ())]
    left_out += ["port"] if values.get("port") == 0 else []
    return {option: value for option, value in values.items() if option not in left_out}
