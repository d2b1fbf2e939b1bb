# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The stores of AWS, which all consumers share, by the word that the option ``store`` has for each.

The module that changes their values is aws_env_update.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.permission import Permission
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import ssm
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.contract import Clients, Request

MODULE = "aws_env_update"


@dataclass(frozen=True)
class Store:
    """``words`` is what a person calls one that holds a value, ``title`` all of it.

    ``plan``, ``carry_out``, ``original`` and ``current`` take what makes the client of a service by boto3's name of it:
    the value may be in one service, and its journal in another. The first two take the time as text last, and return
    what has ``decision``, ``is_journaled`` and ``version`` for each value. ``original`` tells what the value of a name
    led to before the migration, by the journal or else as ``current``, which tells it as it is now. ``look``,
    ``record`` and ``write`` are what AWS asks for: to read a value, to journal what was there, and to change it.
    """

    words: str
    title: str
    plan: Callable[[Request, Clients, str], Sequence[Any]]
    carry_out: Callable[[Request, Clients, str], Sequence[Any]]
    original: Callable[[Clients, str, str], str]
    current: Callable[[Clients, str], str | None]
    look: tuple[Permission, ...]
    record: tuple[Permission, ...]
    write: tuple[Permission, ...]


STORES: Mapping[str, Store] = {
    ssm.STORE: Store(
        "SSM parameter", ssm.TITLE, ssm.plan, ssm.carry_out, ssm.original, ssm.current, ssm.LOOK, ssm.RECORD, ssm.WRITE
    ),
}
