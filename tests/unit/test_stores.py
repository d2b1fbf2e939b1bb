"""The tables of stores: what each row names is there."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import ADDRESSES
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_aws, on_host
from ansible_collections.kempian.cache_migration.plugins.modules import aws_env_update, env_update

TABLES = [(on_host, env_update), (on_aws, aws_env_update)]


@pytest.mark.parametrize(("table", "module"), TABLES, ids=["host", "aws"])
def test_the_module_of_a_table_takes_its_stores_and_tells_of_each(table, module):
    assert module.__name__.endswith(f".{table.MODULE}")
    assert module.OPTIONS["store"]["choices"] == list(table.STORES)
    documented = yaml.safe_load(module.DOCUMENTATION)["options"]["store"]
    assert documented["choices"] == list(table.STORES)
    assert all(f"V({name})" in " ".join(documented["description"]) for name in table.STORES)


def test_no_two_stores_have_the_same_name():
    assert not set(on_host.STORES) & set(on_aws.STORES)


@pytest.mark.parametrize("name", on_aws.STORES)
def test_the_module_tells_what_a_store_of_aws_asks_of_iam(name):
    store = on_aws.STORES[name]
    asked = [one.action for one in (*store.look, *store.record, *store.write)]
    assert asked and all(f"C({action})" in aws_env_update.DOCUMENTATION for action in asked)


def test_each_store_has_its_address_and_there_is_no_other():
    assert set(ADDRESSES) == {*on_host.STORES, *on_aws.STORES}
