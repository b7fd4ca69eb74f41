"""Tests of the import of TensorFlow."""

import subprocess
import sys


def test_the_import_writes_no_log_lines_and_hides_no_other_lines() -> None:
    """Standard error has one line, which another thread writes during the import."""
    program = (
        "import os, sys, threading, time\n"
        "from forecasting.lstm.tensorflow import start_tensorflow\n"
        "threading.Timer(0.3, lambda: os.write(2, b'important\\n')).start()\n"
        "start_tensorflow()\n"
        "import tensorflow as tf\n"
        "tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(1.0))\n"
        "assert 'tensorflow' in sys.modules\n"
    )

    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (process.returncode, process.stderr) == (0, "important\n")
