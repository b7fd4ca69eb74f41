"""The start of TensorFlow: by settings that no number depends on, and without the notes that its libraries write."""

import contextlib
import os
import re
import sys
import tempfile
import threading

from forecasting.domain.settings import usable_cores

_NOTE = re.compile(rb"[IWE]\d{4} \S+ +\d+ \S+\] .*|[IWE]0000 .*|WARNING: All log messages before absl::InitializeLog.*|"
                   rb"To enable the following instructions: .*")  # fmt: skip
_starting = threading.Lock()


def start_tensorflow() -> None:
    """Import TensorFlow; the notes of its libraries are left out, what anybody else writes is passed on.

    The notes are written before TensorFlow reads its own log level, straight to the file of standard error, so that
    only turning that file aside keeps them from a user's screen. TF_CPP_MIN_LOG_LEVEL=0 shows everything.
    """
    with _starting:
        _use_one_matrix_kernel()
        if "tensorflow" in sys.modules or os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
            import tensorflow  # noqa: F401
        else:
            _import_quietly()
        _give_two_threads()


def _use_one_matrix_kernel() -> None:
    """Let matrix products use Eigen's own kernel on every processor, unless the user has chosen another.

    By default they use a kernel of oneDNN that is made for the processor. On processors with AVX2 and without AVX-512 its last
    bits depend on how a product is cut into tiles, which depends on the number of threads. TensorFlow reads the variable at
    its first matrix product.
    """
    os.environ.setdefault("TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL", "false")


def _import_quietly() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    screen = os.dup(2)
    with tempfile.TemporaryFile() as aside:
        os.dup2(aside.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            sys.stderr.flush()
            os.dup2(screen, 2)
            aside.seek(0)
            for line in aside:
                if not _NOTE.fullmatch(line.rstrip(b"\r\n")):
                    os.write(screen, line)
            os.close(screen)


def _give_two_threads() -> None:
    """Give TensorFlow two threads where it would take one.

    With one thread it cuts long sums otherwise than with two or more, and the last bits of wide networks would depend on
    the machine. A TensorFlow that somebody else has set going already stays as it is.
    """
    import tensorflow

    if usable_cores() == 1:
        with contextlib.suppress(RuntimeError):
            tensorflow.config.threading.set_intra_op_parallelism_threads(2)
