"""The client of the standard library, against a real engine."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.probe import Question, session


def test_the_longest_and_deepest_answer_of_an_engine_is_read(start_engine):
    with session(Question(start_engine().url())) as connection:
        commands = connection.execute("COMMAND")
    assert {b"get", b"xgroup"} <= {command[0] for command in commands}
