import re

import pytest


@pytest.mark.slow
def test_a_copy_in_8_bits_says_how_much_it_agrees_and_annotates(workspace, fercomp):
    code, out, err = fercomp("export", "mine", "--model", "tiny", "--precision", "int8")
    assert code == 0, err
    share = re.match(
        r"The copy names the same class as the original for ([\d.]+)% of \d+ training photos\.", out
    )
    assert share
    assert 80 < float(share[1]) <= 100
    assert re.search(r"^mine: \d+\.\d kB\nNext: fercomp annotate PHOTOS --model mine$", out, re.M)
    assert fercomp("annotate", "datasets/raw/test_kaggle", "--model", "mine", "--output", "seen")[0] == 0


def test_without_a_precision_nothing_is_said_of_agreement(workspace, fercomp):
    code, out, _ = fercomp("export", "mine", "--model", "tiny")
    assert code == 0
    assert out.startswith("mine: ")
    assert out.endswith("\nNext: fercomp annotate PHOTOS --model mine\n") and out.count("\n") == 2
