"""`fercomp` as a user meets it: a quick help, and one line where something fails."""

import io
import os
import re
import subprocess
import sys
from itertools import pairwise

import pytest
from typer.testing import CliRunner

from fercomp import __version__
from fercomp.cli.app import COMMANDS, _stopped, app, main
from fercomp.cli.on_kaggle import asked
from fercomp.core.errors import FercompError

HEAVY = {
    "av",
    "cv2",
    "dvc",
    "kaggle",
    "keras",
    "matplotlib",
    "numpy",
    "openvino",
    "pandas",
    "PIL",
    "pydantic",
    "requests",
    "sklearn",
    "tensorflow",
    "uvicorn",
}

NAMES = [command.__name__ for commands in COMMANDS.values() for command in commands]

PROBE = """
import os, signal, sys
from pathlib import Path
from fercomp.cli.app import app
from fercomp.cli.app import main
from fercomp.cli.command import Command
from fercomp.core.errors import FercompError
from fercomp.core.files import write_text
@app.command(cls=Command)
def probe() -> None:
    {body}
sys.argv = ["fercomp", "probe"]
main()
"""


@pytest.fixture
def probe(forks, tmp_path):
    """Runs `fercomp probe`, a command with this body, in a process of its own."""

    def run(body: str) -> subprocess.CompletedProcess:
        return forks.run(PROBE.format(body=body), cwd=tmp_path, env=dict(os.environ))

    return run


def fercomp(*words: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "fercomp", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_imports_no_library(words):
    script = f"""
import atexit, sys
atexit.register(lambda: print("loaded:", *{HEAVY} & sys.modules.keys()))
sys.argv = ["fercomp", *{words}]
from fercomp.cli.app import main
main()
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_version():
    done = fercomp("--version")
    assert (done.returncode, done.stdout) == (0, f"fercomp {__version__}\n")


def test_no_command_shows_all_commands_in_their_panels():
    result = CliRunner().invoke(app, [])
    for word in [*COMMANDS, *NAMES]:
        assert re.search(rf"\b{word}\b", result.output)
    assert "<bool>" not in result.output  # no value follows a flag


@pytest.mark.parametrize("name", NAMES)
def test_every_command_shows_an_example_that_starts_with_its_name(name):
    result = CliRunner().invoke(app, [name, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert re.search(rf"Examples: *\n +fercomp {name}\b", result.output)


def test_help_is_as_wide_as_the_terminal_however_the_code_breaks_its_lines():
    result = CliRunner().invoke(app, ["annotate", "--help"], env={"COLUMNS": "60"})
    lines = result.output.partition("Examples")[0].splitlines()
    paragraph = [line.strip() for line in lines[lines.index(next(x for x in lines if "A second run" in x)) :]]
    paragraph = paragraph[: paragraph.index("")]
    assert all(len(f"{line} {after.split()[0]}") > 58 for line, after in pairwise(paragraph))


def test_a_run_that_is_asked_for_where_there_is_none_says_how_one_begins(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(
        FercompError, match="no command was run at Kaggle from here; `--on kaggle` starts one"
    ):
        CliRunner().invoke(app, ["kernels", "show", "train-compact"], catch_exceptions=False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["kernels", "show"], "which run[?] expected one of none"),
        (["predict", "--on", "ray", "--merge"], "--on ray does all parts: leave --shard and --merge out"),
        (["submit", "--yes"], "--model and --yes are for --kernel: name the CSV"),
        (["submit", "--kernel", "x.csv"], "leave out x.csv"),
    ],
)
def test_words_that_do_not_fit_together_are_told(words, told, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FercompError, match=told):
        CliRunner().invoke(app, words, catch_exceptions=False)


def test_where_nobody_can_be_asked_no_kernel_is_pushed(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with pytest.raises(FercompError, match="nobody can be asked here whether to push a kernel: add --yes"):
        asked()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["tarin"], r"No such command 'tarin'\. Did you mean 'train'"),
        (["train", "--epochs", "5"], "No such option"),
        (["annotate"], "Missing argument"),
    ],
)
def test_wrong_usage_is_told_with_exit_code_2(words, told):
    done = fercomp(*words)
    assert done.returncode == 2
    assert re.search(told, done.stderr)
    assert "Traceback" not in done.stderr


def test_an_error_for_the_user_is_one_line(probe):
    done = probe("raise FercompError('expected a,\\n received b')")
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "error: expected a,  received b\n")


def test_a_full_disk_is_one_line_and_the_old_file_stays(probe, tmp_path):
    (tmp_path / "a.txt").write_text("old")
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))"
    done = probe(f"{limit}; write_text(Path('a.txt'), 'x' * 100_000)")
    assert done.returncode == 1
    assert re.fullmatch(
        r"error: the disk is full \(.*\): make room, then run the same command again\n", done.stderr
    )
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_path_that_the_system_refuses_is_one_line(probe):
    done = probe("Path('x' * 300).is_file()")
    assert (done.returncode, done.stderr) == (
        1,
        f"error: File name too long: {'x' * 80}: choose another path\n",
    )


@pytest.mark.parametrize("words", [[], ["--help"], ["--version"], ["-h"], *([name] for name in NAMES)])
def test_a_current_folder_that_was_removed_is_one_line(tmp_path, words, monkeypatch, capsys):
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(sys, "argv", ["fercomp", *words])
    with pytest.raises(SystemExit, match="1"):
        main()
    said = "error: the current folder cannot be used (No such file or directory): `cd` to one that is there\n"
    assert capsys.readouterr() == ("", said)


def test_a_value_of_megabytes_is_a_short_line(probe):
    done = probe("raise FercompError('unknown ' + 10**7 * 'x' + ': name another')")
    assert done.returncode == 1
    assert len(done.stderr) < 500
    assert re.fullmatch(r"error: unknown x+\[\.\.\.\]x+: name another\n", done.stderr)


def test_an_opencv_that_cannot_be_loaded_is_one_line(probe, tmp_path):
    (tmp_path / "cv2.so").write_bytes(b"no library")
    done = probe("import cv2")
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(
        r"error: OpenCV cannot be loaded \(.*cv2\.so.*\): `fercomp doctor` says what to do\n", done.stderr
    )


def test_ctrl_c_is_one_line(probe):
    done = probe("os.kill(os.getpid(), signal.SIGINT)")
    assert (done.returncode, done.stdout) == (130, "")
    assert done.stderr == "stopped; nothing half-finished was written, the same command starts again\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["train", "--name", "predict"], "goes on from there"),
        (["fetch"], "goes on from there"),
        (["kernels", "pull"], "goes on from there"),
        (["predict", "--on", "ray"], "goes on from there"),
        (["predict", "--on=kaggle"], "goes on from there"),
        (["predict", "--model", "train"], "does the rest"),
        (["evaluate", "--model", "train"], "starts again"),
        ([], "starts again"),
    ],
)
def test_only_commands_that_go_on_are_said_to(words, said):
    assert _stopped(words).endswith(f"the same command {said}")


def test_a_bar_leaves_the_line_to_what_is_said_after_an_interruption(tmp_path):
    pty = pytest.importorskip("pty")
    termios = pytest.importorskip("termios")
    body = (
        "from fercomp.core.progress import track; bar = track(range(9), 'counting', 'photo', at_once=True); "
        "next(iter(bar)); os.kill(os.getpid(), signal.SIGINT)"
    )
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (25, 80))
    with os.fdopen(ours, "rb") as screen:
        done = subprocess.run(
            [sys.executable, "-c", PROBE.format(body=body)], cwd=tmp_path, stderr=theirs, check=False
        )
        os.close(theirs)
        shown = os.read(screen.fileno(), 10_000).decode()
    assert done.returncode == 130
    bar, cleared, said = shown.rsplit("\r", 3)[:3]
    assert "counting:   0%" in bar and "0/9 photos" in bar
    assert not cleared.strip()
    assert "stopped; nothing half-finished was written" in said


@pytest.mark.parametrize(
    "body", ["raise ValueError('a bug')", "raise OSError(5, 'a bug')", "raise ImportError('a bug')"]
)
def test_a_bug_keeps_its_traceback(probe, body):
    done = probe(body)
    assert done.returncode == 1
    assert done.stderr.startswith("Traceback (most recent call last):")
    assert done.stderr.rstrip().endswith("a bug")


@pytest.mark.parametrize(
    "body",
    [
        "[print('line') for _ in range(100_000)]",
        "import typer; [typer.echo('line') for _ in range(100_000)]",
        "from rich.console import Console; [Console().print('line') for _ in range(2_000)]",
    ],
)
def test_a_reader_that_leaves_early_is_no_error(tmp_path, body):
    writer = subprocess.Popen(
        [sys.executable, "-c", PROBE.format(body=body)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    with writer:
        assert writer.stdout is not None and writer.stderr is not None
        assert writer.stdout.readline() == b"line\n"
        writer.stdout.close()
        assert writer.stderr.read() == b""


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["train", "--epochs", "3"], "--set train.epochs=3"),
        (["train", "--epochs=3"], "--set train.epochs=3"),
        (["train", "--learning-rate"], "--set train.learning_rate=VALUE"),
        (["prepare", "--seed", "4"], "--set prepare.seed=4"),
        (["crossval", "--rotate", "4"], "--set train.augment.rotate=4"),
    ],
)
def test_a_parameter_typed_as_an_option_is_told_how_it_is_meant(words, meant):
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    assert result.exit_code == 2
    assert f"Did you mean {meant}" in result.output


def test_other_unknown_options_are_told_as_always():
    result = CliRunner().invoke(app, ["train", "--nonsense"])
    assert result.exit_code == 2
    assert "No such option" in result.output and "--nonsense" in result.output
    assert "--set" not in result.output
