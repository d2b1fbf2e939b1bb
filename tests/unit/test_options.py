"""Every option once: what it is, what type it has, and who reads it."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import migration
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.stages import STAGES
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.options.table import (
    OPTIONS,
    PARTS,
    of_stages,
    spec,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.service import manager, order

EVERY = list(OPTIONS.values())


def test_no_option_is_declared_twice():
    names = [option.name for part in PARTS for option in part.options]
    assert len(names) == len(set(names)) == len(OPTIONS)


@pytest.mark.parametrize("option", EVERY, ids=lambda option: option.name)
def test_an_option_says_what_it_is_and_is_read_by_a_stage_that_exists(option):
    assert option.what[0].isupper() or option.what.startswith("C("), option.what
    assert option.what.endswith(".") and option.stages and set(option.stages) <= set(STAGES)


def test_every_stage_of_a_goal_reads_options():
    for goal in GOALS.values():
        assert of_stages(goal.stages), goal.name
        assert {"name", "region", "report_dir"} <= set(of_stages(goal.stages))


def test_defaults_are_what_an_option_may_be():
    stated = {option.full_name: option.default for option in EVERY if option.default not in ("", None)}
    assert ArgumentSpecValidator(spec(STAGES)).validate(stated).error_messages == []


def test_text_from_a_command_line_becomes_what_the_option_is():
    """-e and an INI inventory give text, and any text is true."""
    stated = {"migration_adopt": "false", "migration_num_cache_clusters": "3", "migration_app_cidrs": "10.0.0.0/16"}
    checked = ArgumentSpecValidator(spec(["provision", "ingress"])).validate(stated).validated_parameters
    assert checked["migration_adopt"] is False and checked["migration_num_cache_clusters"] == 3
    assert checked["migration_app_cidrs"] == ["10.0.0.0/16"]


def test_a_word_that_is_no_choice_is_refused_by_the_name_of_the_option():
    [told] = ArgumentSpecValidator(spec(["assess"])).validate({"migration_transfer": "warm"}).error_messages
    assert "migration_transfer" in told


def test_what_is_nested_is_checked_too():
    validator = ArgumentSpecValidator(spec(["cutover"]))
    [told] = validator.validate({"migration_values": [{"path": "/opt/shop/.env"}]}).error_messages
    assert "store" in told and "migration_values" in told
    whole = validator.validate({"migration_services": [{"name": "shop"}]}).validated_parameters
    assert whole["migration_services"][0]["manager"] == "systemd"


def test_what_a_run_reads_is_what_its_stages_read():
    names = set(of_stages(("rollback",)))
    assert "rollback_delete_target" in names and "cache_node_type" not in names


def test_an_option_without_a_prefix_is_found_by_that_name_and_stated_with_it():
    assert OPTIONS["canary"].full_name == "migration_canary"
    assert next(iter(spec(["cutover"]))) == "migration_name"


def test_the_words_of_a_service_are_those_that_hosts_take():
    stated = OPTIONS["services"].options
    assert set(stated) <= set(order.OPTIONS) and stated["manager"]["choices"] == list(manager.MANAGERS)
    of_all = {"health_requests", "restart", "timeout", "may_leave_jobs", "queues_timeout"}
    assert set(order.OPTIONS) - set(stated) == of_all, "these are of all services"


def test_the_forms_that_are_told_are_those_that_there_are():
    told = OPTIONS["values"].options["keys"]["description"]
    assert not [form for form in migration.FORMS if f"C({form})" not in told]
