# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The stages that read options, and which of them go together."""

from __future__ import annotations

STAGES = ("assess", "provision", "ingress", "transfer", "cutover", "rollback", "rotate", "state", "decommission")
MOVES = ("cutover", "rollback", "rotate")
LOGS_IN = ("assess", "provision", "ingress", "transfer", *MOVES)
LOOKS = ("assess", "transfer", "cutover", "rollback", "rotate", "state")
CHANGES = ("provision", "ingress", "transfer", *MOVES, "decommission")
BRINGS = ("transfer", "cutover")  # what goes on until the last host has moved is ended by the cutover
