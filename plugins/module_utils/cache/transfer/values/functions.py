# Copyright: (c) 2026, The cache_migration authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Libraries of functions, which lie beside the keys: https://redis.io/docs/latest/develop/programmability/functions-intro/"""

from __future__ import annotations

from typing import Any, Mapping

from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.resp import ServerError
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.reach import Reach
from ansible_collections.kempian.cache_migration.plugins.module_utils.cache.transfer.wire import Link

# Before Redis 7.0 there are none.
_UNKNOWN = "unknown command"


def look(link: Link) -> dict[bytes, bytes]:
    """The code of each library of one engine, by its name. Raises ServerError where it does not let us ask."""
    try:
        found: Any = link.execute("FUNCTION", "LIST", "WITHCODE")
    except ServerError as error:
        if _UNKNOWN in str(error).lower():
            return {}
        raise
    libraries = [dict(zip(library[::2], library[1::2])) for library in found]
    return {library[b"library_name"]: library[b"library_code"] for library in libraries}


def bring(source: Reach, target: Reach, replace: bool) -> list[bytes]:
    """To every engine of the target that lacks one of the libraries, or with ``replace`` has another of its name; the
    names of those that were written. Raises ServerError where an engine takes none.
    """
    wanted = _of_all(source)
    written: dict[bytes, None] = {}
    for link in target.links if wanted else ():
        there = look(link)
        for name, code in wanted.items():
            if there.get(name) != code and (replace or name not in there):
                link.execute("FUNCTION", "LOAD", *(["REPLACE"] if name in there else []), code)
                written[name] = None
    return list(written)


def differing(source: Reach, target: Reach) -> dict[bytes, str]:
    """By its name, what is wrong with each library that is not the same at every engine of both sides."""
    wanted = _of_all(source)
    found: dict[bytes, str] = {}
    for link in (*source.links, *target.links):
        there = look(link)
        found.update({name: "is missing" for name in wanted if name not in there})
        found.update({name: "is not at the source" for name in there if name not in wanted})
        found.update({name: "has other code" for name in wanted if there.get(name, wanted[name]) != wanted[name]})
    return found


def _of_all(side: Reach) -> Mapping[bytes, bytes]:
    return {name: code for link in side.links for name, code in look(link).items()}
