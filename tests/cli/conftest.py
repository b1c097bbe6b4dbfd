"""A command as a user types it."""

import sys

import pytest

from fercomp.cli.app import main


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
