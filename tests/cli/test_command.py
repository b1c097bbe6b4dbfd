"""What every command does with what is typed, whichever command it is."""

import typing
from pathlib import Path

import pytest
import typer

from fercomp.cli.app import COMMANDS, app
from fercomp.core.errors import FercompError
from fercomp.core.paths import at_home

COMMAND = typer.main.get_command(app)
FUNCTIONS = {command.__name__: command for commands in COMMANDS.values() for command in commands}
OPTIONS = [
    (name, parameter)
    for name, command in COMMAND.commands.items()
    for parameter in command.params
    if not getattr(parameter, "is_flag", False) and parameter.name != "help"
]
PATHS = [
    (name, p) for name, p in OPTIONS if any(word in (p.metavar or "") for word in ("PATH", "DIR", "CSV"))
]
NEEDED = {
    "export": ["out"],
    "annotate": ["photos"],
    "distill": ["tiny", "--name", "x"],
    "refit": ["tiny"],
    "repro": ["params.yaml", "--on", "kaggle"],
}


def ids(value):
    return value if isinstance(value, str) else getattr(value, "name", None)


def typed(name, parameter, value):
    """The words of a command with a value for one of its parameters."""
    if parameter.param_type_name == "argument":
        return [name, value, *NEEDED.get(name, [])[1:]]
    return [name, *NEEDED.get(name, []), parameter.opts[0], value]


@pytest.mark.parametrize(("name", "parameter"), OPTIONS, ids=ids)
def test_nothing_empty_is_taken_for_the_current_folder(fercomp, tmp_path, monkeypatch, name, parameter):
    monkeypatch.chdir(tmp_path)
    tries = [typed(name, parameter, "")]
    if parameter.param_type_name == "option" and parameter.opts[0].startswith("--"):
        tries.append([name, *NEEDED.get(name, []), f"{parameter.opts[0]}="])
    for words in tries:
        code, out, err = fercomp(*words)
        assert (code, out, err.count("\n")) == (1, "", 1), words
        assert err.startswith("error: an argument is empty")


@pytest.mark.parametrize(("name", "parameter"), PATHS, ids=ids)
def test_the_home_of_nobody_is_no_folder_here(fercomp, workspace, name, parameter):
    code, out, err = fercomp(*typed(name, parameter, "~nosuchuser/x"))
    assert (code, out) == (1, "")
    assert err == "error: no user is called '~nosuchuser': a file of that name is ./~nosuchuser/x\n"
    assert not [path for path in workspace.root.iterdir() if path.name.startswith("~")]


def test_every_path_is_known_by_its_metavar():
    """`--output` of a new command is looked at, too: by its metavar, since Typer keeps no type."""
    known = {(name, parameter.name) for name, parameter in PATHS}
    for name, function in FUNCTIONS.items():
        for parameter, kind in typing.get_type_hints(function).items():
            if Path in (kind, *typing.get_args(kind)):
                assert (name, parameter) in known


def test_home_is_written_out_wherever_the_shell_left_it(fercomp, workspace, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    assert at_home("~/x") == str(tmp_path / "home" / "x")
    assert at_home("a/~b") == "a/~b"
    _, _, err = fercomp("annotate", "~/none.jpg")
    assert str(tmp_path / "home" / "none.jpg") in err


def test_a_file_may_begin_with_a_tilde(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~$draft.jpg").touch()
    assert at_home("~$draft.jpg") == "~$draft.jpg"
    for name in ("~nosuchuser", "~\0", "~" + "x" * 5000):
        with pytest.raises(FercompError, match="no user is called"):
            at_home(name)


FLOATS = [
    (name, option)
    for name, function in FUNCTIONS.items()
    for option, kind in typing.get_type_hints(function).items()
    if float in (kind, *typing.get_args(kind))
]


@pytest.mark.parametrize(("name", "option"), FLOATS)
@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e999", "NaN", "-nan", "Infinity"])
def test_numbers_are_numbers(fercomp, workspace, name, option, value):
    option = f"--{option.replace('_', '-')}"
    code, out, err = fercomp(name, *NEEDED.get(name, []), f"{option}={value}")
    assert (code, out) == (1, "")
    assert err == f"error: {option} {float(value)}: expected a number that is finite\n"
