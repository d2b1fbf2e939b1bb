# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a migration may be called."""

from __future__ import annotations

import re

_GOOD = re.compile(r"(?=.{1,64}\Z)[A-Za-z](?:-?[A-Za-z0-9])*\Z")
RULE = "use a letter, then letters, digits and single hyphens, 64 characters at most"


def is_good(name: str) -> bool:
    """It becomes a tag, a folder, a part of parameters' paths, and of the names that AWS's groups are given."""
    return bool(_GOOD.match(name or ""))
