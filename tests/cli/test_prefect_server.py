"""Tests of commands whose Prefect server does not answer, answers something else, or vanishes."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from forecasting.cli.prefect_server import check_server
from forecasting.domain.errors import InputError
from tests.cli.conftest import MilkrunProcess

Answer = Callable[[socket.socket], None]


@contextlib.contextmanager
def listening(answer: Answer) -> Iterator[str]:
    """Give the address of a server that answers each connection by a function."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    threading.Thread(target=answer, args=(connection,), daemon=True).start()

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/api"
        server.shutdown(socket.SHUT_RDWR)


def keep_silent(connection: socket.socket) -> None:
    """Read and never answer."""
    with connection:
        while connection.recv(4096):
            pass


def answer_with(text: str) -> Answer:
    """Return a function that answers a request with a text."""

    def answer(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(text.encode())

    return answer


def vanish_after_first() -> Answer:
    """Return a function that answers the first request as Prefect does, and breaks the connections after it."""
    first = threading.Lock()

    def answer(connection: socket.socket) -> None:
        if first.acquire(blocking=False):
            answer_with('HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\n"3.8.8"')(connection)
        connection.close()

    return answer


NOT_FOUND = "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize("command", [("run",), ("run", "--submit"), ("deploy",)], ids=" ".join)
@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (keep_silent, "No Prefect server answers at PREFECT_API_URL"),
        (answer_with("220 mail.example.com ESMTP\r\n"), "No Prefect server answers at PREFECT_API_URL"),
        (answer_with(NOT_FOUND), "is no Prefect server, or one out of order (status 404)"),
    ],
    ids=["silent", "another protocol", "another web server"],
)
def test_what_is_no_prefect_server_is_an_environment_failure(
    milkrun_process: MilkrunProcess, command: tuple[str, ...], answer: Answer, message: str
) -> None:
    """The address is named, in one sentence, and the command may be repeated."""
    with listening(answer) as address:
        outcome = milkrun_process(*command, PREFECT_API_URL=address)

    assert outcome.returncode == 3
    assert message in outcome.stderr
    assert address in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.slow
@pytest.mark.parametrize("command", [("run",), ("run", "--submit"), ("deploy",)], ids=" ".join)
def test_a_prefect_server_that_vanishes_is_an_environment_failure(
    milkrun_process: MilkrunProcess, command: tuple[str, ...]
) -> None:
    """It answered at the start of the command; what comes after the check ends in one sentence, too."""
    with listening(vanish_after_first()) as address:
        outcome = milkrun_process(*command, PREFECT_API_URL=address, PREFECT_CLIENT_MAX_RETRIES="1")

    assert outcome.returncode == 3
    assert "answers no longer" in outcome.stderr or "cannot be reached" in outcome.stderr
    assert "Traceback" not in outcome.stderr


def test_a_key_opens_a_server_that_asks_for_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """PREFECT_API_KEY is sent as Prefect sends it, where there is no PREFECT_API_AUTH_STRING; without it the server refuses."""

    def answer(connection: socket.socket) -> None:
        with connection:
            is_known = b"Authorization: Bearer pnu_key\r\n" in connection.recv(65536)
            status = "200 OK" if is_known else "401 Unauthorized"
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())

    monkeypatch.delenv("PREFECT_API_AUTH_STRING", raising=False)
    with listening(answer) as address:
        with pytest.raises(InputError, match="or PREFECT_API_KEY to a key of it"):
            check_server(address)
        monkeypatch.setenv("PREFECT_API_KEY", "pnu_key")
        check_server(address)
