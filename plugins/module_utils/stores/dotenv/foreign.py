# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Files that set an app's environment and are no .env: an edit by its rules would break them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.text import Document


@dataclass(frozen=True)
class Foreign:
    """What a file is, and how its value comes to lie where this store can change it."""

    what: str
    way_out: str

    @property
    def sentence(self) -> str:
        return f"is {self.what} and no .env file, which is all that the store dotenv can change. {self.way_out}"


# A line that only such a file has, by the manual page systemd.unit(5), by supervisor's "Configuration File"
# (https://supervisord.org/configuration.html), and by `services` of the Compose specification.
_KINDS = (
    (
        re.compile(r"\s*\[(?:Unit|Service|Install|Timer|Socket)\]\s*\Z"),
        Foreign(
            "a systemd unit",
            "Move the value into a .env file that the unit names by EnvironmentFile=, and give that file's path",
        ),
    ),
    (
        re.compile(r"\s*\[(?:program:[^\]]+|supervisord|eventlistener:[^\]]+|fcgi-program:[^\]]+)\]\s*\Z"),
        Foreign(
            "a configuration of supervisor",
            "Move the value into a .env file that the program's command reads (sh -c 'set -a; . FILE; exec …'), and "
            "give that file's path",
        ),
    ),
    (
        re.compile(r"services:\s*\Z"),
        Foreign(
            "a file of docker compose",
            "Move the value into a .env file that its service names by env_file:, and give that file's path",
        ),
    ),
)


def kind_of(document: Document) -> Foreign | None:
    """None of a file of KEY=value lines, whatever else is in it. What stands within quotes is part of a value."""
    lines = [piece.text for piece in document.pieces if piece.key is None]
    return next((foreign for pattern, foreign in _KINDS if any(map(pattern.match, lines))), None)
