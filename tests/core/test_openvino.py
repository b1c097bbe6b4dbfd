"""The first calls of OpenVINO from several threads at once."""

import subprocess
import sys

RACE = """
import sys, threading
sys.setswitchinterval(1e-6)
from fercomp.core.openvino import openvino
start = threading.Barrier(8)
def first_call():
    start.wait()
    openvino.Type.u8.to_dtype()
threads = [threading.Thread(target=first_call) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_first_calls_at_once_do_not_wait_for_each_other():
    """Without what `core.openvino` does, most such processes hang."""
    for _ in range(3):
        subprocess.run([sys.executable, "-c", RACE], check=True, timeout=120)
