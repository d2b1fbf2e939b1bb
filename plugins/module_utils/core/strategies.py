# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What can become of the data, by the words of ``migration_transfer``. Pure."""

from __future__ import annotations

COLD, COPY, LIVE = "cold", "copy", "live"

# Those that bring it, by a job on a host. One that follows goes on until the last host has been switched.
BRINGING = (COPY, LIVE)
