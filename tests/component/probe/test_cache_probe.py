"""cache_probe against real engines: what works, and each thing that can be in the way."""

from __future__ import annotations

import datetime
import os
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest
from ansible.module_utils import basic
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import app_library
from ansible_collections.kempian.cache_migration.plugins.module_utils.core import endpoint
from ansible_collections.kempian.cache_migration.plugins.modules import cache_probe, env_update

TOKEN = "a-token-of-this-test!"


@pytest.fixture
def probe(run_module):
    def run(check_mode=False, **params):
        result = run_module(cache_probe.main, check_mode=check_mode, **{"timeout": 2.0, **params})
        assert TOKEN not in repr(result)
        return result

    return run


@pytest.fixture
def without_redis_py(monkeypatch):
    monkeypatch.setitem(sys.modules, "redis", None)


def stages(result):
    return [check["name"] for check in result["checks"] if check["ok"]]


def failed_as(result, kind):
    assert result.get("failed"), result
    assert result["failure"]["kind"] == kind, result["failure"]
    assert result["failure"]["found"] in result["msg"] and result["failure"]["remedy"] in result["msg"]
    assert result["reached"] is False
    return result["msg"]


# --- what works ---


def test_a_plain_engine_with_a_password_is_reached_through_redis_py(probe, start_engine):
    engine = start_engine(password=TOKEN)
    result = probe(url=engine.url())
    assert result["reached"] and not result["changed"]
    assert stages(result) == [
        *("resolve", "connect", "tls", "auth", "ping", "role", "database", "client", "write", "latency")
    ]
    assert result["through"].startswith("redis-py ")
    assert result["server"]["engine"] == "redis" and result["server"]["role"] == "master"
    assert result["client_address"] == "127.0.0.1"
    assert result["location"] == {"host": "127.0.0.1", "port": engine.port, "tls": False, "database": 0}
    assert 0 < result["latency_ms"]["p50"] <= result["latency_ms"]["max"]


def test_an_endpoint_with_tls_and_a_token_is_reached(probe, start_engine, ca, ca_file):
    engine = start_engine(password=TOKEN, certificate=ca.issue_cert("localhost"))
    target = endpoint.Endpoint("elasticache", "shop", address="localhost", port=engine.tls_port, tls=True, auth="token")
    result = probe(endpoint=target.as_dict(), auth_token=TOKEN, database=3, ca_certs=ca_file)
    assert result["reached"]
    assert result["location"] == {"host": "localhost", "port": engine.tls_port, "tls": True, "database": 3}


def test_a_user_of_iam_logs_in_by_a_token_that_has_every_sign_of_a_url(probe, start_engine):
    signed = f"shop-cache/?Action=connect&User=shop&X-Amz-Signature={TOKEN}%2F@:#"
    engine = start_engine(f"user shop on >{signed} ~* +@all")
    target = endpoint.Endpoint(
        "elasticache", "shop-cache", address="127.0.0.1", port=engine.port, auth="iam", username="shop"
    )
    result = probe(endpoint=target.as_dict(), auth_token=signed)
    assert result["reached"] and signed not in repr(result)
    failed_as(probe(endpoint=target.as_dict(), auth_token=f"{signed}0"), "auth_wrong")


@pytest.mark.usefixtures("without_redis_py")
def test_a_host_without_redis_py_is_probed_by_the_client_that_comes_along(probe, start_engine, ca, ca_file):
    engine = start_engine(password=TOKEN, certificate=ca.issue_cert("localhost"))
    result = probe(url=engine.url(scheme="rediss", host="localhost", database=1), ca_certs=ca_file)
    assert result["reached"] and result["through"] == "own client"
    assert "write" in stages(result) and "latency" in stages(result)
    [taken] = [check for check in result["checks"] if check["name"] == "client"]
    assert "redis" in taken["detail"] and sys.executable in taken["detail"]


def test_the_url_is_read_from_the_apps_environment_file(probe, start_engine, tmp_path):
    engine = start_engine(password=TOKEN)
    (tmp_path / ".env").write_text(f"# cache\nexport CACHE='{engine.url()}' # old\n")
    assert probe(env_path=str(tmp_path / ".env"), env_key="CACHE")["reached"]


def test_the_probe_leaves_no_key_behind(probe, start_engine):
    engine = start_engine()
    probe(url=engine.url())
    stats = engine.client.info("commandstats")
    assert "cmdstat_set" in stats and "cmdstat_del" in stats
    assert engine.client.dbsize() == 0


@pytest.mark.parametrize("how", [{"check_mode": True}, {"write": False}])
def test_nothing_is_written_in_check_mode_or_where_writing_is_off(probe, start_engine, how):
    engine = start_engine()
    result = probe(url=engine.url(), **how)
    assert result["reached"] and "write" not in stages(result)
    assert "cmdstat_set" not in engine.client.info("commandstats")


def test_an_endpoint_that_is_yet_to_be_made_is_not_reached_and_no_failure(probe):
    target = endpoint.after_apply("elasticache", "shop", tls=True, auth="token")
    result = probe(endpoint=target.as_dict(), check_mode=True)
    assert "failed" not in result
    assert result["after_apply"] and not result["reached"] and result["failure"] is None
    assert result["location"]["host"] == target.address


def test_an_endpoint_that_is_still_being_made_fails_outside_check_mode(probe):
    result = probe(endpoint=endpoint.after_apply("elasticache", "shop", tls=True, auth="token").as_dict())
    assert result["failed"] and "the target shop is still being made" in result["msg"]
    assert "provision first" in result["msg"]


# --- what is in the way, before a word is exchanged ---


def test_a_name_that_does_not_resolve(probe):
    failed_as(probe(url="redis://no-such-name.invalid:6379/0"), "name_does_not_resolve")


def test_a_port_on_which_nothing_listens_refuses(probe):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        failed_as(probe(url=f"redis://127.0.0.1:{taken.getsockname()[1]}/0"), "refused")


def test_packets_that_are_dropped_point_at_the_security_group(probe):
    """A full backlog drops what would connect, as a security group without a rule does."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        waiting = [socket.socket() for _ in range(3)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        message = failed_as(probe(url=f"redis://127.0.0.1:{full.getsockname()[1]}/0", timeout=0.5), "timeout")
        for sock in waiting:
            sock.close()
    assert "security group" in message and "migration_app_security_group_ids" in message


def test_a_listener_that_never_answers_is_told_from_one_that_cannot_be_reached(probe):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        failed_as(probe(url=f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout=0.3), "no_answer")


def test_something_that_is_no_cache(probe):
    with socket.create_server(("127.0.0.1", 0)) as web:

        def answer():
            for _connection in range(2):
                connection, _ = web.accept()
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                connection.close()

        threading.Thread(target=answer, daemon=True).start()
        failed_as(probe(url=f"redis://127.0.0.1:{web.getsockname()[1]}/0"), "not_redis")


# --- TLS ---


def test_a_plain_url_to_a_tls_port_says_that_tls_is_wanted_and_never_sends_the_token(probe, start_engine, ca):
    engine = start_engine(password=TOKEN, certificate=ca.issue_cert("localhost"))
    result = probe(url=f"redis://:{TOKEN}@localhost:{engine.tls_port}/0")
    assert "rediss://" in failed_as(result, "tls_wanted")
    assert "auth" not in stages(result)


def test_a_tls_url_to_a_plain_port_says_that_tls_is_not_spoken(probe, start_engine):
    engine = start_engine(password=TOKEN)
    failed_as(probe(url=f"rediss://:{TOKEN}@localhost:{engine.port}/0", timeout=1.0), "tls_not_spoken")


def test_a_certificate_of_an_unknown_ca(probe, start_engine, ca):
    engine = start_engine(certificate=ca.issue_cert("localhost"))
    assert "ca_certs" in failed_as(probe(url=engine.url(scheme="rediss", host="localhost")), "certificate")


def test_a_certificate_for_another_name_says_which(probe, start_engine, ca, ca_file):
    engine = start_engine(certificate=ca.issue_cert("master.shop.example"))
    result = probe(url=engine.url(scheme="rediss", host="localhost"), ca_certs=ca_file)
    assert "master.shop.example" in failed_as(result, "certificate")


def test_of_an_endpoint_the_name_is_verified_also_by_a_redis_py_that_does_not(probe, start_engine, ca, ca_file):
    engine = start_engine(certificate=ca.issue_cert("master.shop.example"))
    target = endpoint.Endpoint("elasticache", "shop", address="localhost", port=engine.tls_port, tls=True)
    failed_as(probe(endpoint=target.as_dict(), ca_certs=ca_file), "certificate")


@pytest.fixture
def stranger(start_engine, ca):
    """An engine whose certificate is of a CA that nobody knows, and for another name than localhost."""
    return start_engine(password=TOKEN, certificate=ca.issue_cert("master.shop.example"))


@pytest.fixture(params=["redis-py", "own client"])
def through(request):
    """What asks: the app's library, and the client that comes along where there is none."""
    if request.param == "own client":
        request.getfixturevalue("without_redis_py")
    return request.param


@pytest.mark.parametrize(
    "case",
    [
        ("", "certificate"),
        ("ssl_cert_reqs=required", "certificate"),
        ("ssl_cert_reqs=optional", "certificate"),
        ("ssl_check_hostname=false", "certificate"),
        ("ssl_cert_reqs=never", "tls_failed"),
        ("ssl_ca_certs=/no/such/file", "tls_failed"),
        ("ssl_ca_certs={ca}", "certificate"),
        ("ssl_cert_reqs=none", ""),
        ("ssl_cert_reqs=none&ssl_check_hostname=true", ""),
        ("ssl_ca_certs={ca}&ssl_check_hostname=False", ""),
        ("ssl_ca_certs={ca}&ssl_check_hostname=0&ssl_cert_reqs=required", ""),
    ],
)
def test_a_url_of_the_app_is_taken_at_its_word(probe, stranger, ca_file, through, case):
    query, kind = case
    url = f"{stranger.url(scheme='rediss', host='localhost')}?{query.format(ca=ca_file)}"
    result = probe(url=url, expected_role="any", write=False)
    if kind:
        failed_as(result, kind)
    else:
        assert result["reached"] and result["through"].startswith(through), result


@pytest.mark.usefixtures("a_redis_py_that_verifies_no_names")
def test_a_redis_py_that_compares_no_names_is_not_asked_to_for_a_url_of_the_app(probe, stranger, ca_file):
    url = f"{stranger.url(scheme='rediss', host='localhost')}?ssl_ca_certs={ca_file}"
    result = probe(url=url)
    assert result["reached"] and result["advice"] == []
    [spoken] = [check for check in result["checks"] if check["name"] == "tls"]
    assert "and not its name" in spoken["detail"]
    failed_as(probe(url=url + "&ssl_check_hostname=true"), "certificate")


def test_an_expired_certificate(probe, start_engine, ca, ca_file):
    past = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    engine = start_engine(certificate=ca.issue_cert("localhost", not_before=past, not_after=past.replace(year=2021)))
    result = probe(url=engine.url(scheme="rediss", host="localhost"), ca_certs=ca_file)
    assert "expired" in failed_as(result, "certificate")


# --- the login ---


def test_a_missing_token_is_told_from_a_wrong_one(probe, start_engine):
    engine = start_engine(password=TOKEN)
    assert "none was given" in failed_as(probe(url=engine.url(password="")), "auth_wanted")
    assert "wrong" in failed_as(probe(url=engine.url(password="another-token-of-16")), "auth_wrong")


def test_a_token_for_an_engine_without_one(probe, start_engine):
    failed_as(probe(url=start_engine().url(password=TOKEN)), "auth_not_configured")


def test_an_engine_that_quotes_the_token_back_does_not_bring_it_into_the_message(probe, start_engine):
    engine = start_engine('rename-command AUTH ""')
    message = failed_as(probe(url=engine.url(password=TOKEN)), "server_error")
    assert "unknown command" in message and "***" in message


def test_a_user_without_the_permission_to_write(probe, start_engine):
    engine = start_engine(f"user shop on >{TOKEN} ~* +@read +info +ping +client +select")
    url = f"redis://shop:{TOKEN}@127.0.0.1:{engine.port}/0"
    assert "shop" in failed_as(probe(url=url), "no_permission")


def test_a_user_who_may_not_ask_for_the_role_is_probed_all_the_same(probe, start_engine):
    engine = start_engine(f"user shop on >{TOKEN} ~* +@all -info")
    result = probe(url=f"redis://shop:{TOKEN}@127.0.0.1:{engine.port}/0")
    assert result["reached"] and result["server"]["role"] == "unknown"


# --- what answers is not what the app needs ---


@pytest.fixture
def replica(start_engine):
    primary = start_engine()
    return start_engine(f"replicaof 127.0.0.1 {primary.port}")


def test_a_replica_is_refused_unless_it_is_expected(probe, replica):
    message = failed_as(probe(url=replica.url()), "read_only_replica")
    assert "primary endpoint" in message
    assert probe(url=replica.url(), expected_role="replica", write=False)["reached"]
    failed_as(probe(url=replica.url(), expected_role="any", write=True), "read_only_replica")


def test_a_primary_where_a_replica_was_expected(probe, start_engine):
    failed_as(probe(url=start_engine().url(), expected_role="replica"), "not_a_replica")


def test_a_cluster_redirects_what_redis_from_url_makes(probe, start_engine, unused_port):
    engine = start_engine("cluster-enabled yes", f"cluster-port {unused_port()}")
    failed_as(probe(url=engine.url()), "cluster_redirect")


def test_a_database_that_is_not_served(probe, start_engine):
    engine = start_engine("databases 4")
    assert "migration_database" in failed_as(probe(url=engine.url(database=4)), "database_out_of_range")


def test_a_full_engine(probe, start_engine):
    engine = start_engine("maxmemory 1", "maxmemory-policy noeviction")
    failed_as(probe(url=engine.url()), "out_of_memory")


@pytest.mark.usefixtures("without_redis_py")
def test_a_full_engine_without_redis_py(probe, start_engine):
    failed_as(probe(url=start_engine("maxmemory 1").url()), "out_of_memory")


def test_an_engine_that_is_still_loading(probe, start_engine):
    engine = start_engine()
    with engine.client.pipeline() as pipe:
        for number in range(3000):
            pipe.set(f"key:{number}", "x" * 100)
        pipe.execute()
    engine.client.save()
    engine.stop()
    slow = start_engine("key-load-delay 2000", "loading-process-events-interval-bytes 1024", folder=engine.folder)
    failed_as(probe(url=slow.url()), "loading")


# --- options ---


def test_an_environment_file_without_the_key_is_named_with_the_option(probe, tmp_path):
    (tmp_path / ".env").write_text(f"REDIS_URI=redis://:{TOKEN}@h/0\n")
    result = probe(env_path=str(tmp_path / ".env"))
    assert result["failed"] and "REDIS_URL" in result["msg"] and "env_key" in result["msg"] and ".env" in result["msg"]


@pytest.mark.parametrize("url", ["http://h", f"redis://:{TOKEN}#@h", "unix:///run/redis.sock"])
def test_a_url_that_cannot_be_probed_is_refused(probe, url):
    assert probe(url=url)["failed"]


# --- other versions of redis-py ---

UV = str(Path(sys.executable).with_name("uv"))
OLD = textwrap.dedent("""
    import json, sys
    from ansible_collections.kempian.cache_migration.plugins.module_utils.cache import (app_library, probe)
    redis, _ = app_library.find_redis_py()
    url, ca_certs = sys.stdin.read().split()
    print(json.dumps(probe.probe(probe.Question(url, ca_certs=ca_certs)).as_dict()))
    try:
        options = app_library.verified(redis, ca_certs)
        app_library.RedisPy(redis, url.replace("localhost", "127.0.0.1"), 2, options).ping()
    except app_library.ConnectionLost as error:
        print("another name:", error)
""")


@pytest.mark.parametrize("version", ["4.3.6", "4.5.5", "5.2.1", "6.4.0"])
def test_older_versions_of_redis_py_are_used_and_made_to_verify_the_name(start_engine, ca, ca_file, tmp_path, version):
    subprocess.run(
        [UV, "pip", "install", "--quiet", "--target", str(tmp_path / "lib"), f"redis=={version}"],
        check=True,
        env={**os.environ, "UV_SYSTEM_CERTS": "1"},
    )
    engine = start_engine(password=TOKEN, certificate=ca.issue_cert("localhost"))
    url = engine.url(scheme="rediss", host="localhost", database=2)
    done = subprocess.run(
        [sys.executable, "-c", OLD],
        input=f"{url} {ca_file}",
        env={**os.environ, "PYTHONPATH": str(tmp_path / "lib")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert f'"through": "redis-py {version}"' in done.stdout, done.stdout
    assert '"reached": true' in done.stdout, done.stdout
    assert ("does not compare the cache's name" in done.stdout) == (int(version[0]) < 6)
    assert "another name:" in done.stdout and "certificate" in done.stdout.lower(), done.stdout


@pytest.fixture
def a_redis_py_that_verifies_no_names(monkeypatch):
    """As it was before 6.0."""
    redis, _why = app_library.find_redis_py()

    class Older(redis.SSLConnection):
        def __init__(self, *args, ssl_check_hostname=False, **more):
            super().__init__(*args, ssl_check_hostname=ssl_check_hostname, **more)

    monkeypatch.setattr(redis, "SSLConnection", Older)
    monkeypatch.setattr(redis.connection, "SSLConnection", Older)
    monkeypatch.setattr(redis, "__version__", "5.2.1")


@pytest.fixture
def warned(monkeypatch):
    sentences = []
    monkeypatch.setattr(basic.AnsibleModule, "warn", lambda _module, sentence: sentences.append(sentence))
    return sentences


@pytest.mark.usefixtures("a_redis_py_that_verifies_no_names")
def test_a_redis_py_that_does_not_verify_the_name_by_default_is_advised_against(
    probe, start_engine, ca, ca_file, warned
):
    engine = start_engine(certificate=ca.issue_cert("localhost"))
    target = endpoint.Endpoint("elasticache", "shop", address="localhost", port=engine.tls_port, tls=True)
    result = probe(endpoint=target.as_dict(), ca_certs=ca_file)
    [advice] = result["advice"]
    assert result["reached"] and warned == [advice]
    assert "redis-py 5.2.1 does not compare" in advice
    assert "6.0 or newer" in advice and "ssl_check_hostname=true" in advice
    plain = endpoint.Endpoint("elasticache", "shop", address="localhost", port=engine.port)
    assert probe(endpoint=plain.as_dict())["advice"] == []


def test_a_redis_py_that_verifies_the_name_needs_no_advice(probe, start_engine, ca, ca_file, warned):
    engine = start_engine(certificate=ca.issue_cert("localhost"))
    target = endpoint.Endpoint("elasticache", "shop", address="localhost", port=engine.tls_port, tls=True)
    result = probe(endpoint=target.as_dict(), ca_certs=ca_file)
    assert result["reached"] and result["advice"] == warned == []


def test_redis_py_itself_is_told_to_verify_the_name(start_engine, ca, ca_file):
    redis, _why = app_library.find_redis_py()
    engine = start_engine(certificate=ca.issue_cert("master.shop.example"))
    url, options = engine.url(scheme="rediss", host="localhost"), app_library.verified(redis, ca_file)
    client = app_library.RedisPy(redis, url, 2, options)
    with pytest.raises(app_library.ConnectionLost, match=r"(?i)certificate"):
        client.ping()


def test_what_only_the_apps_library_cannot_do_is_laid_to_it(probe, start_engine):
    engine = start_engine()
    failed_as(probe(url=engine.url() + "?no_such_option=1"), "client_library")


# --- the original in the journal ---


@pytest.fixture
def moved(tmp_path, start_engine, run_module):
    """An app that was moved away from an engine: its .env names another place, and the journal has the original."""
    engine = start_engine(password=TOKEN)
    env = tmp_path / "app.env"
    env.write_text(f"REDIS_URL={engine.url()}\n")
    where = {"env_path": str(env), "migration_name": "shop-prod", "state_dir": str(tmp_path / "state")}
    given = {"store": "dotenv", "path": str(env), "values": {"REDIS_URL": "redis://127.0.0.1:1/0"}}
    moving = {name: where[name] for name in ("migration_name", "state_dir")}
    assert run_module(env_update.main, **given, **moving)["changed"]
    return engine, where


def test_with_the_migrations_name_the_original_in_the_journal_is_probed(probe, moved):
    engine, where = moved
    result = probe(**where)
    assert result["reached"] and result["location"]["port"] == engine.port


def test_an_original_that_does_not_answer_any_more_is_a_failure_and_its_secret_is_not_shown(probe, moved):
    engine, where = moved
    engine.stop()
    failed_as(probe(**where), "refused")


def test_where_the_journal_has_no_original_the_value_in_the_file_is_probed(probe, moved):
    _engine, where = moved
    assert probe(**{**where, "migration_name": "another"})["location"]["port"] == 1


def test_a_journal_that_cannot_be_read_ends_the_probe_with_its_path(probe, moved, tmp_path):
    _engine, where = moved
    journal = tmp_path / "state" / "shop-prod" / "journal.json"
    journal.write_text("{")
    result = probe(**where)
    assert result["failed"] and str(journal) in result["msg"]
