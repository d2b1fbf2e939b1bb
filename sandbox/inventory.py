"""The inventory of a running sandbox, and the environment in which its playbooks run."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.aws.keys import Keys
from sandbox.places import BACKUP_BUCKET, GATEWAY, REGION, Places
from sandbox.shell import environment
from sandbox.world import World


def inventory(
    places: Places,
    kind: str,
    connections: Mapping[str, Mapping[str, object]],
    world: World,
    *,
    port: int,
    service: Mapping[str, object],
) -> dict[str, Any]:
    """What `ansible-inventory --list` reads. Only what differs from sandbox to sandbox: the rest is group_vars."""
    common: dict[str, object] = {
        "sandbox_name": places.name,
        "sandbox_kind": kind,
        "sandbox_state": str(places.root),
        "migration_region": REGION,
        "migration_vpc_id": world.vpc_id,
        "migration_subnet_ids": world.subnet_ids,
        "migration_app_security_group_ids": [world.app_security_group_id],
        "migration_old_instance_id": world.old_instance_id,
        "migration_price_list_url": f"http://127.0.0.1:{port}",
        "migration_backup_bucket": BACKUP_BUCKET,
        "migration_backup_endpoint_url": f"http://{GATEWAY}:{port}",  # hosts reach the emulated AWS by the gateway
        "migration_backup_engine": shutil.which("redis-server", path=environment()["PATH"]) or "",
        **service,
    }
    localhost = {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "ansible_become": False,
    }
    return {
        "_meta": {"hostvars": {**{host: dict(found) for host, found in connections.items()}, "localhost": localhost}},
        "all": {"hosts": ["localhost"], "vars": common, "children": ["app"]},
        "app": {"hosts": list(connections)},
    }


def write_inventory(places: Places, content: Mapping[str, Any]) -> None:
    places.inventory.write_text(json.dumps(content, indent=2) + "\n")


def exports(places: Places, port: int) -> dict[str, str]:
    """Environment for ansible-playbook. It shuts out the caller's own AWS account, whatever is configured there."""
    url, key = f"http://127.0.0.1:{port}", Keys.read(places.keys).operator
    unproxied = [entry for entry in os.environ.get("no_proxy", "").split(",") if entry]
    loopback = [entry for entry in ("127.0.0.1", "localhost") if entry not in unproxied]
    no_proxy = ",".join([*unproxied, *loopback])
    return {
        "SANDBOX": places.name,
        "SANDBOX_STATE": str(places.root.parent),
        "AWS_ENDPOINT_URL": url,
        "AWS_URL": url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": key.id,
        "AWS_SECRET_ACCESS_KEY": key.secret,
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
        "no_proxy": no_proxy,
        "NO_PROXY": no_proxy,
    }


def shell_exports(places: Places, port: int) -> str:
    """The same as a file to source."""
    lines = [f"export {key}={shlex.quote(value)}" for key, value in exports(places, port).items()]
    bin_folder = shlex.quote(str(Path(sys.executable).parent))
    return "\n".join(
        [
            f"# The environment of sandbox {places.name}: source this file, then run playbooks as usual.",
            f"export PATH={bin_folder}:$PATH",
            "unset AWS_PROFILE AWS_SESSION_TOKEN AWS_SECURITY_TOKEN",
            *lines,
            "",
        ]
    )


def write_exports(path: Path, places: Places, port: int) -> None:
    """Write that file, readable by its owner alone: whoever has the key in it commands the sandbox."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(shell_exports(places, port))
