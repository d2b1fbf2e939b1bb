"""The windows that AWS takes, refuses and picks."""

from __future__ import annotations

import pytest

from sandbox.aws.elasticache import windows
from sandbox.aws.wire import Refusal


@pytest.mark.parametrize(
    ("snapshot", "maintenance", "is_refused"),
    [
        ("05:00-06:00", "sun:05:30-sun:06:30", True),
        ("05:00-06:00", "sun:06:00-sun:07:00", False),
        ("05:00-06:00", "sun:04:00-sun:05:00", False),
        ("23:30-00:30", "mon:00:00-mon:01:00", True),
        ("23:30-00:30", "sun:23:00-mon:00:00", True),
        ("00:00-01:00", "sun:23:00-mon:01:30", True),
        ("05:00-06:00", "mon:00:00-tue:00:00", True),
        ("02:00-04:00", "tue:02:30-tue:03:30", True),
    ],
)
def test_a_snapshot_window_keeps_out_of_the_maintenance_window_on_every_day(
    snapshot: str, maintenance: str, is_refused: bool
) -> None:
    if is_refused:
        with pytest.raises(Refusal, match="must not overlap"):
            windows.check(snapshot, maintenance)
    else:
        windows.check(snapshot, maintenance)


@pytest.mark.parametrize(
    ("snapshot", "maintenance"),
    [
        (None, None),
        ("00:00-01:00", None),
        ("00:00-12:00", None),
        (None, "tue:04:30-tue:05:30"),
        (None, "mon:00:00-mon:20:00"),
    ],
)
def test_a_window_that_is_not_stated_is_picked_beside_the_other(snapshot: str | None, maintenance: str | None) -> None:
    picked = windows.chosen(snapshot, maintenance)
    windows.check(*picked)
    assert (snapshot or picked[0], maintenance or picked[1]) == picked
