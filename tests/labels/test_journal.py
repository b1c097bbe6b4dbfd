import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercomp.core.errors import FercompError
from fercomp.labels import journal as module
from fercomp.labels.journal import Journal, Verdict, read_decisions


def decision(i, label):
    return Verdict(f"train/{i}.jpg", f"{i:040x}", label)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "datasets" / "review.jsonl"


def test_the_last_decision_holds_and_undo_takes_it_back(path):
    with Journal(path) as journal:
        journal.append([decision(1, "happy"), decision(2, "drop"), decision(3, "sad")])
        journal.append([decision(1, "fear"), decision(3, None), decision(4, None)])
        expected = {decision(1, "").key: "fear", decision(2, "").key: "drop"}
        assert journal.decided == expected
    assert read_decisions(path) == expected
    with Journal(path) as again:
        assert again.decided == expected
    assert path.read_bytes().count(b"\n") == 6


def test_steps_are_told_by_the_journal_alone(path):
    first, second, third = (decision(i, "happy").key for i in (1, 2, 3))
    with Journal(path) as journal:
        journal.append(
            [decision(1, "happy"), replace(decision(2, "happy"), same_step=True), decision(3, "sad")]
        )
        journal.append([replace(decision(1, "fear"), same_step=True)])  # the first of an answer begins a step
        steps = journal.steps.done
        assert steps == [
            {first: (None, "happy"), second: (None, "happy")},
            {third: (None, "sad")},
            {first: ("happy", "fear")},
        ]
    with Journal(path) as again:
        assert again.steps.done == steps
        again.append([decision(1, "happy")])
        assert again.steps.done == steps[:2]
        again.append([decision(3, "sad")])  # changes nothing
        again.append([decision(3, None)])
        again.append([decision(2, None), replace(decision(1, None), same_step=True)])
        assert again.steps.done == []
        assert again.decided == {}
    with Journal(path) as empty:
        assert empty.steps.done == []


def test_no_journal_is_no_decision(path):
    assert read_decisions(path) == {}
    with Journal(path) as journal:
        assert journal.decided == {}
    assert path.read_bytes() == b""


@settings(max_examples=40)
@given(st.integers(0, 250))
def test_a_torn_journal_is_cut_after_the_last_whole_decision(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("torn") / "review.jsonl"
    with Journal(path) as journal:
        journal.append([decision(i, "happy") for i in range(3)])
    data = path.read_bytes()
    path.write_bytes(data[: min(cut, len(data))])
    whole = min(cut + 1, len(data)) * 3 // len(data)  # three lines of one length; the end of one may lack
    assert len(read_decisions(path)) == whole
    with Journal(path) as journal:
        assert len(journal.decided) == whole
        journal.append([decision(9, "sad")])
    assert path.read_bytes().startswith(data[: len(data) // 3 * whole])
    assert len(read_decisions(path)) == whole + 1


def test_a_torn_line_is_said(path, capsys):
    path.parent.mkdir()
    path.write_bytes(b'{"image_path": "a", "sha1": "b", "label": "sad"}\n{"image_pa')
    with Journal(path):
        pass
    said = " ".join(capsys.readouterr().err.split())
    assert 'review.jsonl ended in a torn line of 10 bytes, which was cut off: {"image_pa' in said
    assert path.read_bytes() == b'{"image_path": "a", "sha1": "b", "label": "sad"}\n'


def test_a_decision_without_its_line_end_is_kept(path, capsys):
    path.parent.mkdir()
    text = (
        '{"image_path": "a", "sha1": "b", "label": "sad"}\n{"image_path": "c", "sha1": "d", "label": "fear"}'
    )
    path.write_text(text)
    expected = {("a", "b"): "sad", ("c", "d"): "fear"}
    assert read_decisions(path) == expected
    assert path.read_text() == text
    with Journal(path) as journal:
        assert journal.decided == expected
        journal.append([decision(1, "happy")])
    assert path.read_text().startswith(text + "\n{")
    assert len(read_decisions(path)) == 3
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "3",
        "null",
        "{}",
        '{"image_path": "a", "sha1": "b"}',
        '{"image_path": "a", "sha1": "b", "label": "glad"}',
        '{"image_path": 3, "sha1": "b", "label": "sad"}',
        '{"image_path": "a", "sha1": "b", "label": ["sad"]}',
        '{"image_path": "a", "sha1": "b", "label": "sad", "same_step": 1}',
        "[" * 100_000,
    ],
    ids=range(12),
)
def test_a_file_that_is_no_journal_is_left_alone(path, line):
    path.parent.mkdir()
    text = '{"image_path": "a", "sha1": "b", "label": "sad"}\n' + line + "\n"
    path.write_text(text)
    with pytest.raises(FercompError, match="line 2 is not a decision"), Journal(path):
        pass
    with pytest.raises(FercompError, match="line 2 is not a decision"):
        read_decisions(path)
    assert path.read_text() == text


LINES = [f'{{"image_path": "{i}.jpg", "sha1": "b", "label": "sad"}}' for i in range(40)]
OTHER_ENDS = {
    "CR": "\r".join(LINES),
    "an array": f"[{', '.join(LINES)}]",
    "no line ends": "".join(LINES),
    "CR and half of one": "\r".join(LINES) + '\r{"image_pa',
    "an unknown label": '{"image_path": "a", "sha1": "b", "label": "glad"}',
    "one decision and more": LINES[0] + " or not",
    "written by another program": '{"image_path":"a","sha1":"b","lab',
    "a megabyte": '{"image_path": "' + "a" * 2**20,
    "zeros": "\0" * 100,
}


@pytest.mark.parametrize("end", OTHER_ENDS.values(), ids=OTHER_ENDS)
@pytest.mark.parametrize("before", [[], LINES[:2]], ids=["alone", "at the end"])
def test_only_a_torn_decision_is_cut_off(path, before, end):
    path.parent.mkdir()
    data = "".join(f"{line}\n" for line in before).encode() + end.encode()
    path.write_bytes(data)
    told = f"line {len(before) + 1} is not a decision"
    with pytest.raises(FercompError, match=told), Journal(path):
        pass
    with pytest.raises(FercompError, match=told):
        read_decisions(path)
    assert path.read_bytes() == data


def test_lines_that_end_as_windows_ends_them_are_read(path):
    path.parent.mkdir()
    path.write_bytes("\r\n".join(LINES).encode())
    with Journal(path) as journal:
        assert len(journal.decided) == 40
        journal.append([decision(1, "happy")])
    assert len(read_decisions(path)) == 41


def test_a_second_writer_is_turned_away_and_the_first_goes_on(path):
    with Journal(path) as first:
        with pytest.raises(FercompError, match="another `fercomp review` writes"), Journal(path):
            pass
        first.append([decision(1, "happy")])
        assert len(read_decisions(path)) == 1
    with Journal(path) as second:
        assert len(second.decided) == 1


@pytest.mark.parametrize("how", ["replaced", "removed"])
def test_nothing_is_decided_in_a_journal_that_is_no_longer_there(path, how):
    with Journal(path) as journal:
        journal.append([decision(1, "happy")])
        if how == "replaced":  # as by `git pull`
            path.with_name("other").write_bytes(path.read_bytes())
            path.with_name("other").replace(path)
        else:
            path.unlink()
        with pytest.raises(
            FercompError, match=r"replaced meanwhile, so nothing was decided: end `fercomp rev"
        ):
            journal.append([decision(2, "sad")])
        assert journal.decided == {decision(1, "").key: "happy"}
    with Journal(path) as again:
        again.append([decision(2, "sad")])
    assert decision(2, "").key in read_decisions(path)


def test_a_full_disk_decides_nothing(path, monkeypatch):
    with Journal(path) as journal:
        journal.append([decision(1, "happy")])
        before = path.read_bytes()

        def full(handle):
            raise OSError(28, "No space left on device")

        with monkeypatch.context() as context:
            context.setattr(module.os, "fsync", full)
            with pytest.raises(FercompError, match="No space left on device; nothing was decided"):
                journal.append([decision(2, "sad")])
        assert path.read_bytes() == before
        assert len(journal.decided) == 1
        journal.append([decision(3, "sad")])
    assert len(read_decisions(path)) == 2


CHILD = """
import sys
from pathlib import Path
from fercomp.labels.journal import Verdict, Journal
with Journal(Path(sys.argv[1])) as journal:
    for i in range(10**9):
        journal.append([Verdict(f"{i}-{k}.jpg", "0", "happy") for k in range(40)])
        print(i, flush=True)
"""


def test_what_was_answered_for_outlives_a_kill(path):
    for round_ in range(3):
        before = len(read_decisions(path))
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(path)], stdout=subprocess.PIPE, text=True)
        child.stdout.readline()
        time.sleep(0.05)
        os.kill(child.pid, signal.SIGKILL)
        answered = child.stdout.read().splitlines()
        assert child.wait() == -signal.SIGKILL
        with Journal(path) as journal:
            last = int(answered[-1]) if answered else 0
            assert all((f"{i}-{k}.jpg", "0") in journal.decided for i in range(last + 1) for k in range(40))
        assert len(read_decisions(path)) >= before, round_
