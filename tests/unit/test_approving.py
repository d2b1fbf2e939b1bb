"""How a plan is written, and how one that is approved is read: a digest, a file, an artifact of AWX."""

from __future__ import annotations

import json
import os
from types import SimpleNamespace

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import approval
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.page import Page
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores import on_host
from ansible_collections.kempian.cache_migration.plugins.modules import app_host_change
from ansible_collections.kempian.cache_migration.plugins.plugin_utils import approving, say

PARTS = {"options, The app": {"migration_values": []}, "host app1": {"address": "192.0.2.1"}}
MADE_OF = approval.fingerprints(PARTS)
DIGEST = approval.digest("cutover", MADE_OF, [])
OTHER = {**PARTS, "host app1": {"address": "192.0.2.9"}}
EXACTLY = "host app1: address: 192.0.2.1 -> 192.0.2.9"


@pytest.fixture(autouse=True)
def _quiet(monkeypatch):
    monkeypatch.setattr(say, "lines", lambda lines: None)


def written(path, **page):
    page = Page("A plan", DIGEST, **{"command": "do it", **page})
    return approving.handed_over({"plan_out": str(path)}, page, PARTS)


def why(settings, parts=PARTS, **task_vars):
    """Why the plan that is made of these parts is refused; empty where it is the one that was approved."""
    approved = approving.Approved(settings, task_vars)
    made_of = approval.fingerprints(parts)
    return approved.refuse_another(approval.digest("cutover", made_of, []), made_of, parts)


@pytest.mark.parametrize("name", ["plan.json", "plan.md"])
def test_a_plan_is_approved_by_its_digest_or_by_its_file(tmp_path, name):
    written(tmp_path / name)
    for approve in (DIGEST, f" {DIGEST}\n", str(tmp_path / name)):
        assert why({"approve": approve}) == ""
        assert "not the plan that was approved" in why({"approve": approve}, OTHER)


def test_where_nothing_is_to_be_done_no_approval_is_asked_for():
    asked = {"require_approval": True}
    assert approving.Approved(asked, {}).refuse_none(asked, is_done=False) == ""
    assert "nobody has approved" in approving.Approved(asked, {}).refuse_none(asked, is_done=True)
    assert approving.Approved({"approve": " "}, {}).refuse_none({**asked, "approve": " "}, is_done=True)


def test_where_the_plan_is_at_hand_it_is_told_exactly_what_has_changed(tmp_path):
    handed = written(tmp_path / "plan.json")["ansible_stats"]["data"]
    artifact = {approving.ARTIFACT: json.loads(json.dumps(handed[approving.ARTIFACT]))}
    assert handed["migration_approve"] == DIGEST
    assert EXACTLY in why({"approve": str(tmp_path / "plan.json")}, OTHER)
    assert EXACTLY in why({"approve": DIGEST}, OTHER, **artifact)
    assert EXACTLY not in why({"approve": DIGEST}, OTHER)


def test_the_artifact_of_another_plan_says_nothing_of_this_one():
    artifact = {approving.ARTIFACT: {"digest": "cutover-of-another", "made_of": PARTS}}
    assert EXACTLY not in why({"approve": DIGEST}, OTHER, **artifact)


def test_a_file_that_says_another_digest_than_that_of_its_parts_approves_nothing_else(tmp_path):
    path = tmp_path / "plan.json"
    path.write_text(json.dumps({"digest": DIGEST.replace(DIGEST[8:40], "0" * 32), "made_of": PARTS}))
    assert why({"approve": str(path)}) != ""


def test_a_digest_is_no_file_although_there_is_one_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / DIGEST).write_text(json.dumps({"digest": "cutover-of-another"}))
    assert why({"approve": DIGEST}) == ""


@pytest.mark.parametrize("content", [b"", b"nothing", b"[]", b'{"digest": ""}', b"\xff"])
def test_a_file_that_has_no_plan_is_refused_and_nothing_of_it_is_shown(tmp_path, content):
    (tmp_path / "plan").write_bytes(content)
    with pytest.raises(AnsibleActionFail, match="migration_approve: ") as refused:
        why({"approve": str(tmp_path / "plan")})
    assert "nothing:" not in str(refused.value)


def test_a_plan_that_is_refused_is_written_and_handed_to_nobody(tmp_path):
    assert written(tmp_path / "plan.json", refusals=["no"], command="") == {}
    with pytest.raises(AnsibleActionFail, match="has no plan that can be approved"):
        why({"approve": str(tmp_path / "plan.json")})


def test_where_a_plan_is_made_none_is_asked_for():
    assert why({"approve": "cutover-of-an-earlier-job", "plan_out": "plan.md"}) == why({}) == ""


def test_before_the_hosts_are_seen_nothing_is_said_of_them():
    fixed = {"options, The app": PARTS["options, The app"]}
    approved = approving.Approved({"approve": DIGEST}, {approving.ARTIFACT: {"digest": DIGEST, "made_of": PARTS}})
    assert approved.refuse_drift("cutover", approval.fingerprints(fixed), fixed) == ""
    drifted = {"options, The app": {"migration_values": ["another"]}}
    assert "options, The app" in approved.refuse_drift("cutover", approval.fingerprints(drifted), drifted)


# --- where a plan is written ---


def test_a_plan_is_for_its_owner_alone_and_takes_the_place_of_an_earlier_one(tmp_path):
    path = tmp_path / "plans" / "plan.json"
    written(path)
    written(path, cost=["a cost"])
    assert json.loads(path.read_text())["cost"] == ["a cost"]
    assert path.stat().st_mode & 0o777 == 0o600 and os.listdir(path.parent) == ["plan.json"]


def test_a_plan_is_written_through_no_link_and_in_the_place_of_no_device(tmp_path):
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "link").symlink_to(tmp_path / "kept")
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "link", tmp_path / "pipe", tmp_path):
        with pytest.raises(AnsibleActionFail, match="is no file"):
            written(path)
    assert (tmp_path / "kept").read_text() == "kept" and (tmp_path / "link").is_symlink()


# --- on hosts ---


def change_of(path, approved):
    value = {"store": "dotenv", "path": str(path), "keys": {"REDIS_URL": "redis://new:6379/0"}}
    params = {
        "values": [value],
        "probe": None,
        "leave_cluster": None,
        "hold": None,
        "state": "present",
        "written": {str(path): approved},
    }
    return app_host_change.Change(SimpleNamespace(params=params, check_mode=True))


def test_a_file_that_was_written_since_is_left_alone_also_where_its_owner_sets_its_time_back(tmp_path):
    path = tmp_path / ".env"
    path.write_text("REDIS_URL=redis://old:6379/0\n")
    approved, status = on_host.written({"path": path}), path.stat()
    change_of(path, approved).refuse_other_files()
    path.write_text("REDIS_URL=redis://odd:6379/0\n")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(app_host_change.Ended, match="was written since the plan that was approved"):
        change_of(path, approved).carry_out()
