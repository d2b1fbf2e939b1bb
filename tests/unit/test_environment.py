"""What processes and units of systemd say of the files that an environment comes from."""

from __future__ import annotations

from ansible_collections.kempian.cache_migration.plugins.module_utils.host.environment import environment_files
from ansible_collections.kempian.cache_migration.plugins.module_utils.host.processes import environment

# As `systemctl show --property=EnvironmentFiles -- web.service worker.service` of systemd 252 prints it.
SHOWN = """\
EnvironmentFiles=/etc/default/shop (ignore_errors=yes)
EnvironmentFiles=/opt/the shop/.env (ignore_errors=no)

EnvironmentFiles=/etc/default/shop (ignore_errors=yes)
"""


def test_each_file_that_a_unit_names_is_told_once():
    asked = []

    def run(command):
        asked.append(command)
        return 0, SHOWN, ""

    assert environment_files(["web.service", "worker.service"], run) == ["/etc/default/shop", "/opt/the shop/.env"]
    assert asked == [["systemctl", "show", "--property=EnvironmentFiles", "--", "web.service", "worker.service"]]


def test_a_host_without_systemd_has_none():
    def run(command):
        raise FileNotFoundError

    assert environment_files(["web.service"], run) == []


def test_a_value_may_hold_any_byte_and_a_line_that_is_no_binding_is_none(tmp_path):
    (tmp_path / "7").mkdir()
    (tmp_path / "7/environ").write_bytes(b"A=b=c\0title of a program\0B=\xff\n\0")
    assert environment(7, str(tmp_path)) == {"A": "b=c", "B": "\udcff\n"}
    assert environment(8, str(tmp_path)) == {}
