"""A local AWS in network namespaces of its own, asked with boto3 from outside and with redis-py from an app host."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.aws.keys import CONTROL_HEADER, AccessKey, Keys

HERE = Path(__file__).resolve().parent
CHECKOUT = HERE.parents[2]
TOKEN = "sesame-sesame-sesame"
PR_SET_PDEATHSIG = 1

# The emulator's namespace, and inside of it the app host's, joined by a pair of interfaces.
WORLD = """set -e
ip link set lo up
ip link add control type veth peer name eth0
ip addr add 172.31.0.1/16 dev control
ip link set control up
ip route add local 172.31.2.0/23 dev control
unshare -n {python} -W ignore {agent} {state}/names/endpoints <&{agent_in} >&{agent_out} &
host=$!
until ip link set eth0 netns $host 2>/dev/null && ! ip link show eth0 2>/dev/null; do sleep 0.01; done
exec {python} -W ignore -m sandbox.aws --state {state} --keys {state}/keys --listen-fd {listen} --port {port} \
  --creating-seconds 0.3 --modifying-seconds 0.1
"""


def die_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class LocalAws:
    def __init__(self) -> None:
        self.state = Path(tempfile.mkdtemp(prefix="aws"))
        self.token = TOKEN
        self.keys = Keys.make(self.state / "keys")
        listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = listener.getsockname()[1]
        to_agent, from_agent = os.pipe(), os.pipe()
        script = WORLD.format(
            python=sys.executable,
            agent=HERE / "agent.py",
            agent_in=to_agent[0],
            agent_out=from_agent[1],
            state=self.state,
            listen=listener.fileno(),
            port=self.port,
        )
        flags = ["-n"] if os.geteuid() == 0 else ["-Urn"]
        self._log = (self.state / "log").open("w+b")
        self._process = subprocess.Popen(
            ["unshare", *flags, "--pid", "--fork", "--kill-child", "--mount-proc", "bash", "-c", script],
            cwd=CHECKOUT,
            pass_fds=[listener.fileno(), to_agent[0], from_agent[1]],
            stdout=self._log,
            stderr=self._log,
            preexec_fn=die_with_parent,  # noqa: PLW1509 - this process has one thread
        )
        listener.close()
        os.close(to_agent[0])
        os.close(from_agent[1])
        self._to_agent, self._from_agent = os.fdopen(to_agent[1], "w"), os.fdopen(from_agent[0])
        self.wait_until((self.state / "ready").exists, "the local AWS is not ready", 90)  # two cores may be busy

    def wait_until(self, is_true: Callable[[], bool], complaint: str, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while not is_true():
            ended = self._process.poll() is not None
            assert not ended and time.monotonic() < end, f"{complaint}: {(self.state / 'log').read_text()[-3000:]}"
            time.sleep(0.02)

    def stop(self) -> None:
        self._process.kill()  # its child, and with it the whole namespace of processes, goes with it
        self._process.wait(10)
        for file in (self._to_agent, self._from_agent, self._log):
            with contextlib.suppress(BrokenPipeError):
                file.close()
        shutil.rmtree(self.state, ignore_errors=True)

    # -- AWS -----------------------------------------------------------------------------------------------------
    @functools.cache  # noqa: B019 - lives as long as the session
    def client(self, service: str, attempts: int = 1, key: AccessKey | None = None) -> Any:
        key = key or self.keys.operator
        config = Config(proxies={}, retries={"total_max_attempts": attempts}, parameter_validation=False)
        keys = {"aws_access_key_id": key.id, "aws_secret_access_key": key.secret}
        url = f"http://127.0.0.1:{self.port}"
        return boto3.client(service, endpoint_url=url, region_name="us-east-1", config=config, **keys)

    @property
    def elasticache(self) -> Any:
        return self.client("elasticache")

    @property
    def ec2(self) -> Any:
        return self.client("ec2")

    def control(self, path: str, body: Any = None, key: AccessKey | None = None) -> Any:
        data = None if body is None else json.dumps(body).encode()
        headers = {CONTROL_HEADER: (key or self.keys.operator).id}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}/_sandbox/{path}", data, headers)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request) as answer:
            return json.load(answer)

    def create(self, name: str, seconds: float = 20, **options: Any) -> dict[str, Any]:
        """A replication group that is available."""
        self.begin(name, **options)
        return self.wait(name, seconds=seconds)

    def begin(self, name: str, **options: Any) -> dict[str, Any]:
        wanted = {
            "ReplicationGroupDescription": "for a test",
            "Engine": "redis",
            "CacheNodeType": "cache.t3.micro",
            **options,
        }
        group: dict[str, Any] = self.elasticache.create_replication_group(ReplicationGroupId=name, **wanted)
        return dict(group["ReplicationGroup"])

    def describe(self, name: str) -> dict[str, Any]:
        found = self.elasticache.describe_replication_groups(ReplicationGroupId=name)
        return dict(found["ReplicationGroups"][0])

    def wait(self, name: str, status: str = "available", seconds: float = 20) -> dict[str, Any]:
        self.wait_until(lambda: self.describe(name)["Status"] == status, f"{name} is not {status}", seconds)
        return self.describe(name)

    def nodes(self, name: str) -> list[dict[str, Any]]:
        found = self.elasticache.describe_cache_clusters(ShowCacheNodeInfo=True)["CacheClusters"]
        return [node for node in found if node["ReplicationGroupId"] == name]

    def modify(self, name: str, seconds: float = 20, **options: Any) -> dict[str, Any]:
        options = {"ApplyImmediately": True, **options}
        self.elasticache.modify_replication_group(ReplicationGroupId=name, **options)
        return self.wait(name, seconds=seconds)

    @staticmethod
    def primary(group: dict[str, Any]) -> str:
        return str(group["NodeGroups"][0]["PrimaryEndpoint"]["Address"])

    @staticmethod
    def reader(group: dict[str, Any]) -> str:
        return str(group["NodeGroups"][0]["ReaderEndpoint"]["Address"])

    def replicas(self, name: str, count: int, **options: Any) -> bool:
        """Whether the primary has that many replicas, soon: it notices a lost one a moment later."""
        counts = (self.ask(name, "INFO", "replication", **options)["ok"]["connected_slaves"] for _ in range(200))
        return any(found == count for found in counts)

    def refusal(self, operation: str, **params: Any) -> tuple[str, int, str]:
        """The code, HTTP status and message that AWS refuses the call with."""
        with pytest.raises(ClientError) as refused:
            getattr(self.elasticache, operation)(**params)
        answer = refused.value.response
        return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]

    # -- the app host --------------------------------------------------------------------------------------------
    def ask(self, host: str, *command: str, **options: Any) -> dict[str, Any]:
        """A command to an engine, from the app host: {"ok": …} or {"error": …}."""
        request = {"host": host, "command": command, "ca": str(self.state / "tls" / "ca.pem"), **options}
        self._to_agent.write(json.dumps(request) + "\n")
        self._to_agent.flush()
        return dict(json.loads(self._from_agent.readline()))

    def write(self, host: str, *command: str, **options: Any) -> None:
        """A write that a replica has too: WAIT looks at the writes of its own connection."""
        options["hold"] = f"writes to {host}"
        assert "ok" in self.ask(host, *command, **options)
        assert self.ask(host, "WAIT", "1", "4000", **options) == {"ok": 1}

    def names(self) -> dict[str, str]:
        lines = (self.state / "names" / "endpoints").read_text().splitlines()
        return dict(reversed(line.split()) for line in lines)

    @functools.cached_property
    def vpc(self) -> str:
        return str(self.ec2.describe_vpcs()["Vpcs"][0]["VpcId"])

    def security_group(self, name: str, *sources: str, port: int = 6379) -> str:
        """A security group that admits these CIDRs to the port."""
        made = self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]
        if sources:
            self.admit(made, *sources, port=port)
        return str(made)

    def admit(self, group: str, *sources: str, port: int = 6379) -> None:
        rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": s} for s in sources]}
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


@pytest.fixture(scope="session")
def aws() -> Iterator[LocalAws]:
    started = LocalAws()
    yield started
    started.stop()


@pytest.fixture
def settings(aws: LocalAws) -> Iterator[Callable[..., dict[str, float]]]:
    """Change how long things take, and what fails, for one test."""
    before = aws.control("settings", {})
    yield lambda **wanted: aws.control("settings", wanted)
    aws.control("settings", before)


@pytest.fixture(scope="session")
def open_group(aws: LocalAws) -> str:
    """A security group that admits the app host."""
    return aws.security_group("open", "172.31.0.0/16")
