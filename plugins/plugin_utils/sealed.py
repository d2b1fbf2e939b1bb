# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A secret that goes from one task of a run to the next, in a registered result that nobody else can read.

Ansible loads the class of an action in its own process, before it forks the worker that runs it (`linear` and
`free`), so the key that is made when this file is imported is in every worker of this run, and nowhere else: in no
file, argument, fact or result. What was sealed in another run, or in a process that was not forked from this one,
cannot be opened.
"""

from __future__ import annotations

try:
    from cryptography.fernet import Fernet, InvalidToken
except ImportError:  # ansible-core itself needs it: only what reads this file without running it has none
    _BOX = None
else:
    _BOX = Fernet(Fernet.generate_key())


def seal(secret: str) -> str:
    """Empty stays empty."""
    return _BOX.encrypt(secret.encode()).decode() if secret else ""


def unseal(sealed: str) -> str | None:
    """None where this process does not have the key."""
    if not sealed:
        return ""
    try:
        return _BOX.decrypt(sealed.encode()).decode()
    except InvalidToken:
        return None
