"""A secret that goes from task to task is opened by the processes of this run alone."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys

from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import seal, unseal

UNSEAL = (
    "import sys; from ansible_collections.kempian.cache_migration.plugins.plugin_utils.sealed import unseal; "
    "print(unseal(sys.argv[1]))"
)


def test_what_is_sealed_is_opened_and_shows_nothing():
    sealed = seal("a-token-of-the-target")
    assert unseal(sealed) == "a-token-of-the-target" and "token" not in sealed


def test_no_secret_is_no_secret():
    assert seal("") == "" and unseal("") == ""


def test_two_seals_of_one_secret_do_not_tell_that_it_is_the_same():
    assert seal("a-token") != seal("a-token")


def test_a_worker_that_was_forked_opens_it():
    context = multiprocessing.get_context("fork")
    there, here = context.Pipe()
    worker = context.Process(target=lambda sealed: there.send(unseal(sealed)), args=(seal("a-token"),))
    worker.start()
    assert here.recv() == "a-token"
    worker.join()


def test_another_process_cannot_open_it():
    opened = subprocess.run([sys.executable, "-c", UNSEAL, seal("a-token")], capture_output=True, text=True, check=True)
    assert opened.stdout.strip() == "None"


def test_what_was_never_sealed_is_not_opened():
    assert unseal("not a seal") is None
