"""What the controller refuses to begin with, whatever hosts would say."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.plugin_utils.looking import Looking

from tests.unit.engine_world import SETTINGS

FILE = {"store": "dotenv", "path": "/opt/shop/.env"}
SERVICE = {"name": "shop"}


def looking(goal):
    return Looking(None, GOALS[goal], {**SETTINGS, "values": [FILE], "services": [SERVICE]}, {})


def test_a_target_that_no_value_can_lead_to_is_refused_before_a_host_is_asked():
    memcached = Endpoint("elasticache", "shop", address="cache.internal", protocol="memcached")
    with pytest.raises(AnsibleActionFail, match="name a target of Redis OSS or Valkey"):
        looking("cutover").shared(memcached, "")


def test_the_way_back_does_not_ask_what_a_value_would_be():
    memcached = Endpoint("elasticache", "shop", address="cache.internal", protocol="memcached")
    assert looking("rollback").shared(memcached, "") == ([], "")
