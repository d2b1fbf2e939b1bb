# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What can become of the data, by the words of ``migration_transfer``. Pure."""

from __future__ import annotations

COLD, SEED, COPY, LIVE, MANAGED = "cold", "seed", "copy", "live", "managed"

# Those that bring it. A host has a job for each, which brings it, watches AWS do so, or sees that it is there.
BRINGING = (SEED, COPY, LIVE, MANAGED)

# With these what is written meanwhile comes along, too: one goes on until the last host has been switched, the other
# until the first.
FOLLOWING = (LIVE, MANAGED)
