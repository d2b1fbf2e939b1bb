# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a resource was restored from: AWS does not tell it afterwards, so that a tag keeps it. Pure."""

from __future__ import annotations

import hashlib
import re
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.plan import PlanRefused
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets.ownership import RESERVED

ORIGIN_TAG = f"{RESERVED}restored_from"

_LONGEST = 256  # characters of a tag's value
_S3_OBJECT = re.compile(r"arn:[a-z-]+:s3:::[^/,]+/[^,]+")


def tags(snapshot_name: str | None, snapshot_arns: Sequence[str] | None) -> dict[str, str]:
    """The tag of what is made from a snapshot, or from RDB files in S3; empty where it begins empty.

    Files whose names a tag cannot hold, or not all of them, stand in it as their SHA-256.
    """
    if snapshot_name:
        return {ORIGIN_TAG: snapshot_name}
    if not snapshot_arns:
        return {}
    files = " ".join(snapshot_arns)
    if len(files) > _LONGEST or re.search(r"[^A-Za-z0-9 _.:/=+@-]", files):
        files = f"sha256:{hashlib.sha256(files.encode()).hexdigest()}"
    return {ORIGIN_TAG: files}


def check_arns(snapshot_arns: Sequence[str] | None) -> None:
    """Raises PlanRefused for what is no file in S3."""
    wrong = [arn for arn in snapshot_arns or () if not _S3_OBJECT.fullmatch(arn)]
    if wrong:
        raise PlanRefused(
            f"snapshot_arns has {', '.join(map(repr, wrong))}: each is the ARN of an RDB file in S3, as "
            "arn:aws:s3:::bucket/dump.rdb, without a comma in it",
            "snapshot_arns",
        )


def refuse_other(what: str, current_tags: Mapping[str, Any] | None, wanted: Mapping[str, str], option: str) -> None:
    """What is there was made from something else, or from nothing. ``wanted`` is of ``tags``; PlanRefused."""
    if not wanted or current_tags is None:
        return
    made_from = current_tags.get(ORIGIN_TAG)
    if made_from == wanted[ORIGIN_TAG]:
        return
    told = f"was restored from {made_from}" if made_from else "was not restored from anything by this module"
    raise PlanRefused(
        f"{what} {told}, and data is restored only into a new one: make one under another name beside it and "
        f"migrate, or leave {option} out",
        option,
    )
