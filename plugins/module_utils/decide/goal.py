# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run is for. Every playbook but decommission.yml is the engine with one of these goals. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Mapping

TARGET, ORIGINAL, TOKEN, NONE = "target", "original", "token", "none"


@dataclass(frozen=True)
class Goal:
    """``destination``: where consumers end up. ``stages``: what is planned and done on the way, in this order, and
    whose options are read. ``goes_on``: what cannot be seen or moved is named, and holds nothing else up.
    """

    name: str
    destination: str
    stages: tuple[str, ...]
    goes_on: bool = False

    @property
    def looks_at_hosts(self) -> bool:
        return self.stages != ("provision",)

    @property
    def reads_values(self) -> bool:
        """Whether it matters what the app reads."""
        return not set(self.stages) <= {"provision", "ingress"}

    @property
    def finds_values(self) -> bool:
        """Whether it is proposed what the app reads, where nobody has said it."""
        return self.destination == TARGET and self.reads_values

    @property
    def moves(self) -> bool:
        return bool({"cutover", "rollback", "rotate"} & set(self.stages))

    @property
    def reverts(self) -> bool:
        """Whether a look at a value tells what would put the original back."""
        return self.destination in (ORIGINAL, NONE)


GOALS: Mapping[str, Goal] = {
    goal.name: goal
    for goal in (
        Goal("migrate", TARGET, ("assess", "provision", "ingress", "transfer", "cutover")),
        Goal("assess", TARGET, ("assess",)),
        Goal("provision", TARGET, ("provision",)),
        Goal("ingress", TARGET, ("ingress",)),
        Goal("transfer", TARGET, ("transfer",)),
        Goal("cutover", TARGET, ("cutover",)),
        Goal("rollback", ORIGINAL, ("rollback",), goes_on=True),
        Goal("rotate", TOKEN, ("rotate",)),
        Goal("state", NONE, ("state",), goes_on=True),
    )
}
