import operator
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.isolated import isolated
from fercomp.modeling.bundle.card import read_card


def test_the_result_comes_back_from_another_process():
    assert isolated(os.getpid) != os.getpid()
    assert isolated(operator.add, [1], [2]) == [1, 2]


def test_a_line_for_the_user_stays_what_it_is():
    with pytest.raises(FercompError, match="model folder nowhere not found: train one"):
        isolated(read_card, Path("nowhere"))


def test_a_bug_is_told_and_keeps_its_traceback(capfd):
    with pytest.raises(FercompError, match=r"^ZeroDivisionError: division by zero$"):
        isolated(operator.truediv, 1, 0)
    assert "Traceback (most recent call last)" in capfd.readouterr().err


@pytest.mark.parametrize(
    ("name", "told"), [("SIGKILL", "-9: it may have run out of memory"), ("SIGTERM", "-15: see")]
)
def test_a_process_that_is_killed_costs_only_itself(name, told):
    with pytest.raises(FercompError, match=f"ended with exit code {told}"):
        isolated(signal.raise_signal, getattr(signal, name))


@pytest.mark.parametrize("name", ["SIGKILL", "SIGINT"])
def test_the_process_ends_with_the_one_that_waits(name):
    sleeper = "import time; from fercomp.core.progress import say; say('started'); time.sleep(600)"
    code = f"from fercomp.core.isolated import isolated; isolated(exec, {sleeper!r})"
    run = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE)
    assert run.stderr is not None
    assert run.stderr.readline() == b"started\n"
    run.send_signal(getattr(signal, name))
    # The output ends when the last process that holds it has ended.
    assert b"leaked" not in run.communicate(timeout=30)[1]
