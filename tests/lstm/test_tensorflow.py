"""Tests of TensorFlow's start."""

import subprocess
import sys


def test_a_start_writes_nothing_of_its_own_and_swallows_nothing_of_others() -> None:
    """Standard error stays clean, but for a line that somebody else wrote while TensorFlow was being imported."""
    program = (
        "import os, sys, threading, time\n"
        "from forecasting.lstm.tensorflow import start_tensorflow\n"
        "threading.Timer(0.3, lambda: os.write(2, b'important\\n')).start()\n"
        "start_tensorflow()\n"
        "import tensorflow as tf\n"
        "tf.function(lambda x: x + 1, jit_compile=True)(tf.constant(1.0))\n"
        "assert 'tensorflow' in sys.modules\n"
    )

    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert (answer.returncode, answer.stderr) == (0, "important\n")
