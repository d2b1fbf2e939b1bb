"""The action plugin in a real play: lines while it waits, one result, no token anywhere."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

TOKEN = "a-token-of-sixteen"
PLAY = """
- hosts: localhost
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}"}
  module_defaults:
    group/kempian.cache_migration.cache_migration: {endpoint_url: "{{ url }}", region: us-east-1}
  tasks:
    - kempian.cache_migration.elasticache_cluster:
        replication_group_id: "{{ name }}"
        migration_name: shop-prod
        cache_node_type: cache.t3.micro
        transit_encryption_enabled: true
        auth_token: "{{ lookup('env', 'TOKEN') }}"
        wait_interval: 0.1
        wait_timeout: "{{ timeout }}"
      register: made
    - ansible.builtin.debug: {msg: "{{ made.endpoint.state }} {{ made.status }} {{ made.plan | length }}"}
"""
GROUPS = """
- hosts: localhost
  gather_facts: false
  module_defaults:
    group/kempian.cache_migration.cache_migration:
      {endpoint_url: "{{ url }}", region: us-east-1, migration_name: shop-prod}
  tasks:
    - kempian.cache_migration.elasticache_subnet_group:
        {cache_subnet_group_name: acted, subnet_ids: "{{ subnets }}", state: "{{ state }}"}
    - kempian.cache_migration.elasticache_parameter_group:
        cache_parameter_group_name: acted
        cache_parameter_group_family: redis7
        parameters: {timeout: 300}
        state: "{{ state }}"
    - kempian.cache_migration.elasticache_cluster_info: {replication_group_id: none-of-it}
      register: found
    - ansible.builtin.debug: {msg: "groups: {{ found.replication_groups }}"}
"""


def play(
    aws, tmp_path: Path, *arguments: str, text: str = PLAY, **variables: object
) -> subprocess.CompletedProcess[str]:
    book, config = tmp_path / "play.yml", tmp_path / "ansible.cfg"
    book.write_text(text)
    config.write_text("[defaults]\n")
    shown = json.dumps({"url": aws.url, "timeout": 30, **variables})
    command = [Path(sys.executable).parent / "ansible-playbook", "-i", "localhost,", "-c", "local", "-vvv", "--diff"]
    return subprocess.run(
        [*command, book, *arguments, "-e", shown],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith("AWS_")},
            "TOKEN": TOKEN,
            "AWS_ACCESS_KEY_ID": aws.key.id,
            "AWS_SECRET_ACCESS_KEY": aws.key.secret,
            "ANSIBLE_CONFIG": str(config),
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_play_shows_its_wait_and_a_second_one_changes_nothing(aws, tmp_path):
    first = play(aws, tmp_path, name="played")
    assert re.search(r"^  \[localhost\] played: creating, \d+ s$", first.stdout, re.MULTILINE)
    assert "known available 1" in first.stdout
    assert "changed=1" in first.stdout
    assert TOKEN not in first.stdout + first.stderr
    assert "changed=0" in play(aws, tmp_path, name="played").stdout


def test_a_check_of_a_play_does_not_wait_and_shows_what_would_be_made(aws, tmp_path):
    told = play(aws, tmp_path, "--check", name="planned").stdout
    assert "after_apply absent 1" in told
    assert '+    "replication_group_id": "planned"' in told
    assert TOKEN not in told


def test_a_wait_that_takes_too_long_fails_and_says_how_to_go_on(aws, tmp_path):
    failed = play(aws, tmp_path, name="late", timeout=0)
    assert failed.returncode != 0
    assert "late: creating; still so after 0 s (wait_timeout)" in failed.stdout


@pytest.mark.long
def test_groups_come_and_go_and_a_second_play_changes_nothing(aws, tmp_path):
    subnets = [each["SubnetId"] for each in aws.client("ec2").describe_subnets()["Subnets"]]
    for arguments, state, changed in (
        (("--check",), "present", 2),
        ((), "present", 2),
        ((), "present", 0),
        ((), "absent", 2),
    ):
        mark = aws.mark
        told = play(aws, tmp_path, *arguments, text=GROUPS, subnets=subnets, state=state).stdout
        assert f"changed={changed} " in told and "failed=0" in told, told
        assert "groups: []" in told
        assert bool(aws.writes_since(mark)) == (bool(changed) and not arguments)
        assert "+    " in told or state == "absent" or not changed, "the diff"
