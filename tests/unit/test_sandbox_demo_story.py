from __future__ import annotations

from sandbox.demo_story import told

OUTPUT = """
PLAY [Make and converge the target] ********************************************

TASK [kempian.cache_migration.provision : Validating arguments against arg spec 'main' - Make it] ***
ok: [localhost]

TASK [Ingress | Admit the app] *************************************************
included: kempian.cache_migration.ingress for localhost

TASK [kempian.cache_migration.provision : provision | Make the subnet group] ***
--- before
+++ after
@@ -1,2 +1,9 @@
-    {}
+    cache_subnet_group_name: sandbox-cache

changed: [localhost]
  [localhost] kempian-cache: creating, 7 s

TASK [kempian.cache_migration.provision : provision | Make the replication group] ***
changed: [localhost]

TASK [report | What this run did] **********************************************
ok: [localhost] =>
    msg:
    - 'app1: restart shop'

TASK [cutover | Change the value] **********************************************
fatal: [app1]: FAILED! => there is no REDIS_URL
"""

STORY = """

Make and converge the target
  - Make the subnet group
    --- before
    +++ after
    @@ -1,2 +1,9 @@
    -    {}
    +    cache_subnet_group_name: sandbox-cache
    changed: [localhost]
    [localhost] kempian-cache: creating, 7 s
  - Make the replication group
    changed: [localhost]
  - What this run did
        msg:
        - 'app1: restart shop'
  - Change the value
    fatal: [app1]: FAILED! => there is no REDIS_URL
"""


def test_what_changed_was_said_waited_for_or_failed_is_told_and_nothing_else():
    assert "\n".join(["", *told(OUTPUT.splitlines()), ""]) == STORY


def test_lines_are_told_as_they_come():
    def endless():
        yield "PLAY [One] ***"
        raise AssertionError("the first line was not told before the second was asked for")

    assert next(told(endless())) == "\nOne"
