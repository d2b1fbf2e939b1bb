"""Faults on purpose: how a call to AWS fails (it does in `aws/faults.py`), and how a disk of a host is filled."""

from __future__ import annotations

THROTTLE, ERROR, CUT_BEFORE, CUT_AFTER = "throttle", "500", "cut-before", "cut-after"
HOWS = (THROTTLE, ERROR, CUT_BEFORE, CUT_AFTER)

FILLER = ".sandbox-filler"
DISK = ".sandbox-disk"  # what is in a disk of ours, so that no other is ever filled
ROOM_MIB = 8  # what such a disk has left while it is not full

# The disk is a tmpfs over the folder, with what was in it. It is filled by one file, and removing that frees it again,
# whatever was written meanwhile. What had a file open before keeps that file. A reboot takes the disk away.
FILL = f"""
set -e
[ -d "$1" ] || {{ echo "there is no folder $1" >&2; exit 1; }}
if ! [ -e "$1/{DISK}" ]; then
  disk=$(mktemp -d)
  mount -t tmpfs -o "size=$(( $(du -sm "$1" | cut -f1) + {ROOM_MIB} ))m" sandbox "$disk"
  cp -a "$1/." "$disk"
  chmod --reference="$1" "$disk"
  chown --reference="$1" "$disk"
  touch "$disk/{DISK}"
  mount --bind "$disk" "$1"
  umount -l "$disk"
  rmdir "$disk"
fi
! cat /dev/zero >"$1/{FILLER}" 2>/dev/null
"""
FREE = f"""
[ -e "$1/{FILLER}" ] || {{ echo "the disk of $1 is not full: nothing filled it" >&2; exit 1; }}
rm "$1/{FILLER}"
"""


def fill_command(folder: str) -> list[str]:
    """What fills, on a host, the disk that the folder is on, to its last byte."""
    return ["sh", "-c", FILL, "sh", folder]


def free_command(folder: str) -> list[str]:
    return ["sh", "-c", FREE, "sh", folder]
