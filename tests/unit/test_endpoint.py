"""The endpoint contract, and the URLs that are made of it, read and masked."""

from __future__ import annotations

import dataclasses
import json
import traceback
from urllib.parse import quote

import pytest
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import (
    Endpoint,
    EndpointError,
    Node,
    UrlParts,
    after_apply,
    build_url,
    is_of_each_host,
    mask_url,
    parse_url,
    protocol_of,
    with_options_of,
)
from hypothesis import example, given
from hypothesis import strategies as st
from redis.connection import parse_url as redis_py_parse_url

PRIMARY = Endpoint(
    service="elasticache",
    name="shop",
    address="master.shop.abc.use1.cache.amazonaws.com",
    port=6379,
    reader_address="replica.shop.abc.use1.cache.amazonaws.com",
    reader_port=6379,
    nodes=(Node("shop-001", "shop-001.shop.abc.use1.cache.amazonaws.com", 6379),),
    tls=True,
    auth="token",
    engine_version="7.1",
)
PLAIN = dataclasses.replace(PRIMARY, tls=False, auth="none")
LOOKALIKES = "\u2100\uff20\uff1a\uff0f\uff1f\uff03"  # Unicode normalises them to signs that structure a URL
SECRETS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40)


def test_an_endpoint_survives_json_and_the_strings_that_templates_make_of_numbers():
    mapping = json.loads(json.dumps(PRIMARY.as_dict()))
    assert Endpoint.from_dict(mapping) == PRIMARY
    assert Endpoint.from_dict({**mapping, "port": "6379", "tls": "True", "databases": "16"}) == PRIMARY


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"address": ""}, "lacks address"),
        ({"port": "x"}, "port"),
        ({"tls": "maybe"}, "tls"),
        ({"protocol": "http"}, "protocol"),
        ({"auth": "basic"}, "auth"),
        ({"state": "soon"}, "state"),
        ({"nodes": ["shop-001"]}, "node"),
    ],
)
def test_a_broken_mapping_is_refused_by_the_name_of_what_is_wrong(wrong, named):
    with pytest.raises(EndpointError, match=named):
        Endpoint.from_dict({**PRIMARY.as_dict(), **wrong})


def test_something_that_is_no_mapping_is_refused():
    with pytest.raises(EndpointError, match="mapping"):
        Endpoint.from_dict("redis://host")  # type: ignore[arg-type]


@given(token=SECRETS, database=st.integers(0, 15), tls=st.booleans())
def test_redis_py_reads_from_a_built_url_exactly_what_went_in(token, database, tls):
    url = build_url(dataclasses.replace(PRIMARY, tls=tls), token, database)
    assert url.startswith("rediss://" if tls else "redis://")
    read = redis_py_parse_url(url)
    assert (read["host"], read["port"], read["password"], read["db"]) == (PRIMARY.address, 6379, token, database)


@given(token=SECRETS, user=SECRETS, database=st.integers(0, 15))
def test_what_was_built_is_parsed_back(token, user, database):
    parts = parse_url(build_url(dataclasses.replace(PRIMARY, auth="rbac", username=user), token, database))
    assert (parts.username, parts.password, parts.database) == (user, token, database)
    assert (parts.host, parts.port, parts.tls) == (PRIMARY.address, 6379, True)


def test_an_endpoint_without_authentication_has_a_url_without_login():
    assert build_url(PLAIN, database=2) == "redis://master.shop.abc.use1.cache.amazonaws.com:6379/2"


def test_an_ipv6_address_is_bracketed():
    assert build_url(dataclasses.replace(PLAIN, address="fd00::1")) == "redis://[fd00::1]:6379/0"


def test_a_cluster_gets_a_database_only_where_it_serves_one_beyond_zero():
    cluster = dataclasses.replace(PLAIN, protocol="redis-cluster", databases=1)
    assert build_url(cluster).endswith(":6379")
    with pytest.raises(EndpointError, match="serves database 0 only"):
        build_url(cluster, database=1)
    assert build_url(dataclasses.replace(cluster, databases=16), database=3).endswith(":6379/3")


@pytest.mark.parametrize("database", [-1, 16])
def test_a_database_that_the_endpoint_does_not_serve_is_refused(database):
    with pytest.raises(EndpointError, match="databases 0 to 15"):
        build_url(PLAIN, database=database)


def test_a_token_for_an_endpoint_without_authentication_is_refused():
    with pytest.raises(EndpointError, match="leave the token out"):
        build_url(PLAIN, "a-token-of-sixteen")


def test_a_missing_token_is_refused_unless_the_endpoint_is_yet_to_be_made():
    with pytest.raises(EndpointError, match="wants a token"):
        build_url(PRIMARY)
    assert build_url(after_apply("elasticache", "shop", auth="token")) == "redis://after-apply.invalid:6379/0"


def test_a_url_of_memcached_says_by_its_scheme_which_client_the_app_is_to_use():
    plain = dataclasses.replace(PLAIN, protocol="memcached", address="shop.cfg.internal", port=11211, databases=1)
    assert build_url(plain) == "memcached://shop.cfg.internal:11211"
    url = build_url(dataclasses.replace(plain, tls=True))
    assert url == "memcacheds://shop.cfg.internal:11211"
    assert parse_url(url) == UrlParts("memcacheds", "shop.cfg.internal", 11211, tls=True)
    assert (protocol_of(url), protocol_of("redis://a", "redis-cluster")) == ("memcached", "redis-cluster")
    with pytest.raises(EndpointError, match="serves database 0 only"):
        build_url(plain, database=1)
    with pytest.raises(EndpointError, match="no authentication"):
        build_url(plain, "a-token-of-sixteen")


def test_options_of_one_client_do_not_come_along_to_another():
    assert with_options_of("memcached://new:11211", "redis://old/0?socket_timeout=3") == "memcached://new:11211"


def test_no_url_is_made_for_iam():
    with pytest.raises(EndpointError, match="15 minutes"):
        build_url(dataclasses.replace(PLAIN, auth="iam"), "token")


def test_the_placeholder_goes_through_the_contract_like_any_endpoint():
    placeholder = after_apply("elasticache", "shop", tls=True, auth="token", engine_version="7.1")
    assert Endpoint.from_dict(placeholder.as_dict()) == placeholder
    assert not placeholder.is_known
    assert build_url(placeholder, "a-token-of-sixteen") == "rediss://:a-token-of-sixteen@after-apply.invalid:6379/0"
    assert "a-token-of-sixteen" in build_url(after_apply("elasticache", "shop"), "a-token-of-sixteen")


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://",
        "rediss://h:1/3",
        "redis://user:p%40ss@h:6380/0",
        "redis://h/1?db=2",
        "redis://h/abc",
        "redis://h?password=abc&username=u",
        "redis://h/1?password=abc@def",
        "redis://h/²",
    ],
)
def test_a_url_is_read_as_redis_py_reads_it(url):
    ours, theirs = parse_url(url), redis_py_parse_url(url)
    assert ours.host == theirs.get("host", "localhost")
    assert ours.port == theirs.get("port", 6379)
    assert ours.database == theirs.get("db", 0)
    assert ours.password == theirs.get("password", "")
    assert ours.username == theirs.get("username", "")


def test_a_unix_socket_has_its_path_as_host():
    parts = parse_url("unix:///run/redis.sock?db=1")
    assert (parts.host, parts.port, parts.database) == ("/run/redis.sock", 0, 1)


@pytest.mark.parametrize(
    "url",
    [
        "http://:hunter2@h",
        "",
        "hunter2",
        "redis://:hun#ter2@h:6379/0",
        "redis://:hun/ter2@h:6379/0",
        "redis://h?db=x",
        "redis://h?db=²",
        "redis://h:port",
        *(f"redis://:hun{sign}ter2@h:6379/0" for sign in "[]" + LOOKALIKES),
        "redis://:hun[ter2@[::1]:6379/0",
        "redis://user:hunter2@[h]:6379/0",
    ],
)
def test_what_cannot_be_read_is_refused_without_quoting_the_secret(url):
    with pytest.raises(EndpointError) as refused:
        parse_url(url)
    told = "".join(traceback.format_exception(refused.value))
    assert "hun" not in told
    assert "ter2" not in told


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("rediss://:secret@host:6379/0", "rediss://:***@host:6379/0"),
        ("redis://user:secret@host:6379/0", "redis://user:***@host:6379/0"),
        ("redis://secret@host:6379", "redis://***@host:6379"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://:se:cr@et@host/0", "redis://:***@host/0"),
        ("redis://host/0?password=secret&db=1", "redis://host/0?password=***&db=1"),
        ("redis://127.0.0.1:1/0?password=abc@defSECRET", "redis://127.0.0.1:1/0?password=***"),
        ("redis://host/0?p%61ssword=secret", "redis://host/0?password=***"),
        ("redis://:secret@host/0?ssl_keyfile=secret@x", "redis://:***@host/0?ssl_keyfile=***"),
        ("redis://host?socket_timeout=1.5&db=1;password=secret", "redis://host?socket_timeout=1.5&db=***"),
        ("redis://host?secret&se-cret=1", "redis://host?***&***"),
        ("unix://user:secret@/run/redis.sock?db=1", "unix://user:***@/run/redis.sock?db=1"),
        ("redis://[fd00::1]:6379/0", "redis://[fd00::1]:6379/0"),
        ("secret", "***"),
        ("", ""),
    ],
)
def test_a_masked_url_shows_the_place_and_never_the_secret(url, masked):
    assert mask_url(url) == masked


@pytest.mark.parametrize(
    "url",
    [
        "redis://:se#cret@host/0",
        "redis://:se/cret@host/0",
        "redis://:123?secret@host/0",
        "redis://:@123?secret@host/0",
        "redis://:@12/3?secret@host/0",
        "redis://user:123?secret=x@host/0",
        "redis://user:12/x?secret=x@host/0",
        "redis://:se[cret@host/0",
        "redis://:se\uff20cret@host/0",
        "redis://host:secret",
    ],
)
def test_nothing_but_the_scheme_is_shown_where_the_login_has_no_certain_end(url):
    assert mask_url(url) == "redis://***"


@given(SECRETS.filter(lambda text: len(text) > 7))
def test_no_raw_password_survives_masking(secret):
    assert secret not in mask_url(f"redis://:{secret}@host:6379/0")


def test_the_repr_of_a_parsed_url_has_no_password():
    assert "hunter2" not in repr(parse_url("redis://:hunter2@h?password=hunter2"))


# --- what comes along from an old URL ---

BARE = "rediss://:new%23token@new:6379/2"
KEPT = ["decode_responses", "socket_timeout", "client_name", "protocol", "health_check_interval"]
LEFT_OUT = ["db", "host", "port", "path", "username", "password", "ssl_cert_reqs", "ssl_ca_certs", "ssl"]
OPTIONS = st.lists(
    st.tuples(st.sampled_from(KEPT + LEFT_OUT), st.from_regex(r"[0-9]{1,9}", fullmatch=True)),
    unique_by=lambda one: one[0],
)


@pytest.mark.parametrize(
    ("old", "query"),
    [
        ("redis://old/2?decode_responses=True&socket_timeout=5", "?decode_responses=True&socket_timeout=5"),
        ("redis://old?socket_timeout=5&db=2&decode_responses=True", "?socket_timeout=5&decode_responses=True"),
        ("redis://old/0?db=2&client_name=a%20b+c%26d&client_name=x", "?client_name=a%20b+c%26d&client_name=x"),
        ("redis://old/0?client_name=a@b&ssl_cert_reqs=none", "?client_name=a@b"),
        ("redis://old/0?d%62=2&p%61ssword=old", ""),
        ("redis://old/0?username=u&password=old&host=h&port=1&path=%2Frun&sslkey=x", ""),
        ("redis://old/0?timeout=1;password=old;protocol=3", "?timeout=1;protocol=3"),
        ("redis://old/0?&db=1&&flag&a=", "?flag&a="),
        ("unix:///run/redis.sock?db=1&decode_responses=True", "?decode_responses=True"),
        ("redis://old/0", ""),
        ("redis://old/0?", ""),
        ("postgres://old/0?a=1", ""),
        ("redis://:hun#ter2@old/0?a=1", ""),
        ("", ""),
    ],
)
def test_options_come_along_but_for_where_and_who_and_tls(old, query):
    assert with_options_of(BARE, old) == BARE + query


@pytest.mark.parametrize(
    ("url", "way_out"),
    [
        ("sentinel://:hunter2@s1:26379/mymaster", "today's primary"),
        ("redis+sentinel://s1:26379/mymaster/0", "today's primary"),
        ("sentinel://:hunter2@s1:26379;sentinel://:hunter2@s2:26379", "today's primary"),
        ("valkey://:hunter2@old:6379/0", "write it with redis://"),
        ("valkeys://old:6379/0", "rediss://"),
        ("redis+socket:///run/redis.sock", "listen on an address"),
        ("postgres://old/0", "must start with redis://"),
    ],
)
def test_a_url_of_another_client_is_refused_with_the_way_out(url, way_out):
    with pytest.raises(EndpointError) as refused:
        parse_url(url)
    assert way_out in str(refused.value) and "hunter2" not in str(refused.value)


@pytest.mark.parametrize("url", ["not a cache's", ""])
def test_a_new_value_that_is_no_url_stays(url):
    assert with_options_of(url, "redis://old/0?decode_responses=True") == url


@pytest.mark.parametrize(
    ("own", "merged"),
    [
        ("?ssl_cert_reqs=required", "?ssl_cert_reqs=required&decode_responses=True&protocol=2"),
        ("?protocol=3", "?protocol=3&decode_responses=True"),
        ("?", "?decode_responses=True&protocol=2"),
    ],
)
def test_what_a_new_value_says_for_itself_stands_before_the_options_that_come_along(own, merged):
    url = with_options_of(BARE + own, "redis://old/0?decode_responses=True&ssl_cert_reqs=none&protocol=2")
    assert url == BARE + merged
    assert with_options_of(BARE + own, url) == url


@pytest.mark.parametrize("old", ["redis://:123?hunter2@old/0", "redis://user:1?hunter2=x@old/0"])
def test_what_may_be_a_password_never_comes_along_as_an_option(old):
    with pytest.raises(EndpointError, match="%40") as refused:
        with_options_of(BARE, old)
    assert "hunter2" not in str(refused.value)


@given(options=OPTIONS, old_password=SECRETS)
@example(options=[("db", "3"), ("protocol", "3")], old_password="x")
def test_redis_py_reads_the_new_place_with_the_old_options_also_a_second_time(options, old_password):
    query = "&".join(f"{name}={value}" for name, value in options)
    url = with_options_of(BARE, f"redis://:{quote(old_password, safe='')}@old:6380/1?{query}")
    kept = [(name, value) for name, value in options if name in KEPT]
    assert url == BARE + ("?" if kept else "") + "&".join(f"{name}={value}" for name, value in kept)
    read, bare = redis_py_parse_url(url), redis_py_parse_url(BARE)
    assert {name: read[name] for name in bare} == bare
    assert set(read) - set(bare) == {name for name, _value in kept}
    assert with_options_of(BARE, url) == url


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.9.9.9", "169.254.169.254", "0.0.0.0", "224.0.0.1"),
        *("::1", "::", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "fe80::1%eth0", "fd00:ec2::254"),
    ],
)
def test_an_address_that_each_host_has_for_itself_is_known(address):
    assert is_of_each_host(address)


@pytest.mark.parametrize("address", ["10.0.0.1", "100.64.0.1", "52.1.2.3", "fd12::1", "2600:1f14::1", "node.example"])
def test_one_that_others_reach_is_none(address):
    assert not is_of_each_host(address)
