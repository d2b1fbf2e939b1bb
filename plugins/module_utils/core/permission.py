# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A permission in AWS: an action, where it is allowed, and why somebody needs it. Pure.

The rows of targets and stores say theirs; ``aws/iam/`` makes policies of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping


@dataclass(frozen=True)
class Place:
    """Resources of one kind, by ARNs without ``arn:`` and the partition, with the names of a migration in braces.

    ``where`` are conditions as IAM has them: operator → key → value. ``title`` begins the name of a statement.
    """

    title: str
    resources: tuple[str, ...]
    where: tuple[tuple[str, str, str], ...] = ()


EVERYTHING = Place("Read", ("*",))  # of what AWS cannot narrow, or where the answer is a list


@dataclass(frozen=True)
class Permission:
    """``unseen``: why no call of a run shows it. ``without``: what becomes of a run that lacks it, where it goes on."""

    action: str
    why: str
    on: Place = EVERYTHING
    unseen: str = ""
    without: str = ""

    @property
    def service(self) -> str:
        return self.action.partition(":")[0]

    @property
    def row(self) -> tuple[str, Place]:
        """What tells two permissions apart."""
        return (self.action, self.on)


OURS = ("StringEquals", "aws:ResourceTag/cache_migration:name", "{name}")
"""The condition that holds a change to what is a migration's."""


def each(place: Place, actions: Mapping[str, str]) -> tuple[Permission, ...]:
    """Permissions on one place, by action and reason."""
    return tuple(Permission(action, why, place) for action, why in actions.items())
