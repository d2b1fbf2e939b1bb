"""Names of endpoints: a file in hosts format that a dnsmasq of the sandbox watches (`--hostsdir`)."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from pathlib import Path


class Names:
    """name → address, written whole at every change and put in place by one rename."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / "endpoints"
        self._beside = folder / ".endpoints"  # dnsmasq passes over names that begin with a dot
        self._lock = threading.Lock()
        self._table: dict[str, str] = {}
        self._write()

    def change(self, point: Mapping[str, str], drop: Iterable[str] = ()) -> None:
        """Point names at addresses and drop others, in one step."""
        with self._lock:
            before = dict(self._table)
            for name in drop:
                self._table.pop(name, None)
            self._table.update(point)
            if self._table != before:
                self._write()

    def _write(self) -> None:
        lines = (f"{address} {name}\n" for name, address in sorted(self._table.items()))
        self._beside.write_text("".join(lines))
        self._beside.chmod(0o644)  # the resolver may run as somebody else
        self._beside.rename(self._path)
