"""What is moved, as the options state it: values by where they are, services in their order."""

from __future__ import annotations

import pytest
import yaml
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import Endpoint, EndpointError
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.migration import (
    Key,
    Migration,
    Service,
    SettingError,
    Value,
)

FILE = {"store": "dotenv", "path": "/opt/shop/.env"}
PARAMETER = {"store": "ssm", "parameter": "/shop/REDIS_URL"}


def of(values, services=({"name": "shop"},), **more):
    return Migration.from_settings({"values": values, "services": services, **more})


def test_what_is_on_a_host_and_what_all_share_is_told_apart_in_order():
    moved = of([PARAMETER, FILE, {**FILE, "path": "/etc/shop"}])
    assert [value.address for value in moved.own] == ["/opt/shop/.env", "/etc/shop"]
    assert [value.address for value in moved.shared] == ["/shop/REDIS_URL"]


def test_a_file_holds_redis_url_unless_it_says_otherwise_and_a_parameter_the_whole_url():
    assert Value.from_dict(FILE).keys == {"REDIS_URL": Key()}
    assert Value.from_dict({**FILE, "keys": {"CACHE": "url", "QUEUE": "url"}}).keys == {"CACHE": Key(), "QUEUE": Key()}
    assert Value.from_dict(PARAMETER).keys == {"/shop/REDIS_URL": Key()}


def test_a_key_has_the_database_of_the_migration_unless_it_has_one_of_its_own():
    keys = {"CACHE": "url", "QUEUE": {"form": "url", "database": 1}, "RESULTS": {"database": "0"}}
    value, endpoint = Value.from_dict({**FILE, "keys": keys}), Endpoint("elasticache", "shop", address="new").as_dict()
    assert value.held(endpoint, "", {"database": 2}) == {
        "CACHE": "redis://new:6379/2",
        "QUEUE": "redis://new:6379/1",
        "RESULTS": "redis://new:6379/0",
    }
    moved = of([{**FILE, "keys": keys}, {**PARAMETER, "database": 3}])
    assert moved.uses({"database": 2}) == [(number, "redis-py") for number in (2, 1, 0, 3)]


def test_a_database_is_used_by_each_who_reads_it():
    keys = {"BROKER": {"reader": "celery-broker", "database": 1}, "CACHE": {"form": "url", "database": 1}}
    assert of([{**FILE, "keys": {**keys, "LOCKS": keys["CACHE"]}}]).uses({}) == [(1, "celery-broker"), (1, "redis-py")]


def test_celery_is_told_to_verify_where_there_is_tls():
    keys = {"BROKER": {"reader": "celery-broker"}, "RESULTS": {"reader": "celery-backend"}, "CACHE": "url"}
    value, plain = Value.from_dict({**FILE, "keys": keys}), Endpoint("elasticache", "shop", address="new")
    held = value.held({**plain.as_dict(), "tls": True}, "", {})
    assert held["BROKER"] == held["RESULTS"] == held["CACHE"] + "?ssl_cert_reqs=required"
    assert set(value.held(plain.as_dict(), "", {}).values()) == {"redis://new:6379/0"}


def test_an_app_that_appends_its_own_query_gets_none_in_its_url_and_its_host_is_told_so():
    value = Value.from_dict({**FILE, "keys": {"REDIS_URL": {"reader": "none"}, "CACHE": "url"}})
    held = value.held({**Endpoint("elasticache", "shop", address="new").as_dict(), "tls": True}, "", {})
    assert held["REDIS_URL"] == "rediss://new:6379/0"
    assert {name: form.as_dict()["reader"] for name, form in value.forms.items()} == {"REDIS_URL": "none"}
    shared = [Value.from_dict({**PARAMETER, "reader": reader}).takes_options for reader in ("none", "celery-broker")]
    assert shared == [False, True]


PARTS = {
    "REDIS_HOST": "host",
    "REDIS_PORT": "port",
    "REDIS_PASSWORD": "password",
    "REDIS_DB": {"form": "database", "database": 3},
    "REDIS_SSL": {"form": "tls", "on": True, "off": "False"},
}
SECURE = Endpoint("elasticache", "shop", address="cache.internal", tls=True, auth="token").as_dict()


def test_each_key_holds_what_its_form_makes_of_the_endpoint():
    keys = {**PARTS, "CHANNEL": {"template": "name={url}", "database": 1}, "PEER": {"template": "{host}:{port}"}}
    value = Value.from_dict({**FILE, "keys": {"REDIS_URL": "url", **keys}})
    assert value.held(SECURE, "t/1", {"database": 2}) == {
        "REDIS_URL": "rediss://:t%2F1@cache.internal:6379/2",
        "REDIS_HOST": "cache.internal",
        "REDIS_PORT": "6379",
        "REDIS_PASSWORD": "t/1",
        "REDIS_DB": "3",
        "REDIS_SSL": "true",
        "CHANNEL": "name=rediss://:t%2F1@cache.internal:6379/1",
        "PEER": "cache.internal:6379",
    }
    assert sorted(value.databases({"database": 2}).values()) == [1, 2, *[3] * 6], "keys of a group have one"
    assert "REDIS_URL" not in value.forms and value.forms["REDIS_SSL"].off == "False"


def test_the_words_for_tls_are_what_yaml_makes_of_them():
    """In YAML 1.1 `on` and `off` are truths, also where they are keys."""
    stated = yaml.safe_load("{H: host, S: {form: tls, on: 'True', off: 'False', added: true}, P: password}")
    value = Value.from_dict({**FILE, "keys": stated})
    assert value.held(SECURE, "t", {})["S"] == "True" and value.forms["S"].off == "False"


def test_what_was_meant_for_the_key_itself_is_not_quoted():
    with pytest.raises(SettingError, match=r"the form \*\*\*: use url") as refused:
        of([{**FILE, "keys": {"REDIS_URL": "redis://:hunter2@old:6379/0"}}])
    assert "hunter2" not in str(refused.value)


def test_parts_by_which_the_app_is_not_told_what_the_target_needs_are_refused():
    parts = {name: key for name, key in PARTS.items() if name in ("REDIS_HOST", "REDIS_PORT")}

    def refused(keys, endpoint=SECURE, token="t"):
        try:
            Value.from_dict({**FILE, "keys": keys}).held(endpoint, token, {})
        except EndpointError as error:
            return str(error)
        return ""

    assert "wants TLS and a password, and of REDIS_HOST, REDIS_PORT in /opt/shop/.env" in refused(parts)
    assert "wants a password, and" in refused({**parts, "REDIS_SSL": "tls"})
    assert refused({**parts, "REDIS_URL": "url"}), "which may be another cache's"
    assert not refused({**parts, "REDIS_URL": {"form": "url", "added": True}})
    assert not refused(
        {
            "REDIS_URL": {"form": "url", "group": "a"},
            **{name: {"form": form, "group": "a"} for name, form in parts.items()},
        }
    )
    assert not refused(parts, Endpoint("elasticache", "shop", address="new").as_dict(), "")
    named = Endpoint("elasticache", "shop", address="new", auth="rbac", username="shop").as_dict()
    assert "a user name" in refused({**parts, "REDIS_PASSWORD": "password"}, named)


CLUSTER = Endpoint("elasticache", "shop", "redis-cluster", "new", databases=1)
MEMCACHED = Endpoint("elasticache-memcached", "shop", "memcached", "new", 11211, databases=1)


@pytest.mark.parametrize("stated", [{"literal": "true"}, {"literal": True}, {"form": "literal", "literal": "true"}])
def test_a_literal_is_written_as_it_is_beside_a_url_and_asks_for_no_host(stated):
    keys = {"REDIS_URL": "url", "REDIS_CLUSTER": {**stated, "added": True}}
    value = Value.from_dict({**FILE, "keys": keys})
    assert value.held(CLUSTER.as_dict(), "", {}) == {"REDIS_URL": "redis://new:6379", "REDIS_CLUSTER": "true"}
    assert list(value.forms) == ["REDIS_CLUSTER"] and value.forms["REDIS_CLUSTER"].shown("true") == "true"
    assert value.forms["REDIS_CLUSTER"].shown("another") == "***"


def test_a_literal_makes_no_use_of_a_database_of_its_own():
    keys = {"REDIS_URL": {"form": "url", "database": 3}, "KIND": {"literal": "new"}}
    assert of([{**FILE, "keys": keys}]).uses({"database": 0}) == [(3, "redis-py")]


@pytest.mark.parametrize("stated", [{"literal": "a{host}"}, {"form": "literal"}, {"form": "host", "literal": "x"}])
def test_what_is_no_literal_is_refused(stated):
    with pytest.raises(SettingError, match="literal"):
        of([{**FILE, "keys": {"REDIS_URL": "url", "KIND": stated}}])


@pytest.mark.parametrize("reader", ["celery-broker", "celery-backend", "rq", "django"])
@pytest.mark.parametrize("target", [CLUSTER, MEMCACHED], ids=lambda target: target.protocol)
def test_who_asks_one_node_alone_is_not_pointed_at_another_protocol(reader, target):
    value = Value.from_dict({**FILE, "keys": {"BROKER_URL": {"form": "url", "reader": reader}}})
    with pytest.raises(EndpointError, match=f"BROKER_URL in /opt/shop/.env: .*{reader}") as refused:
        value.held(target.as_dict(), "", {})
    assert target.protocol in str(refused.value)


def test_memcached_has_parts_and_a_url_by_whose_scheme_an_app_chooses_its_client():
    parts = Value.from_dict({**FILE, "keys": {"CACHE_HOST": "host", "CACHE_PORT": "port"}})
    assert parts.held(MEMCACHED.as_dict(), "", {}) == {"CACHE_HOST": "new", "CACHE_PORT": "11211"}
    assert Value.from_dict(FILE).held(MEMCACHED.as_dict(), "", {}) == {"REDIS_URL": "memcached://new:11211"}


def test_of_a_login_by_iam_the_user_is_told_and_no_password():
    iam = Endpoint("elasticache", "shop", address="new", tls=True, auth="iam", username="shop").as_dict()
    keys = {"H": "host", "S": "tls", "U": "username"}
    assert Value.from_dict({**FILE, "keys": keys}).held(iam, "", {}) == {"H": "new", "S": "true", "U": "shop"}
    with pytest.raises(EndpointError, match="IAM tokens"):
        Value.from_dict({**FILE, "keys": keys}).held(iam, "token", {})
    with pytest.raises(EndpointError, match="IAM tokens"):
        Value.from_dict(FILE).held(iam, "", {})


def test_services_keep_their_order_and_have_systemd_unless_they_say_otherwise():
    services = of([FILE], [{"name": "web"}, {"name": "worker", "manager": "supervisor"}]).services
    assert services == (Service("web"), Service("worker", "supervisor"))
    assert services[0].supervisorctl == ("supervisorctl",)


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([{"store": "vault"}], "'vault'"),
        ([{"store": "dotenv"}], "no path"),
        ([{"store": "ssm", "path": "/x"}], "no parameter"),
        ([{**FILE, "keys": ["REDIS_URL"]}], "no mapping"),
        ([{**FILE, "keys": {"REDIS_URL": "hots"}}], "'hots'"),
        ([{**FILE, "keys": {"REDIS_PORT": "port"}}], "no key with their host"),
        ([{**FILE, "keys": {"REDIS_HOST": "host", "REDIS_DB": 0}}], "gives REDIS_DB of /opt/shop/.env int"),
        ([{**FILE, "keys": {"REDIS_HOST": "host", "REDIS_DB": {"database": 0}}}], "of REDIS_DB not what it holds"),
        ([{**FILE, "keys": {"REDIS_HOST": "host", "QUEUE_PORT": {"form": "port", "group": "q"}}}], "(group q)"),
        ([{**FILE, "keys": {"REDIS_URL": {"template": "{hots}"}}}], "the part 'hots'"),
        ([{**FILE, "keys": {"REDIS_URL": "template"}}], "no template"),
        ([{**FILE, "keys": {"REDIS_URL": {"form": "host", "template": "{host}"}}}], "a template"),
        ([{**FILE, "keys": {"H": "host", "S": {"form": "tls", "on": 1, "off": "1"}}}], "the same word"),
        ([{**PARAMETER, "form": "host"}], "is a URL that is there"),
        ([{**FILE, "keys": {"REDIS_URL": {"form": "url", "db": 1}}}], "unknown db"),
        ([{**FILE, "keys": {"REDIS_URL": {"database": -1}}}], "-1"),
        ([{**FILE, "keys": {"REDIS_URL": {"reader": "jedis"}}}], "'jedis'"),
        ([{**PARAMETER, "form": "json"}], "'json'"),
        ([FILE, FILE], "twice"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused_by_its_option(values, named):
    with pytest.raises(SettingError, match="migration_values") as refused:
        of(values)
    assert named in str(refused.value)


def test_who_reads_a_key_says_that_it_is_a_url_also_beside_parts():
    held = of([{**FILE, "keys": {"REDIS_HOST": "host", "BROKER": {"reader": "celery-broker", "database": 1}}}]).own[0]
    assert held.keys["BROKER"].form == "url"


@pytest.mark.parametrize("queues", [["celery"], {"REDIS_URL": "celery"}, {"REDIS_URL": []}, {"BROKER": ["celery"]}])
def test_queues_of_which_nobody_knows_where_they_are_are_refused_by_their_option(queues):
    with pytest.raises(SettingError, match="migration_services gives worker queues"):
        of([FILE], [{"name": "worker", "queues": queues}])
    known = of([FILE], [{"name": "worker", "queues": {"REDIS_URL": ["celery", "unacked"]}}]).services[0]
    assert known.queues == {"REDIS_URL": ("celery", "unacked")}


@pytest.mark.parametrize(
    ("services", "named"),
    [
        ([{"name": "worker", "queues": {"REDIS_URL": ["rq:queue:*"]}}], "'rq:queue:\\*' as a queue"),
        ([{"name": "job.timer", "queues": {"REDIS_URL": ["celery"]}}], "a timer is not restarted"),
        ([{"name": "worker"}, {"name": "worker", "scope": "user"}], "names worker twice"),
    ],
)
def test_what_would_not_be_waited_for_or_told_apart_is_refused(services, named):
    with pytest.raises(SettingError, match=f"migration_services.*{named}"):
        of([FILE], services)


def test_queues_are_found_by_parts_too():
    parts = {"BROKER_HOST": "host", "BROKER_PASSWORD": "password", "BROKER_DB": {"form": "database", "database": 1}}
    moved = of([{**FILE, "keys": parts}], [{"name": "worker", "queues": {"BROKER_HOST": ["celery"]}}])
    target = Endpoint("elasticache", "shop", address="new", auth="token").as_dict()
    assert moved.own[0].urls(target, "a-token", {})["BROKER_HOST"] == "redis://:a-token@new:6379/1"
    with pytest.raises(SettingError, match="by BROKER_PASSWORD, which is no key with a URL or a host"):
        of([{**FILE, "keys": parts}], [{"name": "worker", "queues": {"BROKER_PASSWORD": ["celery"]}}])


def test_a_service_without_a_name_is_refused_by_its_option():
    with pytest.raises(SettingError, match="migration_services"):
        of([FILE], [{"manager": "systemd"}])


def test_who_neither_moves_nor_looks_at_hosts_needs_no_values():
    assert Migration.from_settings({"values": []}).reads_nothing and not of([PARAMETER]).reads_nothing
