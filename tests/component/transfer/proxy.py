"""A way to an engine that can be cut without a word, as a network is, and led elsewhere, as a name after a failover."""

from __future__ import annotations

import contextlib
import select
import socket
import threading


class Proxy(threading.Thread):
    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.to = port
        self.is_cut = False
        self._ends = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._pairs: dict[socket.socket, socket.socket] = {}

    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def lead_to(self, port: int) -> None:
        """Whoever is connected loses that."""
        self.to = port
        self._drop(list(self._pairs))

    def stop(self) -> None:
        self._ends = True
        self.join(5)
        self._drop(list(self._pairs))
        self._listener.close()

    def run(self) -> None:
        while not self._ends:
            if self.is_cut:
                threading.Event().wait(0.02)
                continue
            with contextlib.suppress(ValueError, OSError):
                ready, _, _ = select.select([self._listener, *self._pairs], [], [], 0.02)
                for each in ready:
                    if each is self._listener:
                        self._accept()
                    elif each in self._pairs:
                        self._pass_on(each)

    def _accept(self) -> None:
        ours, _address = self._listener.accept()
        try:
            theirs = socket.create_connection(("127.0.0.1", self.to))
        except OSError:
            ours.close()
            return
        self._pairs.update({ours: theirs, theirs: ours})

    def _pass_on(self, one: socket.socket) -> None:
        try:
            data = one.recv(1 << 16)
            if data:
                self._pairs[one].sendall(data)
        except OSError:
            data = b""
        if not data:
            self._drop([one])

    def _drop(self, some: list[socket.socket]) -> None:
        for one in some:
            other = self._pairs.pop(one, None)
            if other is not None:
                self._pairs.pop(other, None)
                other.close()
            one.close()
