"""Import of TensorFlow, with settings that make its numbers repeatable, and without the log lines of its libraries."""

import contextlib
import os
import re
import sys
import tempfile
import threading

from forecasting.domain.settings import usable_cores

_LOG_LINE = re.compile(rb"[IWE]\d{4} \S+ +\d+ \S+\] .*|[IWE]0000 .*|WARNING: All log messages before absl::InitializeLog.*|"
                   rb"To enable the following instructions: .*")  # fmt: skip
_import_lock = threading.Lock()


def start_tensorflow() -> None:
    """Import TensorFlow; log lines of its libraries are left out, all other lines on standard error appear.

    The libraries write before TensorFlow reads its log level, and directly to the file descriptor of standard error. So this
    descriptor points to a temporary file during the import. TF_CPP_MIN_LOG_LEVEL=0 shows everything.
    """
    with _import_lock:
        _set_matrix_kernel()
        if "tensorflow" in sys.modules or os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "0":
            import tensorflow  # noqa: F401
        else:
            _import_quietly()
        _set_two_threads()


def _set_matrix_kernel() -> None:
    """Make matrix products use Eigen's own kernel, unless the user has set the variable.

    The default is a kernel of oneDNN. On processors with AVX2 and without AVX-512 its last bits depend on the tiles of a
    product, and these on the number of threads. TensorFlow reads the variable at its first matrix product.
    """
    os.environ.setdefault("TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL", "false")


def _import_quietly() -> None:
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    original_descriptor = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            import tensorflow  # noqa: F401
        finally:
            sys.stderr.flush()
            os.dup2(original_descriptor, 2)
            file.seek(0)
            for line in file:
                if not _LOG_LINE.fullmatch(line.rstrip(b"\r\n")):
                    os.write(original_descriptor, line)
            os.close(original_descriptor)


def _set_two_threads() -> None:
    """Set two threads where TensorFlow would use one.

    With one thread it splits long sums in another way than with two or more, and the last bits of wide networks differ. Where
    TensorFlow runs already, the number of its threads cannot be changed and stays.
    """
    import tensorflow

    if usable_cores() == 1:
        with contextlib.suppress(RuntimeError):
            tensorflow.config.threading.set_intra_op_parallelism_threads(2)
