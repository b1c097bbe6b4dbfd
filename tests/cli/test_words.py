"""What a command ends with: one form of what to type next."""

from pathlib import Path

from fercomp.cli.words import say_next, to_kaggle


def test_each_command_has_a_line_in_the_order_of_typing(capsys):
    say_next(*to_kaggle("my models/a", Path("submissions/a.csv")))
    assert capsys.readouterr().out == (
        "Next: fercomp predict --model 'my models/a'\n"
        "      fercomp submission --model 'my models/a'\n"
        "      fercomp submit submissions/a.csv\n"
    )
