"""DescribeEvents: what has become of a group."""

from __future__ import annotations

from typing import Any


def messages(aws: Any, name: str, **options: Any) -> list[str]:
    asked = {"SourceIdentifier": name, "SourceType": "replication-group", **options}
    return [event["Message"] for event in aws.elasticache.describe_events(**asked)["Events"]]


def test_a_creation_that_failed_says_why_and_one_that_did_not_that_it_is_there(aws: Any, settings: Any) -> None:
    settings(failing_creations=1)
    aws.begin("stillborn")
    aws.wait("stillborn", "create-failed")
    assert messages(aws, "stillborn") == ["Creating failed: ordered by failing_creations"]
    aws.create("born")
    assert messages(aws, "born") == ["Replication group created (creating ended)"]
    assert messages(aws, "born", SourceType="cache-cluster") == []


def test_what_aws_refuses_about_events(aws: Any) -> None:
    assert aws.refusal("describe_events", SourceIdentifier="born")[0] == "InvalidParameterCombination"
    assert aws.refusal("describe_events", Duration=0)[0] == "InvalidParameterValue"
