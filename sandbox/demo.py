"""The demo: a whole migration under load, told as a story. `make demo`; with KEEP=1 all stays up at the end.

Figures go to build/demo/summary.json. Ends with 0 only where no request failed and every host is at the new endpoint.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.api import Sandbox
from sandbox.demo_result import connections_summary, faults, result_table
from sandbox.inventory import shell_exports
from sandbox.places import CHECKOUT, SandboxError
from sandbox.shell import environment
from sandbox.traffic import Traffic

NAME = "demo"
HOSTS = 3
CREATING_SECONDS = 6  # long enough to be seen waiting
OLD_NAME = "old-redis.internal"
ENV_FILE = "/opt/shop/.env"
PHASE_SECONDS = 4  # how long the load is watched before and after
STAGES = ("assess", "provision", "ingress", "cutover")
SOURCE_FACTS = ("server", "databases", "total_keys", "keys_without_ttl", "used_memory", "maxmemory", "maxmemory_policy")
OUT = CHECKOUT / "build/demo"

# Run on a host by the app's own interpreter: what its names mean there, and whom its kernel has connections with.
LOOK = """
import json, socket, sys
def address(name):
    return socket.gethostbyname(name)
def peers():
    for table in ("tcp", "tcp6"):
        for line in list(open(f"/proc/net/{table}"))[1:]:
            peer, state = line.split()[2:4]
            if state == "01":
                host, port = peer.split(":")
                yield [socket.inet_ntoa(bytes.fromhex(host[-8:])[::-1]), int(port, 16)]
print(json.dumps({"addresses": {name: address(name) for name in sys.argv[1:]}, "peers": list(peers())}))
"""


class Story:
    """Lines for a person, each with the seconds since the beginning."""

    def __init__(self) -> None:
        self.began = time.monotonic()

    def say(self, line: str) -> None:
        print(f"[{time.monotonic() - self.began:5.1f} s] {line}", flush=True)

    def chapter(self, title: str) -> None:
        print(f"\n=== {title}", flush=True)

    @contextlib.contextmanager
    def timed(self, seconds: dict[str, float], name: str) -> Iterator[None]:
        began = time.monotonic()
        yield
        seconds[name] = round(time.monotonic() - began, 1)


class Demo:
    def __init__(self, sandbox: Sandbox, story: Story) -> None:
        self.sandbox, self.story = sandbox, story
        self.seconds: dict[str, float] = {}
        self.first_host = next(iter(sandbox.hosts))
        self.old_url = self.url_on(self.first_host)

    def url_on(self, host: str) -> str:
        """The app's REDIS_URL on a host. It holds a password, so it is kept and never shown."""
        lines = self.sandbox.read(host, ENV_FILE).decode().splitlines()
        return next(line.partition("=")[2] for line in lines if line.startswith("REDIS_URL="))

    def digest_of_the_old_data(self) -> str:
        command = [sys.executable, "-m", "sandbox.seed", "--digest"]
        done = self.sandbox.beside(self.first_host, command, input=self.old_url.encode() + b"\n")
        if done.returncode:
            raise SandboxError(f"the old Redis cannot be read: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode().strip()

    def connections(self, target: dict[str, Any] | None) -> dict[str, dict[str, int]]:
        """Each host's connections to the old and to the new, read from the host itself."""
        names = [OLD_NAME, *([target["address"]] if target else [])]
        found = {}
        for host in self.sandbox.hosts:
            done = self.sandbox.run(host, ["/opt/shop/venv/bin/python", "-c", LOOK, *names])
            if done.returncode:
                raise SandboxError(f"{host} does not say its connections: {done.stderr.decode(errors='replace')}")
            found[host] = connections_summary(json.loads(done.stdout), (OLD_NAME, 6379), target)
        return found

    def playbook(self, log: str, *arguments: str) -> None:
        """Run migrate.yml as a user types it, and tell its output as it comes; all of it goes to `log`."""
        command = ["ansible-playbook", "migrate.yml", "-i", "inventories/sandbox", *arguments]
        self.story.say("$ " + " ".join(command))
        env = {
            **environment(),
            **self.sandbox.env,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
        }
        report = ["-e", json.dumps({"migration_report_dir": str(OUT / "report")})]
        process = subprocess.Popen(
            [*command, *report], cwd=CHECKOUT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        assert process.stdout is not None
        try:
            with (OUT / log).open("w") as whole:
                for line in process.stdout:
                    whole.write(line)
                    print(f"    {line.rstrip()}", flush=True)
            status = process.wait()
        except BaseException:
            with without_interruption():
                end(process)
            raise
        if status:
            where = (OUT / log).relative_to(CHECKOUT)
            raise SandboxError(f"ansible-playbook ended with {status}; its last lines above say why, {where} has all")

    def records(self) -> dict[str, dict[str, Any]]:
        """What each stage of the playbook wrote about itself."""
        return {stage: json.loads((OUT / f"report/{stage}.json").read_text()) for stage in STAGES}

    def say_how_it_serves(self, figures: dict[str, Any], phase: str) -> None:
        counted = figures["phases"].get(phase)
        if counted:
            latency = counted["latency_ms"]
            self.story.say(
                f"{counted['requests']} requests, {counted['failed']} failed, {counted['retried']} retried; "
                f"half within {latency['p50']} ms, 99 % within {latency['p99']} ms"
            )

    def run(self, traffic: Traffic) -> dict[str, Any]:
        story = self.story
        time.sleep(PHASE_SECONDS)
        untouched = self.digest_of_the_old_data()
        self.say_how_it_serves(traffic.figures(), "before")
        for host, count in self.connections(None).items():
            story.say(f"{host}: {count['old']} connections to the old Redis")

        story.chapter("2. The plan: nothing is changed")
        with story.timed(self.seconds, "plan"):
            self.playbook("plan.log", "--check", "--diff")

        story.chapter("3. The migration")
        traffic.mark("during")
        with story.timed(self.seconds, "migrate"):
            self.playbook("migrate.log")
        traffic.mark("after")
        self.say_how_it_serves(traffic.figures(), "during")
        time.sleep(PHASE_SECONDS)

        records = self.records()
        target = records["provision"]["endpoint"]
        [source] = records["assess"]["sources"].values()
        connections = self.connections(target)
        figures = traffic.stop()
        return {
            "hosts": list(self.sandbox.hosts),
            "kind": self.sandbox.kind,
            "requests_total": figures["requests_total"],
            "requests_failed": figures["failed"],
            "requests_retried": figures["retried"],
            "failures": figures["failures"],
            "served_by": figures["served_by"],
            "latency_ms": {
                phase: {key: counted["latency_ms"][key] for key in ("p50", "p99")}
                for phase, counted in figures["phases"].items()
            },
            "phases": figures["phases"],
            "stages": {stage: record["seconds"] for stage, record in records.items()},
            "seconds": self.seconds,
            "source": {
                "address": OLD_NAME,
                "port": 6379,
                **{fact: source.get(fact) for fact in SOURCE_FACTS},
                "data_untouched": self.digest_of_the_old_data() == untouched,
            },
            "target": target,
            "connections": connections,
        }


def end(process: subprocess.Popen[str]) -> None:
    """Let the playbook end its own children, so that nothing still works on a sandbox that goes down."""
    process.send_signal(signal.SIGINT)
    try:
        process.wait(15)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def next_steps(sandbox: Sandbox, env_file: Path) -> str:
    old = json.loads(sandbox.places.inventory.read_text())["all"]["vars"]["migration_old_instance_id"]
    env = env_file.relative_to(CHECKOUT)
    out = OUT.relative_to(CHECKOUT) / "more.json"
    urls = " ".join(f"http://{address}:8000" for address in sandbox.hosts.values())
    return f"""
All is left up. Try:
  . ./{env}
  ansible-playbook migrate.yml -i inventories/sandbox                # again: changes nothing
  ansible-playbook playbooks/rollback.yml -i inventories/sandbox     # back to the old Redis
  python -m sandbox calls {NAME} --writes                              # what was asked of AWS
  python -m sandbox exec {NAME} app1 -- bash                           # look around on a host
Put it under load while you do (figures in {out}):
  python -m sandbox exec {NAME} control -- python -m sandbox.load --out $PWD/{out} {urls} &
Break something (the target fails over; a few requests fail while it does):
  {boto("elasticache", 'test_failover(ReplicationGroupId="kempian-cache", NodeGroupId="0001")')}
Retire the old Redis, as its owner would (a rollback then needs start_instances first):
  {boto("ec2", f'stop_instances(InstanceIds=["{old}"])')}
Take it all down:
  make sandbox-down SANDBOX={NAME}
"""


def boto(service: str, call: str) -> str:
    return f"python -c 'import boto3; boto3.client(\"{service}\").{call}'"


def tell(story: Story, keep: bool) -> int:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    env_file = CHECKOUT / f"sandbox-{NAME}.env"
    traffic: Traffic | None = None
    sandbox: Sandbox | None = None
    kept = False
    try:
        story.chapter("1. The app serves from the old Redis, under load")
        sandbox = Sandbox.up(NAME, hosts=HOSTS, creating_seconds=CREATING_SECONDS, say=story.say)
        demo = Demo(sandbox, story)
        demo.seconds["up"] = round(time.monotonic() - story.began, 1)
        traffic = Traffic(sandbox, OUT / "load.json", phase="before")
        summary = demo.run(traffic)
        demo.seconds["all"] = round(time.monotonic() - story.began, 1)
        (OUT / "summary.json").write_text(json.dumps(summary, indent=2) + "\n")
        story.chapter("4. The result")
        print(result_table(summary))
        found = faults(summary)
        for fault in found:
            story.say(f"WRONG: {fault}")
        kept = keep
        return 1 if found else 0
    except SandboxError as error:
        story.say(f"FAILED: {error}")
        kept = keep and sandbox is not None
        return 1
    finally:
        with without_interruption():
            if traffic is not None:
                traffic.stop()
            if sandbox is not None and kept:
                env_file.write_text(shell_exports(sandbox.places, sandbox.port))
                print(next_steps(sandbox, env_file))
            elif sandbox is not None:
                sandbox.down()
                story.say("cleaned up" + ("" if keep else " (KEEP=1 leaves it up)"))


@contextlib.contextmanager
def without_interruption() -> Iterator[None]:
    """A second Ctrl-C must not leave half of the sandbox behind."""
    kept = {signum: signal.signal(signum, signal.SIG_IGN) for signum in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for signum, handler in kept.items():
            signal.signal(signum, handler)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def main() -> int:
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, interrupted)
    story = Story()
    try:
        status = tell(story, keep=bool(os.environ.get("KEEP")))
    except KeyboardInterrupt:
        story.say("interrupted")
        return 130
    if not status:
        story.say(f"figures: {(OUT / 'summary.json').relative_to(CHECKOUT)}")
    return status


if __name__ == "__main__":
    sys.exit(main())
