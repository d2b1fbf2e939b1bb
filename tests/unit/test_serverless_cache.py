"""A serverless cache as AWS tells it, as it is wanted, and the steps from one to the other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.cost import (
    least_cost,
    monthly_cost,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.current import (
    ServerlessCache,
    endpoint_of,
    shape,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.desired import (
    Deletion,
    Desired,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.limits import (
    NO_LIMITS,
    UsageLimits,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.serverless_cache.plan import (
    plan_absent,
    plan_present,
    predict,
    refuse_unusable,
    warnings,
)
from hypothesis import given
from hypothesis import strategies as st

OURS = {"cache_migration:name": "shop-prod"}
CURRENT = ServerlessCache(
    serverless_cache_name="shop",
    status="available",
    arn="arn:aws:elasticache:us-east-1:123456789012:serverlesscache:shop",
    description="Cache of shop-prod",
    engine="valkey",
    major_engine_version="8",
    full_engine_version="8.1",
    cache_usage_limits=UsageLimits(data_maximum=10),
    security_group_ids=("sg-1",),
    subnet_ids=("subnet-1", "subnet-2"),
    snapshot_retention_limit=5,
    daily_snapshot_time="05:00",
    address="shop-x.serverless.use1.cache.amazonaws.com",
    port=6379,
    reader_address="shop-x.serverless.use1.cache.amazonaws.com",
    reader_port=6380,
    tags=OURS,
)


def desired(**params):
    return Desired.from_params({"serverless_cache_name": "shop", "migration_name": "shop-prod", **params})


def plan(current, **params):
    return plan_present(current, desired(**params))


def calls(current, **params):
    """The parameters of each call, but for the name."""
    return [
        {name: value for name, value in step.parameters.items() if name != "ServerlessCacheName"}
        for step in plan(current, **params).steps
    ]


def refusal(current, **params):
    with pytest.raises(PlanRefused) as refused:
        plan(current, **params)
    assert refused.value.option in refused.value.message
    return refused.value


# --- as AWS tells it ---

TOLD = {
    "ServerlessCacheName": "shop",
    "Status": "AVAILABLE",
    "ARN": CURRENT.arn,
    "Engine": "valkey",
    "MajorEngineVersion": "8",
    "FullEngineVersion": "valkey 8.1",
    "CacheUsageLimits": {"DataStorage": {"Maximum": 10, "Unit": "GB"}, "ECPUPerSecond": {"Minimum": 1000}},
    "SecurityGroupIds": ["sg-2", "sg-1"],
    "SubnetIds": ["subnet-1"],
    "Endpoint": {"Address": "shop.example.com", "Port": 6379},
    "ReaderEndpoint": {"Address": "shop.example.com", "Port": 6380},
    "Migration": {"Status": "IN-PROGRESS"},
    "Integrations": [{"IntegrationType": "dynamodb", "Status": "enabled"}],
}


def test_what_aws_tells_is_read_with_statuses_in_lower_case():
    cache = shape(TOLD, OURS)
    assert (cache.status, cache.full_engine_version, cache.live_migration) == ("available", "8.1", "in-progress")
    assert cache.cache_usage_limits == UsageLimits(data_maximum=10, ecpu_minimum=1000)
    assert (cache.security_group_ids, cache.integrations) == (("sg-1", "sg-2"), ("dynamodb",))
    assert (cache.connection_type, cache.network_type) == ("vpc", "ipv4")
    assert cache.is_ready


@pytest.mark.parametrize("status", ["creating", "modifying", "snapshotting", "migrating", "", "something-new"])
def test_any_status_but_available_is_not_ready(status):
    cache = shape({**TOLD, "Status": status}, OURS)
    assert not cache.is_ready and cache.waits_for


def test_a_cache_is_ready_only_with_its_tags_and_its_endpoint():
    assert not shape(TOLD, None).is_ready
    assert not shape({**TOLD, "Endpoint": {}}, OURS).is_ready


def test_its_endpoint_is_that_of_a_cluster_with_tls_and_one_database_and_has_both_ports():
    endpoint = endpoint_of(shape(TOLD, OURS))
    assert (endpoint.service, endpoint.protocol, endpoint.tls) == ("elasticache-serverless", "redis-cluster", True)
    assert (endpoint.port, endpoint.reader_port, endpoint.databases, endpoint.auth) == (6379, 6380, 1, "none")
    assert endpoint_of(shape({**TOLD, "UserGroupId": "shop"}, OURS)).auth == "rbac"


def test_one_that_is_yet_to_be_made_has_a_placeholder_that_says_the_same():
    endpoint = endpoint_of(predict(None, desired(engine="valkey", major_engine_version="8")))
    assert (endpoint.state, endpoint.protocol, endpoint.tls, endpoint.port) == (
        "after_apply",
        "redis-cluster",
        True,
        6379,
    )
    assert (endpoint.databases, endpoint.engine, endpoint.engine_version) == (1, "valkey", "8")


def test_memcached_has_its_own_protocol_and_port():
    endpoint = endpoint_of(predict(None, desired(engine="memcached")))
    assert (endpoint.protocol, endpoint.port, endpoint.tls) == ("memcached", 11211, True)


# --- as it is wanted ---


@pytest.mark.parametrize(
    "params, option",
    [
        ({"serverless_cache_name": "-shop"}, "serverless_cache_name"),
        ({"serverless_cache_name": "s" * 41}, "serverless_cache_name"),
        ({"engine": "redis", "major_engine_version": "8"}, "major_engine_version"),
        ({"engine": "valkey", "major_engine_version": "6"}, "major_engine_version"),
        ({"engine": "valkey", "major_engine_version": "8.0"}, "major_engine_version"),
        ({"engine": "memcached", "major_engine_version": "2"}, "major_engine_version"),
        ({"cache_usage_limits": {"ecpu_per_second": {"maximum": 999}}}, "cache_usage_limits"),
        ({"cache_usage_limits": {"ecpu_per_second": {"maximum": 15_000_001}}}, "cache_usage_limits"),
        ({"cache_usage_limits": {"data_storage": {"maximum": -1}}}, "cache_usage_limits"),
        ({"cache_usage_limits": {"data_storage": 5}}, "cache_usage_limits"),
        ({"description": "x" * 256}, "description"),
        ({"snapshot_retention_limit": 36}, "snapshot_retention_limit"),
        ({"daily_snapshot_time": "5:00"}, "daily_snapshot_time"),
        ({"daily_snapshot_time": "05:00-06:00"}, "daily_snapshot_time"),
        ({"kms_key_id": "alias/mine"}, "kms_key_id"),
        ({"snapshot_arns_to_restore": ["last"]}, "snapshot_arns_to_restore"),
        ({"security_group_ids": ["after-apply"]}, "security_group_ids"),
        ({"user_group_id": "shop", "remove_user_group": True}, "remove_user_group"),
        ({"user_group_id": "shop", "engine": "memcached"}, "user_group_id"),
        ({"connection_type": "public"}, "accept_public_access"),
        ({"tags": {"aws:x": "y"}}, "tags"),
    ],
)
def test_a_bad_option_is_refused_by_its_name(params, option):
    with pytest.raises(PlanRefused) as refused:
        desired(**params)
    assert refused.value.option == option and option in refused.value.message


def test_what_is_left_out_or_empty_changes_nothing():
    empty = {"description": "", "engine": "", "user_group_id": "", "subnet_ids": [], "cache_usage_limits": {}}
    assert not plan(CURRENT, **empty).steps


def test_names_are_compared_as_aws_stores_them():
    assert desired(serverless_cache_name="SHOP", user_group_id="Users").user_group_id == "users"
    assert desired(serverless_cache_name="SHOP").serverless_cache_name == "shop"


# --- making one ---

PUBLIC = {"connection_type": "public", "accept_public_access": True}


def test_one_call_makes_it_with_its_owner_tag():
    (call,) = calls(
        None,
        engine="valkey",
        major_engine_version="8",
        cache_usage_limits={"data_storage": {"maximum": 10}, "ecpu_per_second": {"minimum": 1000}},
        security_group_ids=["sg-1"],
        subnet_ids=["subnet-2", "subnet-1"],
        snapshot_retention_limit=0,
    )
    assert call == {
        "Description": "Cache of shop-prod",
        "Engine": "valkey",
        "MajorEngineVersion": "8",
        "CacheUsageLimits": {"DataStorage": {"Maximum": 10, "Unit": "GB"}, "ECPUPerSecond": {"Minimum": 1000}},
        "SecurityGroupIds": ["sg-1"],
        "SubnetIds": ["subnet-1", "subnet-2"],
        "SnapshotRetentionLimit": 0,
        "Tags": [{"Key": "cache_migration:name", "Value": "shop-prod"}],
    }


@pytest.mark.parametrize(
    "params, option",
    [
        ({}, "engine"),
        ({"engine": "redis", "integrations": ["dynamodb"]}, "integrations"),
        ({"engine": "valkey", "major_engine_version": "8", "integrations": ["dynamodb"]}, "integrations"),
        (
            {
                "engine": "valkey",
                "major_engine_version": "8",
                "connection_type": "public",
                "accept_public_access": True,
            },
            "connection_type",
        ),
        (
            {
                "engine": "valkey",
                "major_engine_version": "9",
                "connection_type": "public",
                "accept_public_access": True,
            },
            "user_group_id",
        ),
        (
            {
                "engine": "valkey",
                "cache_usage_limits": {"data_storage": {"minimum": 5, "maximum": 2}},
            },
            "cache_usage_limits",
        ),
    ],
)
def test_what_aws_would_not_make_is_refused(params, option):
    assert refusal(None, **params).option == option


def test_one_that_the_internet_reaches_is_said_twice_and_warned_of():
    stated = {**PUBLIC, "user_group_id": "shop"}
    (call,) = calls(None, engine="valkey", major_engine_version="9", **stated)
    assert call["ConnectionType"] == "public"
    assert "reached from the internet" in warnings(predict(None, desired(engine="valkey", **stated)))[0]
    assert not warnings(CURRENT)


def test_one_on_its_way_out_is_made_again():
    assert plan(replace(CURRENT, status="deleting"), engine="valkey").steps[0].action == "CreateServerlessCache"


def test_what_it_was_restored_from_is_kept_in_a_tag_and_another_origin_is_refused():
    arn = "arn:aws:elasticache:us-east-1:123456789012:serverlesscachesnapshot:last"
    stated = {"engine": "valkey", "snapshot_arns_to_restore": [arn]}
    (call,) = calls(None, **stated)
    assert call["SnapshotArnsToRestore"] == [arn]
    assert {"Key": "cache_migration:restored_from", "Value": arn} in call["Tags"]
    made = replace(predict(None, desired(**stated)), status="available")
    assert not plan(made, **stated, purge_tags=True, tags={}).steps
    assert refusal(made, snapshot_arns_to_restore=[f"{arn}-2"]).option == "snapshot_arns_to_restore"
    assert refusal(CURRENT, snapshot_arns_to_restore=[arn]).option == "snapshot_arns_to_restore"


# --- changing one ---


def test_each_option_is_changed_by_a_call_of_its_own_in_order_after_the_tags():
    steps = plan(
        CURRENT,
        description="Another",
        daily_snapshot_time="06:00",
        snapshot_retention_limit=7,
        cache_usage_limits={"data_storage": {"maximum": 20}},
        security_group_ids=["sg-2"],
        user_group_id="shop",
        major_engine_version="9",
        tags={"team": "a"},
    ).steps
    assert steps[0].action == "AddTagsToResource"
    assert [[name for name in step.parameters if name != "ServerlessCacheName"] for step in steps[1:]] == [
        ["Description"],
        ["DailySnapshotTime"],
        ["SnapshotRetentionLimit"],
        ["CacheUsageLimits"],
        ["SecurityGroupIds"],
        ["UserGroupId"],
        ["MajorEngineVersion"],
    ]
    assert [step.disruptive for step in steps] == [False] * 6 + [True, True]


def test_limits_that_are_not_named_stay_and_zero_takes_one_away():
    cache = replace(CURRENT, cache_usage_limits=UsageLimits(data_maximum=10, ecpu_maximum=5000))
    (call,) = calls(cache, cache_usage_limits={"data_storage": {"maximum": 20}})
    assert call["CacheUsageLimits"] == {
        "DataStorage": {"Maximum": 20, "Unit": "GB"},
        "ECPUPerSecond": {"Maximum": 5000},
    }
    (call,) = calls(cache, cache_usage_limits={"ecpu_per_second": {"maximum": 0}})
    assert call["CacheUsageLimits"]["ECPUPerSecond"] == {"Maximum": 0}
    assert not calls(cache, cache_usage_limits={"data_storage": {"maximum": 10, "minimum": 0}})


def test_the_most_that_aws_has_is_no_limit_and_it_tells_of_it_where_none_was_stated():
    cache = replace(CURRENT, cache_usage_limits=UsageLimits(data_maximum=5000, ecpu_maximum=15_000_000))
    none = {"data_storage": {"maximum": 0}, "ecpu_per_second": {"maximum": 0}}
    assert not calls(cache, cache_usage_limits=none)
    assert not calls(
        replace(cache, cache_usage_limits=NO_LIMITS), cache_usage_limits={"data_storage": {"maximum": 5000}}
    )
    (call,) = calls(cache, cache_usage_limits={"data_storage": {"maximum": 10}})
    assert call["CacheUsageLimits"]["DataStorage"] == {"Maximum": 10, "Unit": "GB"}


def test_a_minimum_above_the_maximum_that_is_there_is_refused():
    refusal(CURRENT, cache_usage_limits={"data_storage": {"minimum": 11}})


def test_users_go_by_an_option_of_their_own():
    cache = replace(CURRENT, user_group_id="shop")
    (step,) = plan(cache, remove_user_group=True).steps
    assert step.parameters["RemoveUserGroup"] is True and "UserGroupId" not in step.parameters
    assert not plan(CURRENT, remove_user_group=True).steps
    refusal(replace(cache, connection_type="public"), remove_user_group=True)


REDIS = replace(CURRENT, engine="redis", major_engine_version="7", full_engine_version="7.1")
VALKEY_7 = replace(CURRENT, major_engine_version="7", full_engine_version="7.2")


def test_redis_oss_becomes_valkey_in_place_with_its_version_and_back():
    assert calls(REDIS, engine="valkey") == [{"Engine": "valkey", "MajorEngineVersion": "7"}]
    assert calls(REDIS, engine="valkey", major_engine_version="8") == [{"Engine": "valkey", "MajorEngineVersion": "8"}]
    assert calls(VALKEY_7, engine="redis") == [{"Engine": "redis", "MajorEngineVersion": "7"}]


def test_users_change_where_their_engine_fits():
    to_valkey = plan(REDIS, engine="valkey", user_group_id="shop").steps
    assert ["Engine" in step.parameters for step in to_valkey] == [True, False]
    to_redis = plan(replace(VALKEY_7, user_group_id="v"), engine="redis", user_group_id="shop").steps
    assert ["Engine" in step.parameters for step in to_redis] == [False, True]


@pytest.mark.parametrize(
    "current, params, option",
    [
        (CURRENT, {"engine": "redis"}, "engine"),
        (CURRENT, {"engine": "memcached"}, "engine"),
        (replace(CURRENT, engine="memcached", major_engine_version="1.6"), {"engine": "valkey"}, "engine"),
        (
            replace(CURRENT, engine="memcached", major_engine_version="1.6"),
            {"major_engine_version": "1.7"},
            "major_engine_version",
        ),
        (CURRENT, {"major_engine_version": "7"}, "major_engine_version"),
        (REDIS, {"major_engine_version": "8"}, "major_engine_version"),
        (REDIS, {"major_engine_version": "6"}, "major_engine_version"),
        (CURRENT, {"subnet_ids": ["subnet-1"]}, "subnet_ids"),
        (CURRENT, {"kms_key_id": "0000-1111"}, "kms_key_id"),
        (CURRENT, {"network_type": "ipv6"}, "network_type"),
        (CURRENT, PUBLIC, "connection_type"),
        (CURRENT, {"integrations": ["dynamodb"]}, "integrations"),
        (replace(CURRENT, engine="memcached", major_engine_version="1.6"), {"user_group_id": "shop"}, "user_group_id"),
    ],
)
def test_what_only_a_new_cache_can_have_is_refused_with_the_way(current, params, option):
    refused = refusal(current, **params)
    assert refused.option == option
    if option not in ("user_group_id",):
        assert "another serverless_cache_name" in refused.message or "is Valkey" in refused.message


def test_a_key_is_named_by_its_id_or_its_arn():
    cache = replace(CURRENT, kms_key_id="arn:aws:kms:us-east-1:123456789012:key/0000-1111")
    assert not plan(cache, kms_key_id="0000-1111").steps
    assert not plan(cache, kms_key_id=cache.kms_key_id).steps


# --- whose it is ---


def test_somebody_elses_is_used_as_it_is_or_not_at_all():
    theirs = replace(CURRENT, tags={})
    assert refusal(theirs).option == "adopt"
    assert not plan(theirs, adopt=True, engine="valkey", description="Ours", tags={"team": "a"}).steps
    refused = refusal(theirs, adopt=True, snapshot_retention_limit=1)
    assert refused.option == "snapshot_retention_limit"
    assert predict(theirs, desired(adopt=True, snapshot_retention_limit=1)) == theirs


def test_one_that_could_not_be_made_is_told_with_what_aws_says_of_it():
    with pytest.raises(PlanRefused) as refused:
        refuse_unusable(replace(CURRENT, status="create-failed"), desired(), "No addresses are left in subnet-1")
    assert "No addresses are left in subnet-1" in refused.value.message


def deletion(**params):
    return Deletion.from_params({"serverless_cache_name": "shop", "migration_name": "shop-prod", **params})


def test_it_is_deleted_with_a_last_snapshot_or_its_data_given_up_on_purpose():
    (step,) = plan_absent(CURRENT, deletion(final_snapshot_name="Shop-last")).steps
    assert step.parameters == {"ServerlessCacheName": "shop", "FinalSnapshotName": "shop-last"} and step.disruptive
    (step,) = plan_absent(CURRENT, deletion(skip_final_snapshot=True)).steps
    assert step.parameters == {"ServerlessCacheName": "shop"}
    for params in ({}, {"final_snapshot_name": "a", "skip_final_snapshot": True}, {"final_snapshot_name": "a b"}):
        with pytest.raises(PlanRefused) as refused:
            deletion(**params)
        assert refused.value.option == "final_snapshot_name"


@pytest.mark.parametrize("tags", [{}, None, {"cache_migration:name": "another"}])
def test_what_is_not_this_migrations_is_never_deleted(tags):
    with pytest.raises(PlanRefused) as refused:
        plan_absent(replace(CURRENT, tags=tags), deletion(skip_final_snapshot=True))
    assert refused.value.option == "state"


def test_nothing_is_left_to_delete_of_what_is_gone_or_going():
    assert not plan_absent(None, deletion(skip_final_snapshot=True)).steps
    assert not plan_absent(replace(CURRENT, status="deleting"), deletion(skip_final_snapshot=True)).steps


# --- the property ---

USAGE = st.builds(
    UsageLimits,
    data_maximum=st.sampled_from([0, 10, 20, 5000]),
    data_minimum=st.sampled_from([0, 1]),
    ecpu_maximum=st.sampled_from([0, 5000]),
    ecpu_minimum=st.sampled_from([0, 1000]),
)
CACHES = st.builds(
    replace,
    st.just(CURRENT),
    engine=st.sampled_from(["redis", "valkey", "memcached"]),
    major_engine_version=st.sampled_from(["7", "8", "9"]),
    cache_usage_limits=USAGE,
    security_group_ids=st.sampled_from([("sg-1",), ("sg-1", "sg-2")]),
    user_group_id=st.sampled_from(["", "shop"]),
    snapshot_retention_limit=st.integers(0, 2),
    connection_type=st.sampled_from(["vpc", "public"]),
    tags=st.sampled_from([OURS, {**OURS, "team": "a"}, {**OURS, "team": "b", "aws:x": "y"}, {}]),
).map(
    lambda cache: replace(
        cache,
        major_engine_version={"redis": "7", "memcached": "1.6"}.get(cache.engine, cache.major_engine_version),
    )
)
LIMIT = st.fixed_dictionaries({}, optional={"maximum": st.sampled_from([0, 10, 5000]), "minimum": st.just(0)})
WANTED = st.fixed_dictionaries(
    {},
    optional={
        "engine": st.sampled_from(["redis", "valkey", "memcached"]),
        "major_engine_version": st.sampled_from(["7", "8", "9"]),
        "description": st.sampled_from(["Cache of shop-prod", "Another"]),
        "cache_usage_limits": st.fixed_dictionaries({}, optional={"data_storage": LIMIT, "ecpu_per_second": LIMIT}),
        "security_group_ids": st.sampled_from([["sg-1"], ["sg-2", "sg-1"]]),
        "user_group_id": st.sampled_from(["shop", "other"]),
        "remove_user_group": st.booleans(),
        "snapshot_retention_limit": st.integers(0, 2),
        "daily_snapshot_time": st.sampled_from(["05:00", "06:00"]),
        "subnet_ids": st.sampled_from([["subnet-2", "subnet-1"], ["subnet-1"]]),
        "tags": st.sampled_from([{}, {"team": "a"}]),
        "purge_tags": st.booleans(),
        "adopt": st.booleans(),
    },
)


@given(CACHES | st.none(), WANTED)
def test_planning_against_what_a_plan_leads_to_yields_no_steps(current, params):
    try:
        wanted = desired(**params)
        made = plan_present(current, wanted)
    except PlanRefused as refused:
        assert refused.option in refused.message
        return
    after = predict(current, wanted)
    assert not plan_present(replace(after, status="available"), wanted).steps
    assert bool(made.steps) == (current is None or after != current)
    modifications = [step for step in made.steps if step.action == "ModifyServerlessCache"]
    assert all(set(step.parameters) - {"ServerlessCacheName"} for step in modifications)
    assert not modifications or current is not None


@given(USAGE, USAGE)
def test_what_is_sent_of_limits_leads_from_any_to_any(before, after):
    """Whether AWS takes what is sent for all there is, or for what changes."""
    sent = UsageLimits.from_api(after.as_api(before))
    assert sent == after
    assert UsageLimits.from_api(after.as_api()) == after and UsageLimits.from_api(None) == NO_LIMITS


# --- what it costs ---


def test_the_cost_is_of_the_data_and_the_requests_and_has_a_floor():
    cost = monthly_cost("us-east-1", "valkey", 2, 1000)
    assert (cost["usd_data"], cost["usd_requests"]) == (122.64, 6.04)
    assert monthly_cost("us-east-1", "valkey", 0, 0)["usd"] == 6.13
    assert monthly_cost("us-east-1", "redis", 0, 0)["usd"] == 91.25
    assert least_cost("us-east-1", "valkey", UsageLimits(data_minimum=1, ecpu_minimum=1000))["usd"] == 67.36


@pytest.mark.parametrize("region, engine", [("eu-west-1", "valkey"), ("us-east-1", "keydb"), ("", "redis")])
def test_a_price_that_is_in_no_list_is_unknown(region, engine):
    cost = monthly_cost(region, engine, 1, 1)
    assert cost["usd"] is None and "unknown" in cost["note"]
    assert least_cost(region, engine, NO_LIMITS)["note"].startswith("unknown")
