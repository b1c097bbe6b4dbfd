"""The real pipeline in a folder of its own: DVC runs `fercomp` as it would anywhere."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.forks import EVERY_COMMAND, MAIN, Forks
from tests.make_tiny import write_competition

ROOT = Path(__file__).parents[2]

IMPORTS = (
    EVERY_COMMAND
    + """
import numpy, pandas, openvino, sklearn.metrics, matplotlib.figure
import fercomp.stages.crossval, fercomp.stages.evaluate, fercomp.stages.refit
import fercomp.modeling.backbones.compact
# A training on a few photos is mostly tracing, layer by layer.
fercomp.modeling.backbones.compact.BLOCKS = 1
fercomp.modeling.backbones.compact.CHANNELS = {"compact": (16,), "compact_wide": (24,)}
"""
)


FERCOMP = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asked:
    asked.connect({address!r})
    asked.sendall(json.dumps([os.getcwd(), sys.argv[1:]]).encode() + b"\\n")
    code, out, err = json.load(asked.makefile())
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
"""
"""The program that DVC finds: it asks the tests' process for a fork that has its imports behind it."""


class Commands:
    """Runs the commands that `FERCOMP` asks for, and remembers them.

    Attributes:
        words: The words of each, in their order.
    """

    def __init__(self, folder: Path) -> None:
        self.words: list[list[str]] = []
        self._forks = Forks(IMPORTS)
        self._socket = socket.socket(socket.AF_UNIX)
        address = str(folder / "asked")
        self._socket.bind(address)
        self._socket.listen()
        program = folder / "fercomp"
        program.write_text(FERCOMP.format(python=sys.executable, address=address))
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            asked, _ = self._socket.accept()
            with asked:
                cwd, words = json.loads(asked.makefile().readline())
                self.words.append(words)
                child = self._forks.start(MAIN, *words, cwd=Path(cwd), env=dict(os.environ))
                out, err = child.communicate()
                asked.sendall(json.dumps([child.returncode, out, err]).encode())

    def close(self) -> None:
        """Ends the process that is forked."""
        self._forks.close()


@pytest.fixture(scope="module")
def commands(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bin")
    commands = Commands(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(
            "PATH", f"{folder}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        )
        yield commands
    commands.close()


@pytest.fixture
def clone(commands, tmp_path, monkeypatch) -> Callable[[str], Path]:
    """Makes a clone of the repository with a tiny competition and some `params.yaml`, the current folder."""

    def make(params: str) -> Path:
        for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
            shutil.copyfile(ROOT / name, tmp_path / name)
        shutil.copytree(ROOT / "pipelines", tmp_path / "pipelines")
        shutil.copytree(ROOT / "fercomp", tmp_path / "fercomp", ignore=shutil.ignore_patterns("__pycache__"))
        (tmp_path / "datasets").mkdir()
        (tmp_path / "datasets" / "review.jsonl").touch()
        (tmp_path / "params.yaml").write_text(params)
        write_competition(tmp_path / "datasets" / "raw", per_class=8, tests=10)
        monkeypatch.chdir(tmp_path)
        for words in (
            ("git", "init", "-q"),
            ("git", "config", "user.name", "tests"),
            ("git", "config", "user.email", "tests@localhost"),
            ("dvc", "init", "-q"),
            ("cp", str(ROOT / ".dvc" / "config"), ".dvc/config"),
            ("git", "add", "-A"),
            ("git", "commit", "-qm", "first"),
        ):
            subprocess.run(words, check=True)
        return tmp_path

    return make


@pytest.fixture
def run() -> Callable[..., str]:
    """Runs a program, which has to end well: what it wrote to stdout."""

    def call(*words: str) -> str:
        done = subprocess.run(words, capture_output=True, text=True)
        assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    return call
