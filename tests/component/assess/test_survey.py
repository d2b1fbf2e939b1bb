"""What a look at the old Redis says of real engines with real data and real clients, and how it is weighed."""

from __future__ import annotations

import contextlib
import threading
import time

import pytest
import redis
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.survey import Source
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.assessment import assess
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.finding import Circumstances, Old
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.assess.target import target_from
from ansible_collections.kempian.cache_migration.plugins.modules import app_host_info

from tests.component.redis5.server import redis5

PASSWORD = "a-password-of-this-test"
TARGET = {"node_type": "cache.t3.small", "engine_version": "7.1"}


@pytest.fixture
def look(run_module):
    """What a host reads of an old Redis."""

    def run(url, sample=1000, watch=0):
        result = run_module(
            app_host_info.main, migration_name="test", old={"url": url}, survey={"sample": sample, "watch": watch}
        )
        assert not result.get("failed") and not result["changed"], result
        assert PASSWORD not in repr(result)
        return result["survey"]

    return run


@pytest.fixture
def weigh(look):
    """The findings of that."""

    def run(url, target=TARGET, data="cold", sample=1000, known_clients=(), **stated):
        old = Old(Source.from_dict(look(url, sample)), dict.fromkeys(known_clients, ("app1",)))
        return assess({"127.0.0.1": old}, target_from(target), Circumstances(data, **stated))

    return run


@pytest.fixture
def old(start_engine):
    return start_engine(password=PASSWORD)


def finding(findings, subject):
    found = [one for one in findings if one.subject == subject]
    assert found, f"nothing of {subject} in {[one.subject for one in findings]}"
    return found[0]


def subjects(findings, level="refuse"):
    return [one.subject for one in findings if one.level == level]


def test_a_small_engine_may_go_to_a_larger_target_where_cold_is_stated(look, weigh, old):
    old.client.set("page:1", "x", ex=100)
    assert subjects(weigh(old.url(), known_clients={"127.0.0.1"})) == []
    source = look(old.url())
    assert source["total_keys"] == 1 and source["keys_without_ttl"] == 0
    assert source["server"]["version"].count(".") == 2
    assert isinstance(source["used_memory"], int) and source["databases"] == 16


def test_nothing_of_the_data_is_changed(look, old):
    old.client.set("page:1", "x", ex=100)
    old.client.xadd("events", {"a": 1})
    before = old.client.info("commandstats")
    look(old.url())
    after = old.client.info("commandstats")
    reading = {"auth", "ping", "info", "select", "scan", "type", "pttl", "memory|usage", "xlen", "xinfo|groups"}
    reading |= {"client|id", "client|list", "client|info", "module|list", "config|get", "hello", "client|setinfo"}
    reading |= {"function|list", "command|info", "acl|whoami", "acl|dryrun", "dump"}
    assert {name[8:] for name in after if after[name] != before.get(name)} <= reading


def test_data_must_be_stated_and_the_refusal_says_what_cold_means_for_it(weigh, old):
    old.client.mset({"counter:1": 1, "counter:2": 2})
    said = finding(weigh(old.url(), data=""), "data").sentence
    assert "migration_transfer: cold" in said
    assert "2 keys, 2 of them without TTL" in said and "different caches" in said


def test_a_target_that_is_too_small_is_refused_with_one_that_fits(weigh, old):
    client = old.client
    for number in range(42):
        client.set(f"filler:{number}", b"x" * 10_000_000)
    said = finding(weigh(old.url(), {"node_type": "cache.t3.micro"}), "memory").sentence
    assert "cache.t3.micro has 384 MiB" in said and "cache.t3.small" in said
    assert subjects(weigh(old.url(), {"node_type": "cache.t3.medium"})) == []


def test_keys_without_ttl_are_told_by_type_and_pattern_and_not_by_name(look, weigh, old):
    client = old.client
    for number in range(30):
        client.hset(f"user:{number}:profile", "name", "x")
        client.set(f"page:{number}", "x", ex=1000)
    client.set(b"blob:\x00\xff", "x")
    told = finding(weigh(old.url()), "keys without TTL")
    assert told.level == "warn" and "31 of 61" in told.found
    assert "hash: 30 (user:*:profile)" in told.found and "string: 1 (blob:*)" in told.found
    groups = {group["pattern"]: group for group in look(old.url())["key_groups"]}
    assert groups["page:*"]["without_ttl"] == 0 and groups["page:*"]["count"] == 30 and groups["page:*"]["bytes"] > 0


def test_the_sample_is_bounded_for_each_database(look, old):
    for database in (0, 3):
        client = redis.Redis.from_url(old.url(database=database))
        client.mset({f"k:{number}": "x" for number in range(500)})
    source = look(old.url(), sample=50)
    assert source["sampled"] == 100
    assert source["total_keys"] == 1000 and set(source["keyspace"]) == {0, 3}


def test_streams_are_found_with_their_groups_among_many_keys(weigh, old):
    client = old.client
    client.mset({f"k:{number}": "x" for number in range(3000)})
    client.xadd("events", {"a": 1})
    client.xadd("events", {"a": 2})
    client.xgroup_create("events", "billing", id="0")
    client.xreadgroup("billing", "worker", {"events": ">"}, count=1)
    told = finding(weigh(old.url(), sample=10), "streams")
    assert "2 entries" in told.found and "billing, 1 entries pending" in told.found


def test_a_client_that_is_no_host_of_the_inventory_is_named(weigh, old):
    with contextlib.closing(redis.Redis.from_url(old.url(), client_name="exporter")) as stranger:
        stranger.ping()
        told = finding(weigh(old.url()), "clients")
        assert told.level == "warn" and "127.0.0.1" in told.found
        assert "name exporter, last command ping" in told.found
        assert "clients" not in [one.subject for one in weigh(old.url(), known_clients={"127.0.0.1"})]
        refused = finding(weigh(old.url(), unknown_clients="refuse"), "clients")
        assert refused.level == "refuse" and "exporter" in refused.sentence


def test_the_look_does_not_report_its_own_connection(look, old):
    assert not any("client|list" in client["commands"] for client in look(old.url())["clients"])


def test_a_consumer_that_waits_for_jobs_is_told(weigh, old):
    worker = redis.Redis.from_url(old.url())
    waiting = threading.Thread(target=worker.brpop, args=("jobs", 20), daemon=True)
    waiting.start()
    deadline = time.monotonic() + 5
    while old.client.info("clients")["blocked_clients"] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    told = finding(weigh(old.url()), "blocking consumers")
    assert "127.0.0.1" in told.found and "brpop" in told.found
    old.client.rpush("jobs", "done")
    waiting.join(5)


def test_a_subscriber_is_told(weigh, old):
    with old.client.pubsub() as subscriber:
        subscriber.subscribe("news")
        subscriber.get_message(timeout=2)
        assert finding(weigh(old.url()), "subscriptions").found == "127.0.0.1 subscribes to channels (news)."


def test_another_eviction_policy_is_told_with_what_it_means(weigh, start_engine):
    old = start_engine("maxmemory-policy noeviction")
    told = finding(weigh(old.url()), "eviction")
    assert "noeviction" in told.found and "volatile-lru" in told.found and "migration_parameters" in told.remedy
    same = weigh(old.url(), {**TARGET, "parameters": {"maxmemory-policy": "noeviction"}})
    assert "eviction" not in [one.subject for one in same]


def test_an_older_target_a_denied_command_and_persistence_are_told(weigh, start_engine):
    old = start_engine("appendonly yes", "save 60 100")
    old.client.config_set("timeout", 100)
    findings = weigh(old.url(), {"node_type": "cache.t3.small", "engine_version": "6.2"})
    assert finding(findings, "version").level == "warn"
    assert "config set" in finding(findings, "commands").found
    told = finding(findings, "persistence").found
    assert "RDB snapshots" in told and "append-only" in told


def test_a_database_beyond_the_target_counts_also_where_only_a_client_is_at_it(weigh, old):
    with contextlib.closing(redis.Redis.from_url(old.url(database=7))) as client:
        client.ping()
        findings = weigh(old.url(), {**TARGET, "parameters": {"databases": 4}})
        assert "database 7" in finding(findings, "databases").sentence


def of_a_user(start_engine, rights):
    old = start_engine(f"user app on >{PASSWORD} {rights}")
    return old, f"redis://app:{PASSWORD}@127.0.0.1:{old.port}/0"


def test_what_the_user_may_not_ask_is_said_to_be_unchecked(look, weigh, start_engine):
    _old, url = of_a_user(start_engine, "~* +@all -config -module -client")
    told = finding(weigh(url), "not seen")
    assert "CONFIG GET" in told.found and "MODULE LIST" in told.found and "CLIENT LIST" in told.found
    assert "who uses it" in told.means and "which modules are loaded" in told.means
    assert look(url)["databases"] is None


@pytest.mark.parametrize("rights", ["~* +@all -info", "~* +get +set +ping", "~* +@all -@dangerous"])
def test_a_user_who_may_not_even_ask_info_is_no_empty_redis(look, start_engine, rights):
    old, url = of_a_user(start_engine, rights)
    old.client.set("page:1", "x")
    seen = look(url)
    assert seen["failure"]["kind"] == "not_told" and "total_keys" not in seen
    assert "the 'info' command" in seen["msg"] and "migration_assess_url" in seen["msg"]


def by_another(run_module, url, other):
    """What a host reads where a URL for that is stated beside the app's own."""
    seen = run_module(app_host_info.main, migration_name="test", old={"url": url}, survey={"url": other})
    assert PASSWORD not in repr(seen) and "hush-4711-hush" not in repr(seen)
    return seen


def test_another_user_may_read_it_and_the_way_back_is_proven_by_the_app_s_own(run_module, start_engine):
    old = start_engine(f"user app on >{PASSWORD} ~* +get +set +ping", "user admin on >hush-4711-hush ~* +@all")
    app = f"redis://app:{PASSWORD}@127.0.0.1:{old.port}/0"
    old.client.set("page:1", "x")
    seen = by_another(run_module, app, f"redis://admin:hush-4711-hush@localhost:{old.port}/0")
    assert seen["survey"]["total_keys"] == 1 and seen["survey"]["not_told"] == ()
    assert (
        seen["old"]["reached"] and "not told" in {one["name"]: one["detail"] for one in seen["old"]["checks"]}["role"]
    )


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (
            "redis://admin:hush-4711-hush@10.9.9.9:{port}/0",
            "leads to 10.9.9.9:{port}, and what the app reads on this host",
        ),
        ("redis://admin:hush-4711-hush@127.0.0.1:1/0", "leads to 127.0.0.1:1, and what the app reads on this host"),
        ("rediss:/admin:hush-4711-hush@x", "migration_assess_url cannot be read"),
        ("redis://admin:hush-4711-hush@127.0.0.1:{port}/0", "It was asked by migration_assess_url: correct that"),
    ],
)
def test_a_url_that_does_not_read_the_redis_that_the_app_uses_is_refused(run_module, old, other, why):
    seen = by_another(run_module, old.url(), other.format(port=old.port))
    assert why.format(port=old.port) in seen["survey"]["msg"] and seen["survey"]["failure"]
    assert seen["old"]["reached"]


@pytest.mark.parametrize(
    ("rights", "told_of"),
    [
        ("~* +@all -scan", ("SCAN", "which keys and streams there are")),
        ("~app:* +@all", ("TYPE, PTTL, MEMORY USAGE", "which keys there are")),
        ("~* +@all -type", ("TYPE", "which keys there are")),
        ("~* +@all -pttl", ("PTTL", "which keys never expire")),
    ],
)
def test_keys_that_may_not_be_looked_at_are_counted_and_not_guessed(look, weigh, start_engine, rights, told_of):
    old, url = of_a_user(start_engine, rights)
    old.client.mset({"other:1": "x", "other:2": "x"})
    (command, what), findings = told_of, weigh(url)
    assert "2 keys, 2 of them without TTL" in finding(findings, "data").found
    told = finding(findings, "not seen")
    assert f"does not answer {command} to this user" in told.found and what in told.means
    assert "NOPERM" not in repr(look(url)) and "sample" not in [one.subject for one in findings]
    assert all(group["type"] == "string" for group in look(url)["key_groups"])


def test_a_stream_that_may_not_be_read_is_not_called_empty(weigh, start_engine):
    old, url = of_a_user(start_engine, "~* +@all -xlen")
    old.client.xadd("events", {"a": 1})
    findings = weigh(url)
    assert "streams" not in [one.subject for one in findings]
    assert "what its streams hold" in finding(findings, "not seen").means


def test_a_user_without_other_databases_is_told_of_the_app_s_own(look, weigh, start_engine):
    old, url = of_a_user(start_engine, "~* +@all -select")
    old.client.mset({"a": "x", "b": "x"})
    redis.Redis.from_url(old.url(database=2)).set("c", "x")
    assert look(url)["sampled"] == 2 and look(url)["total_keys"] == 3
    assert "the keys of other databases" in finding(weigh(url), "not seen").means


@pytest.mark.parametrize(
    ("command", "name"),
    [
        *[("CLIENT", "CLIENT LIST"), ("CONFIG", "CONFIG GET"), ("SCAN", "SCAN"), ("TYPE", "TYPE")],
        *[("MODULE", "MODULE LIST"), ("MEMORY", "MEMORY USAGE"), ("XLEN", "XLEN"), ("FUNCTION", "FUNCTION LIST")],
    ],
)
def test_what_is_renamed_away_is_named_and_the_rest_weighed(weigh, start_engine, command, name):
    old = start_engine()
    old.client.mset({"a": "x", "b": "x"})
    old.client.xadd("events", {"a": 1})
    old.client.save()
    old.stop()
    findings = weigh(start_engine(f'rename-command {command} ""', folder=old.folder).url())
    assert name in finding(findings, "not seen").found
    assert "3 keys, 3 of them without TTL" in finding(findings, "data").found
    assert subjects(findings) == []


@pytest.mark.parametrize("command", ["KEYS", "FLUSHALL", "FLUSHDB", "DEBUG", "SHUTDOWN"])
def test_what_is_renamed_and_never_asked_is_no_matter(weigh, start_engine, command):
    old = start_engine(f'rename-command {command} ""')
    assert "not seen" not in [one.subject for one in weigh(old.url())]


def test_a_redis_whose_info_is_renamed_is_refused(look, start_engine):
    seen = look(start_engine('rename-command INFO ""').url())
    assert seen["failure"]["kind"] == "not_told" and "unknown command 'INFO'" in seen["msg"]


@pytest.mark.parametrize("how", ['rename-command CLIENT ""', f"user default on >{PASSWORD} ~* +@all -client|list"])
def test_where_clients_cannot_be_told_unknown_ones_cannot_be_excluded(weigh, start_engine, how):
    old = start_engine(how)
    url = f"redis://:{PASSWORD}@127.0.0.1:{old.port}/0" if PASSWORD in how else old.url()
    refused = finding(weigh(url, known_clients={"127.0.0.1"}, unknown_clients="refuse"), "clients")
    assert refused.level == "refuse" and "does not answer CLIENT LIST" in refused.found
    assert subjects(weigh(url, unknown_clients="warn")) == []


def test_keyspace_events_are_told_with_the_parameter_that_keeps_them(weigh, start_engine):
    old = start_engine("notify-keyspace-events Ex")
    with old.client.pubsub() as subscriber:
        subscriber.psubscribe("__keyevent@0__:expired")
        subscriber.get_message(timeout=2)
        told = finding(weigh(old.url()), "keyspace events")
    assert told.level == "warn" and "127.0.0.1 subscribes" in told.found
    assert "notify-keyspace-events: xE in migration_parameters" in told.remedy
    for kept in ("Ex", "AE"):
        same = weigh(old.url(), {**TARGET, "parameters": {"notify-keyspace-events": kept}})
        assert "keyspace events" not in [one.subject for one in same]
    less = weigh(old.url(), {**TARGET, "parameters": {"notify-keyspace-events": "K$"}})
    assert "keyspace events" in [one.subject for one in less]


def test_functions_and_scripts_do_not_come_along(look, weigh, old):
    old.client.function_load("#!lua name=carts\nredis.register_function('total', function() return 1 end)")
    old.client.register_script("return 1")()
    assert look(old.url())["functions"] == ("carts",)
    findings = weigh(old.url())
    told = finding(findings, "functions")
    assert told.level == "warn" and "carts" in told.found and "FUNCTION RESTORE" in told.remedy
    told = finding(findings, "scripts")
    assert told.level == "note" and "it keeps 1 of them" in told.found
    older = finding(weigh(old.url(), {**TARGET, "engine_version": "6.2"}), "functions")
    assert older.level == "refuse" and "7.0 or later" in older.remedy


# --- before Redis 6, which is compiled for them: long ---


@pytest.fixture
def five(start_engine):
    return start_engine(password=PASSWORD, program=redis5())


@pytest.mark.long
@pytest.mark.parametrize("login", ["", "default", "app"])
def test_a_redis_without_users_takes_the_password_of_any(look, five, login):
    """As redis-py has it: the app has got in by such a URL ever since."""
    seen = look(f"redis://{login}:{PASSWORD}@127.0.0.1:{five.port}/0?protocol=2")
    assert seen["server"]["version"].startswith("5.0")


@pytest.mark.long
def test_a_wrong_password_is_told_as_such_also_without_users(look, five):
    seen = look(f"redis://app:wrong-password-here@127.0.0.1:{five.port}/0")
    assert seen["failure"]["kind"] == "auth_wrong"


@pytest.mark.long
def test_streams_are_found_where_scan_knows_no_types(look, weigh, five):
    url = five.url() + "?protocol=2"
    client = redis.Redis.from_url(url)
    client.mset({f"k:{number}": "x" for number in range(3000)})
    client.xadd("events", {"a": 1})
    client.xgroup_create("events", "billing", id="0")
    client.xreadgroup("billing", "worker", {"events": ">"}, count=1)
    told = finding(weigh(url, sample=10), "streams")
    assert "1 streams (events) hold 1 entries, read by the groups billing, 1 entries pending" in told.found
    assert look(url)["not_told"] == () and look(url)["streams_complete"]


@pytest.mark.long
def test_the_app_s_redis_py_goes_back_to_a_redis_without_users(run_module, five):
    url = f"redis://app:{PASSWORD}@127.0.0.1:{five.port}/0?protocol=2"
    seen = run_module(app_host_info.main, migration_name="test", old={"url": url})["old"]
    assert seen["reached"] and seen["through"].startswith("redis-py"), seen


def test_a_wrong_password_ends_with_the_probes_reason(look, old):
    seen = look(old.url(password="wrong-password-here"))
    assert seen["failure"]["kind"] == "auth_wrong" and "cannot be assessed" in seen["msg"]
    assert "the URL that the app uses" in seen["msg"] and "migration_auth_token_secret" not in seen["msg"]


def test_an_unknown_node_type_is_told_to_be_unchecked(weigh, old):
    told = finding(weigh(old.url(), {"node_type": "cache.x9.large"}), "memory")
    assert told.level == "warn" and "cache.x9.large is not known" in told.means


def test_celery_is_found_by_what_it_leaves_where_nothing_is_queued(look, old):
    kombu = pytest.importorskip("kombu")
    with kombu.Connection(old.url(), transport_options={"global_keyprefix": "shop:"}) as broker:
        broker.SimpleQueue("mails").close()
    assert look(old.url())["queue_libraries"] == ("Celery",)


def test_rq_is_found_in_another_database_beyond_the_sample(look, old):
    rq = pytest.importorskip("rq")
    old.client.mset({f"page:{number}": 1 for number in range(3000)})
    with contextlib.closing(redis.Redis.from_url(old.url(database=5))) as there:
        there.mset({f"page:{number}": 1 for number in range(3000)})
        rq.Queue("default", connection=there).enqueue("os.getpid")
    found = look(old.url(), sample=10)
    assert found["queue_libraries"] == ("RQ",) and found["queue_libraries_complete"]


def test_sidekiq_is_found_by_keys_of_its_types_alone(look, old):
    old.client.set("queues", "3")
    old.client.hset("retry", "after", "5")
    assert look(old.url())["queue_libraries"] == ()
    old.client.delete("queues")
    old.client.sadd("queues", "default")
    assert look(old.url())["queue_libraries"] == ("Sidekiq",)


def test_queues_of_celery_and_sidekiq_refuse_a_cluster(weigh, old):
    old.client.lpush("celery", "{}")
    old.client.zadd("schedule", {"{}": 1})
    told = finding(weigh(old.url(), {**TARGET, "protocol": "redis-cluster"}, ready_for=("redis-cluster",)), "queues")
    assert told.level == "refuse" and "Celery and Sidekiq" in told.found
