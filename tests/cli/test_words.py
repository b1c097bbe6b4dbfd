"""What a command ends with: one form of what to type next."""

from pathlib import Path
from zipfile import ZipFile

import pytest

from fercomp.cli.words import say_next, to_kaggle
from fercomp.core.paths import Workspace
from fercomp.demo.competition import DRAWN, README_NAME


@pytest.mark.parametrize("drawn", [False, True])
def test_each_command_has_a_line_in_the_order_of_typing(capsys, monkeypatch, tmp_path, drawn):
    """Of the drawn demo, seen: `submit` was advised, which refuses it."""
    monkeypatch.chdir(tmp_path)
    if drawn:
        with ZipFile(DRAWN) as demo:
            demo.extract(README_NAME, Workspace().raw)
    say_next(*to_kaggle("my models/a", Path("submissions/a.csv")), "fercomp submit", "fercomp submissions")
    more = " --dry-run" if drawn else ""
    assert capsys.readouterr().out == (
        "Next: fercomp predict --model 'my models/a'\n"
        "      fercomp submission --model 'my models/a'\n"
        f"      fercomp submit submissions/a.csv{more}\n"
        f"      fercomp submit{more}\n"
        "      fercomp submissions\n"
    )
