"""What a service has to say for its scenarios to be run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.component.local_aws import Aws
from tests.component.peers.surroundings import Surroundings

PATIENCE = 60  # seconds
OURS = "cache_migration:"


@dataclass(frozen=True)
class Service:
    """A kind of resource, its module, and AWS's own word on it, which is read without our modules."""

    main: Callable[[], None]
    name_option: str
    # What AWS has, in the scenarios' words; None where nothing is. Its `identity` is another after a new creation.
    read: Callable[[Aws, str], dict[str, Any] | None]
    delete: Callable[[Aws, str], None]  # without our modules, for what happens outside and to clean up
    always: Mapping[str, Any] = field(default_factory=dict)  # what each step states beside what the scenario does
    creation: Callable[[dict[str, Any]], dict[str, Any]] = dict  # the module's options for a first state
    options: Callable[[dict[str, Any]], dict[str, Any]] = dict  # the module's options for what a scenario states
    omitted: Mapping[str, Any] = field(default_factory=dict)  # what is stated for an option that a step omits
    again: Callable[[dict[str, Any]], dict[str, Any]] = dict  # the options of a second run
    deletion: Callable[[dict[str, Any]], dict[str, Any]] = lambda stated: {}  # what state absent states
    outside: Mapping[str, Callable[[Aws, str], None]] = field(default_factory=dict)  # by the scenarios' `given`
    makers: Mapping[str, Callable[[Aws, Surroundings], str]] = field(default_factory=dict)
    special: Mapping[str, Callable[[Aws, Any], bool]] = field(default_factory=dict)  # texts of `result`
    info: Callable[[], None] | None = None
    told: str = ""  # where the info module's result has the resources
    told_as: Callable[[dict[str, Any]], dict[str, Any]] = dict  # what is told, in the words that are stated
    unread: tuple[str, ...] = ()  # what it cannot tell, as AWS never does
    prefix: str = "peer"


def own_tags_left_out(tags: list[Mapping[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags if not tag["Key"].startswith(OURS)}


def until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, f"{what}: not so after {PATIENCE} s"
        time.sleep(0.05)
