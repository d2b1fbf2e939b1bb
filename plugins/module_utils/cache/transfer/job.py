# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is to be transferred, how far that is, and where both are kept. Standard library only.

A folder on the host, `<state_dir>/<migration_name>/transfer/<direction>`, holds files of mode 0600, each replaced as a
whole: what was asked for (`job.json`), how far it is (`progress.json`), and what the strategy needs to go on. No secret
is ever in them: whoever goes on with a job gives its URLs again.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Callable, Iterator, Mapping, Sequence

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.endpoint import REDIS, parse_url
from ansible_collections.kempian.cache_migration.plugins.module_utils.core.masking import masked
from ansible_collections.kempian.cache_migration.plugins.module_utils.host import atomic_file

CHECKING, COPYING, FOLLOWING, VERIFYING = "checking", "copying", "following", "verifying"
DONE, FAILED, ABORTED = "done", "failed", "aborted"
ENDED = (DONE, FAILED, ABORTED)

REFUSE, KEEP, REPLACE = "refuse", "keep", "replace"  # keys that the target holds already
THERE, BACK = "there", "back"

# A key of the target that begins so is one of a transfer that follows, for as long as that does.
MARK = "cache_migration:transfer:mark"
_MOVING = "moving.json"
LEAVES_QUEUES = "leaves_queues.json"  # what follows has taken note of that
LEFT_OUT_SHOWN = 20  # of those left out; they are all counted


@dataclass(frozen=True)
class Side:
    """One end. ``tls_as_app``: its URL is the app's own, whose options say how TLS is done."""

    url: str = field(repr=False)
    protocol: str = REDIS
    ca_certs: str = ""
    tls_as_app: bool = False
    seconds: float = 5.0

    def question(self, expected_role: str = "any") -> Question:
        """To reach it, at the database of its URL."""
        return Question(
            self.url,
            expected_role=expected_role,
            seconds=self.seconds,
            ca_certs=self.ca_certs,
            tls_as_app=self.tls_as_app,
            protocol=self.protocol,
        )

    @property
    def place(self) -> str:
        parts = parse_url(self.url)
        return f"{parts.host}:{parts.port}"


def without_secrets(text: str, *sides: Side) -> str:
    """Without the passwords of those whose URL is known."""
    return masked(text, [parse_url(side.url).password for side in sides if side.url])


@dataclass(frozen=True)
class Job:
    """``folder`` is where its state lies. ``rate`` is in keys a second, 0 for no limit; ``latency_limit_ms`` 0 for no
    guard of the source's latency. ``is_moving``: hosts write to the target from now on, where the jobs of ``queues``
    (database, names) are theirs. ``is_strict``: the source's writes are to be held before they do.
    """

    source: Side
    target: Side
    strategy: str
    folder: str
    direction: str = THERE
    rate: int = 0
    latency_limit_ms: float = 10.0
    target_keys: str = REFUSE
    processes: int = 2
    is_moving: bool = False
    is_strict: bool = False
    queues: tuple[Mapping[str, Any], ...] = ()

    def described(self) -> dict[str, Any]:
        """What a file may hold of it."""
        told = {item.name: getattr(self, item.name) for item in fields(self)}
        return {**told, "source": self.source.place, "target": self.target.place}


@dataclass(frozen=True)
class Progress:
    """How far a job is. Times are of this host's clock, in seconds. ``left_out`` has the first of what stays behind, as
    ``{key, why}``, and ``left_out_count`` how many they are; ``why`` is of a job that failed.
    """

    phase: str = CHECKING
    keys_done: int = 0
    keys_total: int = 0
    bytes: int = 0
    rate: float = 0.0
    eta_seconds: float = 0.0
    lag_bytes: int = 0
    lag_ms: float = 0.0
    slowed_ms: float = 0.0
    slowed_why: str = ""
    left_out: tuple[dict[str, str], ...] = ()
    left_out_count: int = 0
    restarts: int = 0
    began: float = 0.0
    now: float = 0.0
    why: str = ""
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "left_out": list(self.left_out), "notes": list(self.notes)}

    @classmethod
    def from_dict(cls, told: Mapping[str, Any]) -> Progress:
        known = {item.name: told[item.name] for item in fields(cls) if item.name in told}
        for name in ("left_out", "notes"):
            known[name] = tuple(known.get(name) or ())
        return cls(**known)


Tell = Callable[[Progress], None]


def phrase(progress: Progress) -> str:
    """The line that people read."""
    if progress.phase == COPYING:
        return _with_slowness(progress, f"copied {_share(progress)}{_pace(progress)}")
    if progress.phase == FOLLOWING:
        return f"following: {progress.lag_ms:.1f} ms behind, {progress.lag_bytes:,} bytes"
    if progress.phase == DONE:
        return f"copied {progress.keys_done:,} keys in {max(0.0, progress.now - progress.began):.0f} s{_left(progress)}"
    if progress.phase == FAILED:
        return f"failed: {progress.why}"
    return {VERIFYING: "comparing both sides", ABORTED: "aborted"}.get(progress.phase, "looking at both sides")


def _share(progress: Progress) -> str:
    if not progress.keys_total:
        return f"{progress.keys_done:,} keys"
    share = min(100, 100 * progress.keys_done // progress.keys_total)
    return f"{progress.keys_done:,} of {progress.keys_total:,} keys ({share} %)"


def _pace(progress: Progress) -> str:
    if not progress.rate:
        return ""
    return f", {progress.rate:,.0f}/s, {progress.eta_seconds:.0f} s left"


def _with_slowness(progress: Progress, line: str) -> str:
    return f"{line}; slowed by {progress.slowed_ms:.0f} ms: {progress.slowed_why}" if progress.slowed_why else line


def _left(progress: Progress) -> str:
    return f", {progress.left_out_count:,} left out" if progress.left_out_count else ""


# --- where it is kept ---


def folder_of(state_dir: str, migration_name: str, direction: str = THERE) -> str:
    return os.path.join(os.path.realpath(state_dir), migration_name, "transfer", direction)


def write(folder: str, name: str, content: Mapping[str, Any]) -> None:
    """Replace one file of the job's state."""
    atomic_file.make_private_directory(folder)
    beside = os.path.join(folder, f".{name}.{os.getpid()}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with open(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file)
    os.replace(beside, os.path.join(folder, name))


def read(folder: str, name: str) -> dict[str, Any]:
    """A file of the job's state; empty where there is none."""
    try:
        with open(os.path.join(folder, name), encoding="utf-8") as file:
            found: dict[str, Any] = json.load(file)
    except FileNotFoundError:
        return {}
    return found


def remove(folder: str) -> None:
    """The state of a job that is no more. The lock stays: who waits for it holds the same file."""
    with contextlib.suppress(FileNotFoundError):
        for name in os.listdir(folder):
            if name != LOCK:
                os.unlink(os.path.join(folder, name))


def keep(job: Job) -> None:
    write(job.folder, "job.json", job.described())


def keep_moving(folder: str, queues: Sequence[Mapping[str, Any]] = ()) -> None:
    """From now on hosts write to the target, where jobs are theirs."""
    write(folder, _MOVING, {"queues": list(queues)})


def queues_left_alone(folder: str) -> Sequence[Mapping[str, Any]]:
    """What is not followed any more, as jobs at the target are those of hosts there."""
    found: Sequence[Mapping[str, Any]] = read(folder, _MOVING).get("queues") or ()
    return found


def is_moving(folder: str) -> bool:
    return os.path.exists(os.path.join(folder, _MOVING))


def kept(folder: str) -> dict[str, Any]:
    """As described() told it; empty where there is no job."""
    return read(folder, "job.json")


def tell_to(folder: str) -> Tell:
    """Keeps the progress that it is told."""

    def tell(progress: Progress) -> None:
        write(folder, "progress.json", replace(progress, now=time.time()).as_dict())

    return tell


def progress_of(folder: str) -> Progress | None:
    told = read(folder, "progress.json")
    return Progress.from_dict(told) if told else None


# --- one at a time ---

LOCK = "lock"
_LOOK_SECONDS = 0.1


@contextlib.contextmanager
def only_one(folder: str) -> Iterator[int | None]:
    """Hold the job's lock, whose descriptor children inherit, so that it is held while one of them lives. None where
    somebody else holds it.
    """
    atomic_file.make_private_directory(folder)
    descriptor = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor if _is_taken(descriptor) else None
    finally:
        os.close(descriptor)


def _is_taken(descriptor: int) -> bool:
    """Who only looks whether somebody holds it has it for a moment."""
    deadline = time.monotonic() + _LOOK_SECONDS
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def is_running(folder: str) -> bool:
    """Whether a worker, or a child of one that was killed, is at it; others who look do not count."""
    try:
        descriptor = os.open(os.path.join(folder, LOCK), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
