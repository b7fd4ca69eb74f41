"""A proxy before PostgreSQL that loses replies to COMMIT: the server has committed, the client never hears of it."""

import itertools
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

_COMMIT = b"COMMIT\0"

Doomed = Callable[[int], bool]  # whether the reply to the n-th COMMIT is lost, counted from 1 over all connections


@contextmanager
def losing_commits(server_socket: str, doomed: Doomed) -> Iterator[tuple[int, "Lost"]]:
    """Run the proxy in a process of its own; give its port and a count of the replies lost."""
    lost = Lost()
    listener = socket.create_server(("127.0.0.1", 0))
    child = os.fork()
    if not child:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        _serve(listener, server_socket, doomed, lost)
    port = listener.getsockname()[1]
    listener.close()
    try:
        yield port, lost
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)


class Lost:
    """How many replies were lost, counted across processes: one byte in a pipe for each."""

    def __init__(self) -> None:
        self.read, self.write = os.pipe()
        os.set_blocking(self.read, False)
        self.count = 0

    def one_more(self) -> None:
        """Count one, from the proxy."""
        os.write(self.write, b".")

    def so_far(self) -> int:
        """Return how many there were."""
        with suppress(BlockingIOError):
            while dots := os.read(self.read, 4096):
                self.count += len(dots)
        return self.count


def _serve(listener: socket.socket, server_socket: str, doomed: Doomed, lost: Lost) -> None:
    commits = itertools.count(1)
    while True:
        client, _ = listener.accept()
        server = socket.socket(socket.AF_UNIX)
        server.connect(server_socket)
        losing = threading.Event()
        threading.Thread(target=_ask, args=(client, server, losing, doomed, commits), daemon=True).start()
        threading.Thread(target=_answer, args=(server, client, losing, lost), daemon=True).start()


def _ask(
    client: socket.socket, server: socket.socket, losing: threading.Event, doomed: Doomed, commits: Iterator[int]
) -> None:
    with suppress(OSError):
        while data := client.recv(1 << 16):
            if data[:1] == b"Q" and data.endswith(_COMMIT) and doomed(next(commits)):
                losing.set()
            server.sendall(data)
    with suppress(OSError):
        server.shutdown(socket.SHUT_WR)


def _answer(server: socket.socket, client: socket.socket, losing: threading.Event, lost: Lost) -> None:
    with suppress(OSError):
        while data := server.recv(1 << 16):
            if losing.is_set():
                lost.one_more()
                break
            client.sendall(data)
    for each in (client, server):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)
