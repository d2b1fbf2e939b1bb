# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The data on its way to the target: what is still to be done for it, what stands against that, and who does it. Pure.

The ledger's entry says how far it came: a host was told to begin, it is ready for the first host to be switched, hosts
have written to the target since, or the cutover is complete. What is on the target is good for one cutover: where
hosts have worked from the old Redis since, it is brought anew.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import MEMCACHED, is_loopback
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.strategies import (
    BRINGING,
    FOLLOWING,
    LIVE,
    MANAGED,
    SEED,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide import batches, holding, queues
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.goal import GOALS
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.known import Known
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.look import Look
from ansible_collections.kempian.cache_migration.plugins.module_utils.decide.plan import REMOVE, SHARED, Step
from ansible_collections.kempian.cache_migration.plugins.module_utils.targets import contract, origin, table

# The steps of the ledger's entry.
ENTRY = "transfer"
BEGUN, READY, USED, FINISHED = "begun", "ready", "used", "finished"

# What a run does.
BRING, ANEW, GO_ON, ABORT, NOTHING = "bring", "anew", "go_on", "abort", "nothing"

Seen = Mapping[str, Any]


@dataclass(frozen=True)
class Standing:
    """Where consumers are: ``there`` on the target, ``waiting`` not yet, by the place to which each of them leads.
    ``queues`` are those of all of them.
    """

    there: Sequence[str] = ()
    waiting: Mapping[str, Seen] = field(default_factory=dict)
    queues: Sequence[Seen] = ()


@dataclass(frozen=True)
class Course:
    """What this run has of it. ``does`` is BRING, ANEW (what was brought before is taken away first), GO_ON (follow
    while hosts are switched), ABORT or NOTHING. ``host`` is who does it. ``finish`` is what there
    is to do when the last host is switched, ``queues`` are those that are moved then. ``holds``: the old one's writes
    are held while they are switched.
    """

    does: str = NOTHING
    host: str = ""
    refusals: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    finish: tuple[str, ...] = ()
    queues: tuple[Seen, ...] = ()
    holds: bool = False

    @property
    def finishes(self) -> bool:
        return bool(self.finish)

    def as_dict(self) -> dict[str, Any]:
        named = [dict(queue) for queue in self.queues]
        told = {"does": self.does, "host": self.host, "finishes": self.finishes, "queues": named}
        return {**told, "holds": self.holds}


# --- what is known of it ---


def is_wanted(known: Known) -> bool:
    """Whether the data is to come along, by what is stated."""
    return known.settings.get("transfer") in BRINGING


def follows(known: Known) -> bool:
    """Whether what is written meanwhile comes along, too, until the first host is switched."""
    return known.settings.get("transfer") in FOLLOWING


def is_live(known: Known) -> bool:
    """Whether it does so until the last one is."""
    return known.settings.get("transfer") == LIVE


def is_managed(known: Known) -> bool:
    """Whether AWS itself brings it."""
    return known.settings.get("transfer") == MANAGED


def is_seeded(known: Known) -> bool:
    """Whether the target is made with it."""
    return known.settings.get("transfer") == SEED


def is_read_only(known: Known) -> bool:
    """Whether AWS has the target follow another cache: until it is told to end that, the target takes no writes."""
    return known.found.get("status") == contract.MIGRATING


def entry_of(known: Known) -> Seen:
    """What the ledger says of a transfer to this endpoint; of one to another it is no news."""
    entry: Seen = known.entries.get(ENTRY) or {}
    return entry if entry and batches.is_cutover_to(entry, known.endpoint) else {}


def is_unfinished(entry: Seen) -> bool:
    return bool(entry) and entry.get("step") != FINISHED


def place_of(seen: Seen) -> tuple[str, int]:
    """Where the old Redis is, by the host that looked at it."""
    host, _colon, port = str((seen.get("source") or {}).get("place") or "").rpartition(":")
    return host, int(port or 0)


def is_complete(seen: Seen) -> bool:
    """Whether the job on the host has brought all that it is to bring."""
    return (seen.get("transfer") or {}).get("phase") in ("done", "following")


def is_followed(seen: Seen) -> bool:
    """Whether what is written to the old one goes on to the target."""
    return (seen.get("transfer") or {}).get("phase") == "following" and bool(seen.get("in_progress"))


def host_of(known: Known) -> str:
    """Who does it: who has begun, else who is stated, else the canary."""
    entry = entry_of(known)
    begun = str(entry.get("host") or "") if is_unfinished(entry) else ""
    stated = str(known.settings.get("transfer_host") or known.settings.get("canary") or "")
    return begun or stated or next(iter(known.present), "")


def source_of(known: Known, looks: Mapping[str, Look]) -> str:
    """Where the data comes from, as the host that brings it tells; empty where it does not."""
    host = host_of(known)
    seen = looks[host].transfer if host in looks else {}
    return str((seen.get("source") or {}).get("place") or "")


def is_to_look(known: Known) -> bool:
    """Whether the host that does it is to say how far that is."""
    stages = GOALS[known.goal].stages
    if stages == ("state",):
        return is_unfinished(entry_of(known))
    if stages == ("rollback",):
        return bool(known.settings.get("rollback_carries"))
    asks = {"transfer", "cutover"} & set(stages)
    return bool(asks) and (is_wanted(known) or is_unfinished(entry_of(known)))


# --- what is to be done ---


def course(known: Known, seen: Seen, standing: Standing) -> Course:
    """``seen`` is what the host that does it tells: ``transfer``, its progress, and what stands against beginning."""
    host, entry = host_of(known), entry_of(known)
    if known.settings.get("transfer_abort"):
        return _abort(known, host, entry, standing)
    if standing.waiting and (against := holding.refusals(known)):
        return Course(refusals=tuple(against))
    if not (is_wanted(known) or is_unfinished(entry)):
        return Course()
    does, why = _next(known, seen, standing)
    if why:
        return Course(refusals=(why,))
    moved = _moved(known, standing)
    finish = _finish(known, does, moved, standing)
    holds = bool(finish) and holding.is_strict(known.settings)
    if does == NOTHING:
        return Course(host=host, finish=finish, queues=moved, holds=holds and not _is_ended(seen))
    against = [*_against(known, host, does, standing, seen), *_told(seen, does), queues.against(known, moved)]
    refusals = tuple(filter(None, against))
    if refusals:
        return Course(refusals=refusals)
    steps, notes = tuple(_steps(known, host, does, seen)), tuple(_notes(seen))
    return Course(does, host, steps=steps, notes=notes, finish=finish, queues=moved, holds=holds)


def _next(known: Known, seen: Seen, standing: Standing) -> tuple[str, str]:
    """What is done, and why nothing can be where that is so."""
    entry, goal = entry_of(known), GOALS[known.goal]
    at = entry.get("step")
    if is_unfinished(entry) and standing.waiting and known.settings.get("transfer") != entry.get("strategy"):
        return NOTHING, _another(known, entry)
    if standing.there and at == USED and is_live(known):
        return (NOTHING if is_followed(seen) or _is_ended(seen) else GO_ON), ""
    if not standing.waiting or (standing.there and at in (USED, FINISHED)):
        return NOTHING, ""
    if standing.there:
        return NOTHING, _too_late(known, standing)
    is_whole = at is not None and at != BEGUN and is_complete(seen)  # else it was taken away since, and begun anew
    if goal.moves and follows(known) and at == READY and is_followed(seen):
        return GO_ON, ""  # from now on, with no snapshot that would be put over what hosts write to the target
    if "transfer" not in goal.stages:
        is_good = is_whole and at == READY and not follows(known)
        return NOTHING, "" if is_good else _not_ready(known, seen, at, is_whole)
    if not is_whole:
        return BRING, ""
    if at == READY and follows(known):
        return (NOTHING if is_followed(seen) else ANEW if _is_ended(seen) else BRING), ""
    if at == READY and not goal.moves:
        return NOTHING, ""
    return (BRING if at == READY and is_seeded(known) else ANEW), ""


def _is_ended(seen: Seen) -> bool:
    return (seen.get("transfer") or {}).get("phase") == "done"


def _finish(known: Known, does: str, moved: Sequence[Seen], standing: Standing) -> tuple[str, ...]:
    """What follows by then is ended, and jobs are moved, where this run may switch the last host."""
    is_under_way = does != NOTHING or is_unfinished(entry_of(known))
    if not GOALS[known.goal].moves or not (is_under_way or (moved and standing.waiting)):
        return ()
    ends = ("end the following, when all that was written to the old Redis is there",) if is_live(known) else ()
    return (*ends, queues.moves(moved)) if moved else ends


def _moved(known: Known, standing: Standing) -> tuple[Seen, ...]:
    """The queues whose jobs go by themselves. Where writes are held, no worker is left when all has come along."""
    is_held = is_live(known) and holding.is_strict(known.settings)
    return () if is_held else queues.together(standing.queues)


def _another(known: Known, entry: Seen) -> str:
    stated = known.settings.get("transfer") or "not stated"
    return (
        f"A transfer was begun on {entry.get('host')} (migration_transfer: {entry.get('strategy')}), and now "
        f"migration_transfer is {stated}: set it back, or end that one first, which takes away what it copied: "
        f"{known.words['transfer']} with -e migration_transfer_abort=true."
    )


def _too_late(known: Known, standing: Standing) -> str:
    return (
        f"{', '.join(standing.there)} {_is(standing.there)} on the target already, and what the app writes there since "
        "would be lost under what the old Redis holds: nothing is copied. Put them back first "
        f"({known.words['rollback']}), or go on without the data: migration_transfer: cold."
    )


def _not_ready(known: Known, seen: Seen, at: Any, is_whole: bool) -> str:
    why = "and nothing was brought to the target yet" if at is None else "and what was begun is not complete"
    if is_whole and at == READY:
        why = f"and nobody brings what is written now: {seen.get('progress') or 'the worker has ended'}"
    elif is_whole:
        why = "and the app has worked from the old Redis since the data was brought"
    return (
        f"migration_transfer is {known.settings['transfer']}, {why}: run {known.words['transfer']} first. To switch "
        "the hosts without the data: migration_transfer: cold."
    )


def _is(hosts: Sequence[str]) -> str:
    return "is" if len(hosts) == 1 else "are"


def _abort(known: Known, host: str, entry: Seen, standing: Standing) -> Course:
    if not entry:
        return Course(notes=("No transfer to this target was begun; there is nothing to end.",))
    if standing.there:
        why = (
            f"{', '.join(standing.there)} {_is(standing.there)} on the target: what a transfer brought is theirs by "
            "now, and is not taken away under the app. Put them back first, then end it."
        )
        return Course(refusals=(why,))
    if known.is_limited:
        return Course(refusals=(_limited(known),))
    reason = f"end it on {host}, and take away what it copied, where the target was empty before"
    steps = (Step(SHARED, "data", reason=reason, kind=REMOVE),)
    return Course(ABORT, host, steps=steps, queues=_moved(known, standing))


# --- what stands against it ---


def _against(known: Known, host: str, does: str, standing: Standing, seen: Seen) -> list[str]:
    """What can be told without the host's own look."""
    if known.endpoint.get("protocol") == MEMCACHED:
        return ["Nothing can be copied to Memcached: state migration_transfer: cold, where the app can live with that."]
    if host not in known.present:
        is_begun = is_unfinished(entry_of(known))
        what = "The transfer is under way on" if is_begun else "migration_transfer_host (or migration_canary) names"
        return [f"{what} {host}, which is no host of this run ({', '.join(known.present)}): run it with that host."]
    limited = _limited(known) if known.is_limited and does != GO_ON else ""
    return [limited, _elsewhere(host, standing, seen), *_against_way(known, does)]


def _against_way(known: Known, does: str) -> list[str]:
    if is_managed(known):
        return _against_aws(known)
    return [_against_seed(known, does)] if is_seeded(known) else []


def _against_seed(known: Known, does: str) -> str:
    """Data is restored into a new target alone, and once."""
    new = (
        "make one of another name from a new dump, or take this one away first (migration_rollback_delete_target: "
        "true), or choose migration_transfer: copy"
    )
    if does == ANEW:
        return (
            "The app has worked from the old Redis since the target was made from a dump, and a target that is there "
            f"is not seeded again: {new}."
        )
    if known.found:
        is_of_dump = origin.ORIGIN_TAG in (known.found.get("tags") or {})
        return "" if is_of_dump else f"The target is there already, and was not made from a dump: {new}."
    if known.settings.get("snapshot_arns") or known.settings.get("snapshot_name"):
        return ""
    return (
        "migration_transfer is seed, and from what the target is to be made is not stated: take a dump of the old "
        "Redis into S3 (docs/transfer.md says how), and state it in migration_snapshot_arns."
    )


def _against_aws(known: Known) -> list[str]:
    if known.settings.get("endpoint"):
        return [
            "migration_endpoint is stated, so which cache of AWS's is to follow the old Redis is not known: name it "
            "(migration_replication_group_id, with migration_adopt: true), or choose migration_transfer: live."
        ]
    return table.target_of(known.settings).against_managed(known.settings, known.found or None)


def _limited(known: Known) -> str:
    """Who cannot be seen may be on the target by now."""
    left_out = [host for host in known.everyone if host not in known.present]
    return (
        f"The data is that of all hosts, and whether {', '.join(left_out)} {_is(left_out)} on the target already is "
        "not seen by this run: run it without --limit."
    )


def _elsewhere(host: str, standing: Standing, seen: Seen) -> str:
    """One Redis is copied. Loopback is another one on each host."""
    source = (seen.get("source") or {}).get("place") or ""
    if not source:
        return ""
    led = {name: f"{place['host']}:{place['port']}" for name, place in standing.waiting.items()}
    others = {name: place for name, place in led.items() if place != source}
    own = [name for name, place in standing.waiting.items() if is_loopback(str(place["host"])) and name != host]
    if not (others or own):
        return ""
    told = "; ".join(f"{', '.join(names)}: {place}" for place, names in batches.by_reason(led).items())
    return (
        f"What is copied is one Redis, {source} as {host} reaches it, and the hosts are on more than that, or on "
        f"another: {told}. Give each a migration of its own (migration_name, and a target), or state "
        "migration_transfer: cold."
    )


def _told(seen: Seen, does: str) -> list[str]:
    """What the host says. Keys that a transfer brought before are no reason against bringing them anew."""
    if seen.get("failure"):
        return [f"What is to be copied could not be looked at: {seen['failure']}"]
    return [] if does == ANEW else [str(each) for each in seen.get("refusals") or ()]


# --- what is said of it ---


def _steps(known: Known, host: str, does: str, seen: Seen) -> list[Step]:
    """Without figures, which differ from look to look: a plan is approved by these words."""
    source = (seen.get("source") or {}).get("place") or "the old Redis"
    if does == GO_ON and is_managed(known):
        reason = f"CompleteMigration: the target follows {source} no longer, and takes writes (managed)"
        return [Step(SHARED, "data", reason=reason)]
    if does == GO_ON:
        reason = f"go on to follow what is written to {source}, by {host} (live)"
        return [Step(SHARED, "data", reason=reason)]
    if is_managed(known):
        return [_managed_step(known, does, source, host)]
    if is_seeded(known):
        dump = ", ".join(known.settings.get("snapshot_arns") or ()) or str(known.settings.get("snapshot_name") or "")
        made = f"the target is made from {dump or 'a dump'} (seed); {host} {_compared(known)}"
        return [Step(SHARED, "data", reason=f"{made}; what was written since the dump stays behind")]
    begins = {ANEW: "take away what was copied before, and copy anew", BRING: "copy"}[does]
    follows = ", and follow what is written meanwhile (live)" if is_live(known) else ", while the app works (copy)"
    compared = {
        "full": "compare every key",
        "sample": "compare a sample of the keys",
        "none": "nothing is compared (migration_transfer_verify: none)",
    }[str(known.settings["transfer_verify"])]
    reason = f"{begins} what {source} holds, by {host}{follows}; then {compared}"
    undo = f"{known.words['transfer']} with -e migration_transfer_abort=true takes it away"
    return [Step(SHARED, "data", reason=reason, undo=undo)]


def _compared(known: Known) -> str:
    if known.settings["transfer_verify"] == "none":
        return "sees that it holds keys, and compares nothing (migration_transfer_verify: none)"
    return "compares it with the old Redis"


def _managed_step(known: Known, does: str, source: str, host: str) -> Step:
    anew = "take away what came before; " if does == ANEW else ""
    compared = "nothing is compared (migration_transfer_verify: none)"
    if known.settings["transfer_verify"] != "none":
        compared = f"{host} watches and compares it"
    ends = ", until just before the first host is switched (CompleteMigration)" if GOALS[known.goal].moves else ""
    reason = (
        f"{anew}AWS has the target follow {source} (managed: TestMigration, StartMigration), and it takes no writes "
        f"meanwhile; {compared}{ends}"
    )
    undo = f"{known.words['transfer']} with -e migration_transfer_abort=true ends it, and takes it away"
    return Step(SHARED, "data", reason=reason, undo=undo)


def finish_steps(course: Course) -> list[Step]:
    """When the last host is switched, as the ledger is told that it is."""
    return [Step(SHARED, "data", reason=reason) for reason in course.finish]


def _notes(seen: Seen) -> list[str]:
    progress, source = seen.get("transfer") or {}, seen.get("source") or {}
    notes = []
    if "keys" in source:
        databases = len(source.get("databases") or ())
        of = f" in {databases} databases" if databases > 1 else ""
        notes.append(f"The old Redis at {source.get('place')} holds {int(source['keys']):,} keys{of}.")
    if progress and not is_complete(seen) and progress.get("phase") != "aborted":
        notes.append(f"A transfer that was begun is gone on with: {seen.get('progress') or progress.get('phase')}.")
    return notes


def standing_lines(known: Known, looks: Mapping[str, Look]) -> list[str]:
    """How far it is, where it is not finished."""
    entry, host = entry_of(known), host_of(known)
    if not is_unfinished(entry):
        return []
    seen: Seen = looks[host].transfer if host in looks else {"failure": "it is no host of this run"}
    told = f"data: {entry.get('strategy')} on {host}, {entry.get('step')} since {entry.get('time')}"
    if seen.get("failure") or not seen.get("transfer"):
        return [f"{told}: how far it is is unknown: {seen.get('failure') or f'{host} knows of none'}"]
    idle = is_complete(seen) or seen.get("in_progress", True)
    stopped = "" if idle else f"; nobody is at it: {known.words['transfer']} goes on with it"
    return [f"{told}: {seen.get('progress') or seen['transfer'].get('phase')}{stopped}"]
