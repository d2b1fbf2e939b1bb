# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who reads .env files, and what each has of a file: for every key its value, without replacing any variable. Pure."""

from __future__ import annotations

from typing import Callable, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers import (
    compose,
    lines,
    python,
    sh,
    systemd,
)
from ansible_collections.kempian.cache_migration.plugins.module_utils.stores.dotenv.readers.reading import Reading

# By the word of the option ``dialect``. Releases that differ are all asked.
READERS: Mapping[str, tuple[Callable[[str], Reading], ...]] = {
    "python-dotenv": (python.python_dotenv,),
    "django-environ": (python.django_environ,),
    "python-decouple": (python.python_decouple,),
    "node": (lines.node,),
    "ruby": (lines.ruby_3, lines.ruby_2),
    "compose": (compose.compose,),
    "systemd": (systemd.systemd, systemd.systemd_before_254),
    "sh": (sh.sh,),
}
