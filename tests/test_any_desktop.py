"""Nothing is for Linux alone: no module that Windows lacks, no name of it, one line end, files in UTF-8."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
MODULES = sorted((PROJECT / "fercomp").rglob("*.py"))

WITHOUT_POSIX = """
import importlib, os, pkgutil, signal, sys
import fercomp

def modules():
    names = [module.name for module in pkgutil.walk_packages(fercomp.__path__, "fercomp.")]
    return [name for name in names if name != "fercomp.__main__"]

for name in modules():  # other packages choose by the system: they may have what they need
    importlib.import_module(name)
for name in [name for name in sys.modules if name.partition(".")[0] == "fercomp"]:
    del sys.modules[name]
ABSENT = "fcntl resource pwd grp termios tty pty posix syslog readline spwd crypt nis curses".split()
sys.modules.update(dict.fromkeys(ABSENT))  # `import fcntl` is an ImportError from here on
for name in "SIGKILL SIGHUP SIGALRM SIGUSR1 SIGUSR2 SIGCHLD SIGPIPE SIGSTOP SIGTSTP SIGQUIT alarm".split():
    delattr(signal, name)
for name in "fork killpg getuid geteuid getpgid setsid mkfifo statvfs uname nice chown getloadavg".split():
    delattr(os, name)
for name in ("sched_getaffinity", "sysconf", "sysconf_names", "O_NOFOLLOW", "O_NONBLOCK", "O_DIRECTORY"):
    if hasattr(os, name):
        delattr(os, name)
import fercomp
for name in modules():
    importlib.import_module(name)
print(len(modules()))
import pathlib
from fercomp.core.files import atomic_folder, flush_folder, write_text
from fercomp.core.parts import sweep_parts
with atomic_folder(pathlib.Path(sys.argv[1], "made")) as folder:
    write_text(folder / "a.txt", "x")
flush_folder(folder.parent)
sweep_parts(folder.parent)
"""


@pytest.mark.slow
def test_every_module_comes_without_what_only_posix_has(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX, tmp_path],
        cwd=PROJECT,
        env={**os.environ, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[0]) == len(MODULES) - 1 - (PROJECT / "fercomp" / "__main__.py").exists()
    assert (tmp_path / "made" / "a.txt").read_bytes() == b"x"


@pytest.mark.slow
@pytest.mark.parametrize("platform", ["win32", "darwin"])
def test_every_name_is_there_on_other_systems(platform, tmp_path):
    """Mypy knows which functions, constants and signals a system lacks, also those inside functions."""
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--platform", platform, "--cache-dir", tmp_path],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stdout


def calls(module):
    """Yields (name of a method that is called, names of its keyword arguments, line)."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            place = f"{module.relative_to(PROJECT)}:{node.lineno}"
            yield node.func.attr, {keyword.arg for keyword in node.keywords}, place


NEEDED = {"read_text": {"encoding"}, "write_text": {"encoding", "newline"}, "to_csv": {"lineterminator"}}


@pytest.mark.parametrize("module", MODULES, ids=lambda m: str(m.relative_to(PROJECT)))
def test_text_is_utf_8_with_the_same_line_ends_everywhere(module):
    lacking = [place for name, given, place in calls(module) if NEEDED.get(name, set()) - given]
    assert lacking == []


def test_what_git_hands_out_is_the_same_bytes_everywhere():
    """The checksums of the shipped model are of bytes, and `run` is for a shell that takes no \\r."""
    asked = ["fercomp/shipped/card.json", "fercomp/shipped/members/base2-refit/graph/graph.xml", "run"]
    told = subprocess.run(
        ["git", "check-attr", "eol", "--", *asked], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert [line.rsplit(": ", 1)[1] for line in told.stdout.splitlines()] == ["lf"] * len(asked)
