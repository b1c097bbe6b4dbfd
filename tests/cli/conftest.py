"""A command as a user types it."""

import sys

import pytest

from fercomp.cli.app import main
from tests.forks import EVERY_COMMAND, Forks


@pytest.fixture
def fercomp(monkeypatch, capsys):
    """Runs `fercomp` with some words: exit code, stdout, stderr."""

    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["fercomp", *arguments])
        with pytest.raises(SystemExit) as end:
            main()
        out, err = capsys.readouterr()
        return end.value.code or 0, out, err

    return run


@pytest.fixture(scope="session")
def forks():
    """A process that has imported what every command does, and nothing heavy."""
    forks = Forks(EVERY_COMMAND)
    yield forks
    forks.close()
