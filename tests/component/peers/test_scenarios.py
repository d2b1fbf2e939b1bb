"""Every scenario that applies, from its first state to its deletion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.component.local_aws import Aws
from tests.component.peers.scenarios import APPLICABLE, NOT_APPLICABLE, SCENARIOS, Scenario
from tests.component.peers.services.table import SERVICES
from tests.component.peers.story import Story

# One or two a service are of the short run; all of them take minutes.
QUICK = (
    "TestAccElastiCacheReplicationGroup_disappears",
    "TestAccElastiCacheCluster_disappears",
    "TestAccElastiCacheServerlessCache_basicValkey",
    "TestAccElastiCacheSubnetGroup_update",
    "TestAccElastiCacheParameterGroup_removeAllParameters",
    "TestAccElastiCacheUser_tags",
    "TestAccElastiCacheUserGroup_tags",
    "TestAccMemoryDBCluster_Update_description",
    "TestAccMemoryDBACL_basic",
    "TestAccMemoryDBParameterGroup_basic",
)


def _marked(scenario: Scenario) -> Any:
    marks = [] if scenario.id in QUICK else [pytest.mark.long]
    return pytest.param(scenario, id=scenario.id.removeprefix("TestAcc"), marks=marks)


@pytest.mark.parametrize("scenario", [_marked(scenario) for scenario in APPLICABLE])
def test_a_scenario_of_the_peer(
    scenario: Scenario, aws: Aws, run: Callable[..., dict[str, Any]], settings: Callable[..., None]
) -> None:
    settings(creating_seconds=0, modifying_seconds=0)
    story = Story(aws, run, SERVICES[scenario.service], scenario)
    try:
        story.play()
    finally:
        story.clean_up()


def test_each_scenario_is_run_or_has_a_reason_why_not() -> None:
    ids = [scenario.id for scenario in SCENARIOS]
    assert len(ids) == len(set(ids))
    assert set(NOT_APPLICABLE) <= set(ids)
    assert all(NOT_APPLICABLE.values())
    assert set(QUICK) <= {scenario.id for scenario in APPLICABLE}
