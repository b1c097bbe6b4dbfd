"""A sample of the campaign `./run hostile`, always the same one, and the campaign's own judgement."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.hostile.__main__ import all_cases, sample_of
from tests.hostile.case import OUTCOMES

SIZE = 51  # three of each area


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_sample_of_every_area_is_clear():
    words = [sys.executable, "-m", "tests.hostile", "--sample", str(SIZE), "--seed", "5"]
    done = subprocess.run(words, capture_output=True, text=True, cwd=Path(__file__).parents[2], timeout=560)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split() for line in done.stdout.splitlines() if re.match(r"[a-z]+ +[0-9]", line)]
    counts = {
        area: dict(zip(("tried", *OUTCOMES), map(int, numbers), strict=True)) for area, *numbers in rows
    }
    assert {"all"} | {case.area for case in all_cases()} == set(counts)
    assert counts["all"]["tried"] >= SIZE
    for area, count in counts.items():
        assert count["tried"] == count["clear"] >= 3, area


def test_a_sample_has_as_much_of_each_area_and_is_the_same_for_a_seed():
    cases = all_cases()
    assert len(cases) > 2000
    areas = [case.area for case in sample_of(cases, SIZE, 1)]
    assert set(map(areas.count, areas)) <= {SIZE // len(set(areas)), SIZE // len(set(areas)) + 1}
    assert sample_of(cases, SIZE, 1) != sample_of(cases, SIZE, 2)
    assert len(sample_of(cases, 10**6, 1)) == len(cases)
