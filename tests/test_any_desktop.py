"""Nothing is for Linux alone: no module that Windows lacks, no name of it, one line end, files in UTF-8."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
MODULES = sorted((PROJECT / "fercomp").rglob("*.py"))

MODULES_OF_POSIX = (
    *("fcntl", "resource", "pwd", "grp", "termios", "tty", "pty"),
    *("posix", "syslog", "readline", "spwd", "crypt", "nis", "curses"),
)
NAMES_OF_POSIX = (
    *("signal.SIGKILL", "signal.SIGHUP", "signal.SIGALRM", "signal.SIGUSR1", "signal.SIGUSR2"),
    *("signal.SIGCHLD", "signal.SIGPIPE", "signal.SIGSTOP", "signal.SIGTSTP", "signal.SIGQUIT"),
    *("signal.alarm", "os.fork", "os.killpg", "os.getuid", "os.geteuid", "os.getpgid", "os.setsid"),
    *("os.mkfifo", "os.statvfs", "os.uname", "os.nice", "os.chown", "os.getloadavg", "os.sysconf"),
    *("os.sysconf_names", "os.sched_getaffinity", "os.O_NOFOLLOW", "os.O_NONBLOCK", "os.O_DIRECTORY"),
)
"""What Windows has not."""

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
sys.modules.update(dict.fromkeys(sys.argv[2].split()))  # `import fcntl` is an ImportError from here on
for module, name in (name.split(".") for name in sys.argv[3].split()):
    if hasattr(globals()[module], name):
        delattr(globals()[module], name)
import fercomp
for name in modules():
    importlib.import_module(name)
print(len(modules()))
import pathlib
from fercomp.core.files import atomic_folder, flush_folder, write_text
from fercomp.core.temporary import sweep_parts
with atomic_folder(pathlib.Path(sys.argv[1], "made")) as folder:
    write_text(folder / "a.txt", "x")
flush_folder(folder.parent)
sweep_parts(folder.parent)
"""


@pytest.mark.slow
def test_every_module_comes_without_what_only_posix_has(tmp_path):
    lacking = [" ".join(MODULES_OF_POSIX), " ".join(NAMES_OF_POSIX)]
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_POSIX, tmp_path, *lacking],
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
def test_every_name_is_there_on_other_systems(platform):
    """Mypy knows which functions, constants and signals a system lacks, also those inside functions.

    The types of other packages would take it three times as long, and what it says without them is of no use
    but for names.
    """
    options = ["--follow-imports", "skip", "--platform", platform, "--cache-dir", os.devnull]
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", os.devnull, *options, "fercomp"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert f"(checked {len(MODULES)} source files)" in done.stdout, done.stdout + done.stderr
    missing = [
        line for line in done.stdout.splitlines() if re.search("error: Module .*has no attribute", line)
    ]
    assert missing == []


def at_import(node):
    """Gives all of a module that runs when it is imported: not what is in functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            arguments = child.args
            for part in (*child.decorator_list, *arguments.defaults, *filter(None, arguments.kw_defaults)):
                yield part
                yield from at_import(part)
        elif not isinstance(child, ast.Lambda):
            yield child
            yield from at_import(child)


def missing(node):
    """Gives the names in a part of a module that Windows has not."""
    if isinstance(node, ast.Import):
        return [name.name for name in node.names if name.name in MODULES_OF_POSIX]
    if isinstance(node, ast.ImportFrom):
        return [node.module] if node.module in MODULES_OF_POSIX else []
    named = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
    return [named] if named in NAMES_OF_POSIX else []


TESTS = sorted((PROJECT / "tests").rglob("*.py"))


def missing_at_import(text):
    return [name for node in at_import(ast.parse(text)) for name in missing(node)]


def test_tests_are_collected_without_what_only_posix_has():
    lacking = {
        str(module.relative_to(PROJECT)): names
        for module in TESTS
        if (names := missing_at_import(module.read_text(encoding="utf-8")))
    }
    assert len(TESTS) > 200
    assert lacking == {}


USES = """
import pty
from fcntl import flock
here = [lambda: os.fork(), os.mkfifo]
@mark(signal.SIGKILL)
def f(a=os.nice):
    os.fork()
"""


def test_what_tests_would_lack_on_windows_is_seen():
    assert missing_at_import(USES) == ["pty", "fcntl", "os.mkfifo", "signal.SIGKILL", "os.nice"]


def calls(module):
    """Yields (name of a method that is called, names of its keyword arguments, line)."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            place = f"{module.relative_to(PROJECT)}:{node.lineno}"
            yield node.func.attr, {keyword.arg for keyword in node.keywords}, place


NEEDED = {"read_text": {"encoding"}, "write_text": {"encoding", "newline"}, "to_csv": {"lineterminator"}}


def test_text_is_utf_8_with_the_same_line_ends_everywhere():
    found = [call for module in MODULES for call in calls(module)]
    assert {name for name, _, _ in found} >= NEEDED.keys()
    assert [place for name, given, place in found if NEEDED.get(name, set()) - given] == []


def test_what_git_hands_out_is_the_same_bytes_everywhere():
    """The checksums of the shipped model are of bytes, and `run` is for a shell that takes no \\r."""
    asked = ["fercomp/shipped/card.json", "fercomp/shipped/members/base2-refit/graph/graph.xml", "run"]
    told = subprocess.run(
        ["git", "check-attr", "eol", "--", *asked], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert [line.rsplit(": ", 1)[1] for line in told.stdout.splitlines()] == ["lf"] * len(asked)
