"""What a task costs: in seconds of the processor, as multiples of a ping's on this machine, so that it holds on any."""

from __future__ import annotations

import resource

import pytest

PING = {"ansible.builtin.ping": {}}
INFO = {"kempian.cache_migration.migration_ledger_info": {"migration_name": "acted"}}
TIMES = 5


@pytest.fixture
def cost(play):
    """Seconds of each of some tasks like this one, without the start of Ansible and of what its first task loads."""

    def seconds(tasks, boto3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        ran = play(tasks, boto3=boto3)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert not any(result.get("failed") for result in ran.results), ran.said
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    def each(task, boto3=True, looped=False):
        one = seconds([task], boto3)
        if looped:
            return (seconds([{**task, "loop": list(range(2 * TIMES + 1))}], boto3) - one) / (2 * TIMES)
        return (seconds([task] * (TIMES + 1), boto3) - one) / TIMES

    return each


@pytest.mark.long  # a figure, and twenty seconds of a whole machine
def test_a_task_that_speaks_to_aws_costs_less_than_a_ping_and_a_round_of_a_loop_next_to_nothing(cost, clean):
    ping = cost(PING)
    module, action, round_of_ten = cost(INFO, boto3=False), cost(INFO), cost(INFO, looped=True)
    told = {"module": module / ping, "action": action / ping, "a round of ten": round_of_ten / ping}
    print({name: round(ratio, 2) for name, ratio in told.items()}, f"ping {ping:.2f} s")
    assert action < 0.7 * ping < 0.7 * module
    assert round_of_ten < 0.35 * ping
    assert round_of_ten < module / 5
