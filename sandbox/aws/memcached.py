"""Real memcached processes, and the front that tells clients of them, as ElastiCache's configuration endpoint does.

At AWS the configuration endpoint is a name of the nodes, which all answer `config get cluster` beside memcached's own
commands. memcached itself does not know that command, so here the configuration endpoint has an address of its own,
where a front answers it and hands everything else to a node. A node that is asked itself answers ERROR.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from sandbox.aws.engines import EngineFailed, until
from sandbox.aws.pki import Certificate

STORING = (b"set", b"add", b"replace", b"append", b"prepend", b"cas", b"ms")  # a block of data follows these


def speaks_tls(program: Path) -> bool:
    """Whether this memcached was built with TLS."""
    said = subprocess.run([program, "-h"], capture_output=True, text=True, check=False)
    return "--enable-ssl" in said.stdout


@dataclass(frozen=True)
class NodeSettings:
    program: Path
    folder: Path
    address: str
    port: int
    megabytes: int
    options: Sequence[str]  # of memcached, from its parameter group
    certificate: Certificate | None = None


class MemcachedNode:
    """One process. It keeps nothing when it ends, as at AWS."""

    def __init__(self, settings: NodeSettings) -> None:
        self._settings = settings
        self.address, self.port = settings.address, settings.port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = self._settings
        settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        user = ["-u", "root"] if os.geteuid() == 0 else []
        argv = [str(settings.program), "-l", settings.address, "-p", str(settings.port), "-U", "0", *user]
        argv += ["-m", str(settings.megabytes), "-t", "2", *settings.options]
        if settings.certificate is not None:
            file = settings.certificate.file
            argv += ["-Z", "-o", f"ssl_chain_cert={file},ssl_key={file}"]
        with (settings.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True)
        until(self._answers, 20, f"memcached on {self.address} does not start; see {settings.folder}/log")

    def restart(self, megabytes: int, options: Sequence[str]) -> None:
        """Come back empty, as a node that was replaced or rebooted."""
        self.kill()
        self._settings = replace(self._settings, megabytes=megabytes, options=tuple(options))
        self.start()

    def kill(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(20)

    def forget(self) -> None:
        self.kill()
        shutil.rmtree(self._settings.folder, ignore_errors=True)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise EngineFailed(f"memcached on {self.address} ended at once; see {self._settings.folder}/log")
        return listens(self.address, self.port)


def listens(address: str, port: int) -> bool:
    """Whether somebody listens there, as the kernel tells it: the packet filter lets nobody in yet."""
    number = int.from_bytes(socket.inet_aton(address), sys.byteorder)
    wanted = [f"{number:08X}:{port:04X}", "0A"]  # its state is LISTEN
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any([line.split()[1], line.split()[3]] == wanted for line in lines)


@dataclass(frozen=True)
class Told:
    """One node as the configuration endpoint tells it."""

    name: str
    address: str
    port: int

    def __str__(self) -> str:
        return f"{self.name}|{self.address}|{self.port}"


class Front:
    """The configuration endpoint: a listener of its own, on its own address.

    `nodes` are asked for at each command, so that a client learns of a node that came or went when it asks again; the
    version of the answer counts their changes.
    """

    def __init__(
        self, address: str, port: int, certificate: Certificate | None, nodes: Callable[[], Sequence[Told]]
    ) -> None:
        self.address, self.port = address, port
        self._nodes, self._told, self._version = nodes, "", 0
        self._lock = threading.Lock()
        self._server = self._client = None
        if certificate is not None:
            self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self._server.load_cert_chain(certificate.file)
            self._client = ssl.create_default_context(cafile=str(certificate.authority))
        self._listener = socket.create_server((address, port))
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def configuration(self) -> bytes:
        """What `config get cluster` answers: a version, and name|address|port of each node."""
        with self._lock:
            told = " ".join(map(str, self._nodes()))
            if told != self._told:
                self._told, self._version = told, self._version + 1
            text = f"{self._version}\n{told}\n"
        return f"CONFIG cluster 0 {len(text)}\r\n{text}\r\nEND\r\n".encode()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # stopped
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            client = self._server.wrap_socket(connection, server_side=True) if self._server else connection
            _Conversation(client, self._to_a_node, self.configuration).go_on()

    def _to_a_node(self) -> socket.socket:
        first = self._nodes()[0]
        plain = socket.create_connection((first.address, first.port), 5, (self.address, 0))
        return self._client.wrap_socket(plain, server_hostname=first.name) if self._client else plain


class _Conversation:
    """One client of the front, and its connection to a node, which is made when it first asks for something of one."""

    def __init__(
        self, client: socket.socket, to_a_node: Callable[[], socket.socket], configuration: Callable[[], bytes]
    ) -> None:
        self._client, self._to_a_node, self._configuration = client, to_a_node, configuration
        self._node: socket.socket | None = None
        self._asked = b""

    def go_on(self) -> None:
        """Until one side ends. In one thread, as a TLS connection is not to be read and written by two."""
        try:
            while True:
                for side in self._readable():
                    received = side.recv(65536)
                    if not received:
                        return
                    if side is self._node:
                        self._client.sendall(received)
                    else:
                        self._asked += received
                        self._answer_all()
        finally:
            if self._node is not None:
                self._node.close()

    def _readable(self) -> list[socket.socket]:
        sides = [side for side in (self._client, self._node) if side is not None]
        held: list[socket.socket] = [side for side in sides if isinstance(side, ssl.SSLSocket) and side.pending()]
        return held or select.select(sides, [], [])[0]

    def _answer_all(self) -> None:
        """Each command that has come whole, with its data."""
        while b"\n" in self._asked:
            line, _, _ = self._asked.partition(b"\n")
            words = line.split()
            length = data_length(words)
            whole = len(line) + 1 + (0 if length is None else length + 2)
            if len(self._asked) < whole:
                return
            command, self._asked = self._asked[:whole], self._asked[whole:]
            if words[:3] == [b"config", b"get", b"cluster"]:
                self._client.sendall(self._configuration())
            else:
                self._hand_over(command)

    def _hand_over(self, command: bytes) -> None:
        if self._node is None:
            self._node = self._to_a_node()
            self._node.settimeout(None)
        self._node.sendall(command)


def data_length(words: Sequence[bytes]) -> int | None:
    """How many bytes of data follow a command of the text protocol; None where none do."""
    if not words or words[0] not in STORING:
        return None
    number = words[2] if words[0] == b"ms" and len(words) > 2 else words[4] if len(words) > 4 else b""
    return int(number) if re.fullmatch(rb"\d{1,9}", number) else None
