"""The local AWS's hash slots: who has which, and what moves when shards come or go."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.aws import slots

NAMES = [f"{number:04}" for number in range(1, 13)]
SHARDS = st.lists(st.sampled_from(NAMES), min_size=1, unique=True)


def test_even_shards_have_the_ranges_that_aws_shows() -> None:
    assert {shard: slots.as_text(found) for shard, found in slots.even(["0001", "0002", "0003"]).items()} == {
        "0001": "0-5460",
        "0002": "5461-10922",
        "0003": "10923-16383",
    }


@given(SHARDS, SHARDS)
def test_after_the_moves_the_wanted_shards_have_all_slots_evenly(now: list[str], wanted: list[str]) -> None:
    layout = {shard: set(found) for shard, found in slots.even(now).items()}
    for (source, target), moved in slots.moves(slots.even(now), wanted).items():
        assert set(moved) <= layout[source]
        layout[source] -= set(moved)
        layout.setdefault(target, set()).update(moved)
    sizes = {shard: len(found) for shard, found in layout.items() if found}
    assert set(sizes) == set(wanted)
    assert sum(sizes.values()) == slots.SLOTS
    assert max(sizes.values()) - min(sizes.values()) <= 1


@given(SHARDS)
def test_nothing_moves_between_shards_that_are_even_already(shards: list[str]) -> None:
    assert slots.moves(slots.even(shards), shards) == {}


@given(st.sets(st.integers(0, slots.SLOTS - 1), min_size=1))
def test_what_is_written_is_read_again(found: set[int]) -> None:
    assert slots.of_text(slots.as_text(found)) == sorted(found)


@pytest.mark.parametrize("text", ["", "a-b", "5-2", "0-16384", "1,1", "1-", "-3"])
def test_what_are_no_slots_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no range of slots"):
        slots.of_text(text)
