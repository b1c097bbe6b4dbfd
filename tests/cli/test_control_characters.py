"""Control characters that a user, a file or a server brings never reach the terminal, whichever the door."""

import ast
import json
import os
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pytest
import typer

import fercomp as package
from fercomp.cli.app import COMMANDS, app

EVIL = "\x1b[2Jevil\x1b]0;title\x07\u202e\x9b1m[red]"
PACKAGE = Path(package.__file__).parent
COMMAND = typer.main.get_command(app)
TYPED = {
    "--model",
    "--set",
    "--detector",
    "--port",
    "--every",
    "--min-size",
    "--weights",
    "--records",
    "--top",
}
NAMES = [command.__name__ for commands in COMMANDS.values() for command in commands]


def obeyed(text):
    return {c for c in text if unicodedata.category(c) == "Cc" or c == "\u202e"} - {"\n"}


@pytest.mark.parametrize("name", NAMES)
def test_words_after_a_command(fercomp, workspace, name):
    """As words too many, as an unknown option, and as the value of each option that cannot take it."""
    tries = [[EVIL] * 20, [f"--{EVIL}"], [f"-{EVIL}"]]
    options = {option for parameter in COMMAND.commands[name].params for option in parameter.opts}
    tries += [[option, EVIL] for option in sorted(options & TYPED) if name != "live" or option != "--model"]
    if name in ("annotate", "bench", "distill", "ensemble"):  # take any number of words
        tries = tries[1:]
    for words in tries:
        code, out, err = fercomp(name, *words)
        assert code in (1, 2), (words, out, err)
        assert obeyed(out) == obeyed(err) == set(), words


@pytest.mark.parametrize("words", [[EVIL], [f"--{EVIL}"], ["--version", EVIL], [f"tra{EVIL}in"]])
def test_words_before_a_command(fercomp, words):
    _, out, err = fercomp(*words)
    assert obeyed(out) == obeyed(err) == set()


def test_a_folder_and_its_photos(fercomp, tmp_path, tiny_bundle_folder):
    folder = tmp_path / EVIL.replace("/", "")
    folder.mkdir()
    (folder / f"{EVIL}.jpg").write_bytes(b"no picture")
    (folder / b"bytes\xff.jpg".decode("utf-8", "surrogateescape")).write_bytes(b"no picture")
    code, out, err = fercomp(
        "annotate", str(folder), "--model", str(tiny_bundle_folder), "--output", str(tmp_path / f"out{EVIL}")
    )
    assert "evil" in out + err
    assert obeyed(out) == obeyed(err) == set()
    assert code in (0, 1)


@pytest.mark.slow
def test_a_newline_in_a_name_begins_no_line(fercomp, workspace, tmp_path):
    """What comes after it would look like a line of ours."""
    evil = "x\nerror: evil\nNext: evil"
    workspace.bundle("tiny").rename(workspace.bundle(evil))
    sources = tmp_path / f"photos{evil}"
    sources.mkdir()
    photo = next(path for path in workspace.raw.rglob("*") if path.suffix in (".jpg", ".png"))
    (sources / f"{evil}{photo.suffix}").write_bytes(photo.read_bytes())
    (sources / f"{evil}.webp").write_bytes(b"no picture")
    for words in (
        ["annotate", str(sources), "--model", f"models/{evil}", "--output", f"out{evil}"],
        ["export", f"copy{evil}", "--model", f"models/{evil}"],
        ["evaluate", "--model", f"models/{evil}"],
        ["uncertain", "--model", f"models/{evil}"],
        ["models"],
        ["doctor"],
        ["predict", "--model", evil],
        ["submission", "--model", evil],
        ["submit", f"submissions/{evil}.csv", "--dry-run"],
        ["fetch", "--source", evil],
        ["train", "--set", f"{evil}=1"],
    ):
        _, out, err = fercomp(*words)
        lines = (out + err).splitlines()
        assert any("evil" in line for line in lines), (words, out, err)
        assert not {"error: evil", "Next: evil"}.intersection(lines), (words, out, err)


def test_commands_print_by_what_escapes():
    """`tell`, `say`, `show`: nothing else may take a name to the terminal."""
    files = [*PACKAGE.glob("cli/*.py"), *PACKAGE.glob("stages/**/*.py"), *PACKAGE.glob("report/*.py")]
    calls = [
        f"{file.name}: {ast.unparse(node)}"
        for file in files
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "typer.echo", "typer.secho")
    ]
    assert len(calls) == 4, calls
    for call in calls:
        assert "one_line(" in call or "json.dumps(" in call or "__version__" in call


def test_a_card(fercomp, workspace):
    folder = workspace.bundle("tiny")
    card = json.loads((folder / "card.json").read_text())
    for change in ({"backbone": EVIL}, {"name": EVIL}, {"classes": [EVIL, *card["classes"][1:]]}, {EVIL: 1}):
        (folder / "card.json").write_text(json.dumps({**card, **change}))
        for words in (["models"], ["predict", "--model", "tiny"]):
            _, out, err = fercomp(*words)
            assert obeyed(out) == obeyed(err) == set(), (change, words)


def test_parameters_and_tables(fercomp, workspace):
    workspace.params.write_text(json.dumps({"train": {"backbone": EVIL}}))
    _, out, err = fercomp("train", "--name", "x")
    assert obeyed(out) == obeyed(err) == set()
    workspace.params.write_text(json.dumps({EVIL: 1}))
    _, out, err = fercomp("train", "--name", "x")
    assert obeyed(out) == obeyed(err) == set()
    workspace.photos.write_text(f"image_path,{EVIL}\na,b\n")
    workspace.params.unlink()
    _, out, err = fercomp("train", "--name", "x")
    assert "lacks the columns" in err
    assert obeyed(out) == obeyed(err) == set()


def test_a_real_terminal_sees_colours_of_ours_and_nothing_else(tmp_path):
    """On a terminal, errors are red: that is the only sequence that comes."""
    pty = pytest.importorskip("pty")
    main, other = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "fercomp", "fetch", "--source", EVIL],
        cwd=tmp_path,
        stdout=other,
        stderr=other,
        stdin=subprocess.DEVNULL,
    )
    os.close(other)
    seen = b""
    try:
        while piece := os.read(main, 4096):
            seen += piece
    except OSError:  # how the end of a terminal is told
        pass
    assert process.wait(timeout=60) == 1
    os.close(main)
    text = seen.decode("utf-8")
    assert "evil" in text
    assert obeyed(re.sub("\x1b\\[(31|0)m", "", text)) <= {"\r"}
