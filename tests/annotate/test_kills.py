"""`annotate`, killed at every moment at which it changes a file: the same command then does the rest."""

import json
import os
import shutil
import signal

import pytest

from tests.forks import ANNOTATE, Forks
from tests.hostile.kill_ground import CHILD

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def forks():
    forks = Forks(ANNOTATE)
    yield forks
    forks.close()


@pytest.fixture
def annotate(forks, tmp_path, bundle):
    """Runs `annotate`, killed at its n-th change of a file: exit code, number of changes, errors."""

    def run(output, *words, moment=0):
        report = tmp_path / "changes"
        arguments = [
            str(int(signal.SIGKILL)),
            str(moment),
            str(report),
            "0",
            "0",
            "annotate",
            str(tmp_path / "photos"),
        ]
        words = ["--model", str(bundle.folder), "--detector", "whole", "--output", str(output), *words]
        child = forks.start(CHILD, *arguments, *words, cwd=tmp_path, env={**os.environ, "NO_COLOR": "1"})
        _, err = child.communicate()
        return child.returncode, int(report.read_text()) if child.returncode == 0 else 0, err

    yield run
    forks.end_children()


def rows(output, kind="jsonl"):
    """The records, and those that were kept aside."""
    return {
        path.name: path.read_text(encoding="utf-8").splitlines() for path in output.glob(f"records*.{kind}")
    }


def copies(output):
    return {
        p.relative_to(output): p.read_bytes()
        for p in output.rglob("*")
        if p.suffix in (".jpg", ".png", ".webp")
    }


BEFORE = {
    "nothing": [],
    "the same records as CSV": [["--records", "csv"]],
    "records of another run": [["--records", "jsonl", "--min-size", "20"]],
    "two other runs": [["--records", "jsonl", "--min-size", "20"], ["--records", "csv", "--min-size", "30"]],
}


@pytest.mark.parametrize(
    ("kind", "before"), [*(("jsonl", before) for before in BEFORE), ("csv", "two other runs")]
)
def test_a_killed_run_goes_on_to_the_rows_of_an_unbroken_one(annotate, photos, tmp_path, kind, before):
    start, whole, broken = tmp_path / "start", tmp_path / "whole", tmp_path / "broken"
    start.mkdir()
    shutil.rmtree(photos / "a")
    for name in ("two.webp", "ünïcode, name.jpg"):
        (photos / name).unlink()
    for words in BEFORE[before]:
        assert annotate(start, *words)[0] == 0
    shutil.copytree(start, whole)
    code, changes, err = annotate(whole, "--records", kind)
    assert code == 0, err
    wanted = rows(whole, kind)
    assert changes > 10
    for moment in range(1, changes + 1):
        shutil.rmtree(broken, ignore_errors=True)
        shutil.copytree(start, broken)
        assert annotate(broken, "--records", kind, moment=moment)[0] == -signal.SIGKILL
        code, _, err = annotate(broken, "--records", kind)
        assert (code, "Traceback" in err) == (0, False), (moment, err)
        assert rows(broken, kind) == wanted, moment
        assert copies(broken) == copies(whole), moment
        assert not list(broken.rglob(".part*")), moment
        said = json.loads((broken / "run.json").read_text())
        assert said["sources"] == json.loads((whole / "run.json").read_text())["sources"], moment


def test_a_killed_run_gives_people_the_numbers_of_an_unbroken_one(annotate, photos, tmp_path):
    shutil.rmtree(photos / "a")
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    code, changes, err = annotate(whole, "--people")
    assert code == 0, err

    def results(output):
        found = (*output.glob("*.csv"), *(output / "people-data").iterdir())
        return {path.name: path.read_bytes() for path in found}

    assert len(results(whole)) >= 5
    for moment in range(changes, max(0, changes - 12), -3):  # the last of them number people
        shutil.rmtree(broken, ignore_errors=True)
        assert annotate(broken, "--people", moment=moment)[0] == -signal.SIGKILL
        code, _, err = annotate(broken, "--people")
        assert (code, "Traceback" in err) == (0, False), (moment, err)
        assert results(broken) == results(whole), moment
