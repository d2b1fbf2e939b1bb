"""Which shard has which of the 16384 hash slots, and what has to move when shards come or go. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

SLOTS = 16384
Layout = Mapping[str, Sequence[int]]  # shard → its slots, in order


def even(shards: Sequence[str]) -> dict[str, list[int]]:
    """All slots over the shards in pieces of one size, as AWS spreads them where nothing else is asked."""
    bounds = [round(number * SLOTS / len(shards)) for number in range(len(shards) + 1)]
    return {shard: list(range(low, high)) for shard, low, high in zip(shards, bounds, bounds[1:])}


def moves(now: Layout, wanted: Sequence[str]) -> dict[tuple[str, str], list[int]]:
    """What to move, by (from, to), so that the `wanted` shards and no others have all slots, as evenly as can be.

    As few as possible: a shard that stays gives what it has too much, from its end, and gets nothing back.
    """
    sizes = {shard: len(slots) for shard, slots in even(wanted).items()}
    given = {
        shard: list(slots)[sizes.get(shard, 0) :] if shard in sizes else list(slots) for shard, slots in now.items()
    }
    taken = {shard: size - min(size, len(now.get(shard, ()))) for shard, size in sizes.items()}
    found: dict[tuple[str, str], list[int]] = {}
    for source, slots in given.items():
        left = slots
        for target, wants in taken.items():
            found[source, target], left = left[:wants], left[wants:]
            taken[target] -= len(found[source, target])
    return {pair: moved for pair, moved in found.items() if moved}


def differences(now: Layout, wanted: Layout) -> dict[tuple[str, str], list[int]]:
    """What to move, by (from, to), so that each shard has the wanted slots."""
    owner = {slot: shard for shard, slots in now.items() for slot in slots}
    found: dict[tuple[str, str], list[int]] = {}
    for shard, slots in wanted.items():
        for slot in slots:
            if owner[slot] != shard:
                found.setdefault((owner[slot], shard), []).append(slot)
    return found


def spans(slots: Iterable[int]) -> list[tuple[int, int]]:
    """Slots as ranges of first and last."""
    found: list[tuple[int, int]] = []
    for slot in sorted(slots):
        if found and found[-1][1] == slot - 1:
            found[-1] = (found[-1][0], slot)
        else:
            found.append((slot, slot))
    return found


def as_text(slots: Iterable[int]) -> str:
    """As AWS writes them: `0-5461,10923-16383`."""
    return ",".join(f"{low}-{high}" if low != high else str(low) for low, high in spans(slots))


def of_text(text: str) -> list[int]:
    """Read what `as_text` writes; raises ValueError where it is something else, or outside of the slots."""
    found: list[int] = []
    for part in text.replace(" ", "").split(","):
        low, dash, high = part.partition("-")
        if not low.isdigit() or (dash and not high.isdigit()):
            raise ValueError(f"{part!r} is no range of slots")
        piece = range(int(low), int(high or low) + 1)
        if not piece or piece[-1] >= SLOTS or set(piece) & set(found):
            raise ValueError(f"{part!r} is no range of slots of its own within 0-{SLOTS - 1}")
        found += piece
    return found
