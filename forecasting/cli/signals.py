"""The end of a command by a signal: no process stays behind, whatever the command was doing.

Python runs a handler in the main thread only, once that is back from a query, an import or another call in C. So a thread
receives the signals. It replaces the program of this process by this file: all threads end at once, locks and connections are
released, and the new program ends the child processes, and the embedded PostgreSQL where nobody else uses it.
"""

import contextlib
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_GRACE = 1.0  # seconds that a child process has to end
_START_SECONDS = 120.0  # that a PostgreSQL which is just being started has to be there

_orderly_end: Callable[[], None] | None = None


def stop_on_signals() -> None:
    """End this process by SIGINT, SIGTERM or SIGHUP, with a sentence and the code 128 + signal.

    A signal that was ignored at the start stays ignored, as nohup wants it.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, lambda *_: None)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    os.register_at_fork(before=_block_signals, after_in_parent=_unblock_signals, after_in_child=_restore_defaults)
    threading.Thread(target=_watch, args=(reader, writer), name="signals", daemon=True).start()


def end_orderly_by(action: Callable[[], None]) -> None:
    """Let the first signal call this function instead: the command then ends by itself. The next one ends it at once."""
    global _orderly_end
    _orderly_end = action


def _restore_defaults() -> None:
    """Let a forked child be ended by signals as usual; without this it would report them to the thread of its parent."""
    signal.set_wakeup_fd(-1)
    for number in _SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    _unblock_signals()


def _block_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)


def _unblock_signals() -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)


def _watch(reader: socket.socket, _writer: socket.socket) -> None:
    is_ending = False
    while True:
        for number in reader.recv(64):
            if number not in _SIGNALS or (is_ending and number == signal.SIGHUP):  # a terminal that closes sends two
                continue
            if is_ending or _orderly_end is None:
                _replace_program(number)
            is_ending = True
            _orderly_end()


def _replace_program(number: int) -> NoReturn:
    """Run this file in place of the present program, with the same process number and the same modules."""
    try:
        _block_signals()
        with contextlib.suppress(OSError):
            cursor = "\r\033[K\033[?25h" if os.isatty(2) else ""  # a progress bar has hidden it
            os.write(2, f"{cursor}Stopped. The same command goes on where this one ended.\n".encode())
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        os.execve(sys.executable, [sys.executable, "-P", __file__, str(number)], environment)  # noqa: S606 - our own program
    finally:
        os._exit(128 + number)


def _leave_nothing_behind() -> None:
    """End the child processes and, without other users, the embedded PostgreSQL; another signal ends this program at once."""
    for number in _SIGNALS:
        signal.signal(number, signal.SIG_IGN)  # drops those that came meanwhile, such as the second one of a terminal
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    _unblock_signals()
    _end_children()
    if not os.environ.get("DATABASE_URL"):
        _stop_embedded_server()


def _end_children() -> None:
    import psutil

    starting, ending = [], []
    for child in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.name() == "pg_ctl":
                starting.append(child)
            elif child.name() != "postgres":  # a child of the first process of a container
                ending += [child, *child.children(recursive=True)]
    for process in ending:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.terminate()
    _, alive = psutil.wait_procs(ending, timeout=_GRACE)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=_GRACE)
    psutil.wait_procs(starting, timeout=_START_SECONDS)


def _stop_embedded_server() -> None:
    """Become a user of the server, if it runs, and leave: the last user stops it."""
    from forecasting.domain.errors import MilkrunError
    from forecasting.domain.settings import Settings
    from forecasting.storage.db.cluster_folder import find_cluster_folder
    from forecasting.storage.db.embedded import running_server

    with contextlib.suppress(MilkrunError, OSError):
        home = Settings.from_environment().home.expanduser().absolute()
        if (home / "database").exists() and (find_cluster_folder(home) / "data" / "postmaster.pid").exists():
            with running_server(home):
                pass


if __name__ == "__main__":
    try:
        _leave_nothing_behind()
    finally:
        os._exit(128 + int(sys.argv[1]))
