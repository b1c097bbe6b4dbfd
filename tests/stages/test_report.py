"""The report: its numbers are the files', and whatever is wrong with a file, there is a page."""

import json
import os
import re
import shlex
import time
from zipfile import ZipFile

import pandas as pd
import pytest

from fercomp.core.classes import EMOTIONS
from fercomp.core.paths import Workspace
from fercomp.core.tables import PHOTOS, holdout_table
from fercomp.demo.competition import DRAWN, README_NAME
from fercomp.kaggle.submissions.history import HISTORY_TABLE
from fercomp.modeling.bundle.card import CARD, HISTORY_FILE, HOLDOUT, read_card
from fercomp.report.html.element import MINUS
from fercomp.stages.bench import BENCH
from fercomp.stages.report import make_report
from tests.report_files import Page, copy_model, evaluate_tables, hashes, sent, sha

RUNS, SENT = "Runs, the newest first", "Submissions, the newest first"


def page_of(workspace, **options):
    """Writes the report; returns it as it is read, and what was noted."""
    path = workspace.root / "report.html"
    written = make_report(workspace, path, **options)
    assert written.size == path.stat().st_size
    return Page(path.read_text(encoding="utf-8")), written.notes


def send(workspace, *rows):
    empty = dict.fromkeys(HISTORY_TABLE.columns, "")
    HISTORY_TABLE.write(pd.DataFrame([empty | row for row in rows]), workspace.history)


@pytest.fixture
def several(workspace):
    """`tiny`, and an older `older` with another seed, another holdout and a commit; both sent and scored."""
    copy_model(workspace, "older", age=100, params={"seed": 7, "mixup": 0.25})
    card = json.loads((workspace.bundle("older") / CARD).read_text())
    card["trained"] |= {"git_commit": "abcdef0123456789"}
    (workspace.bundle("older") / CARD).write_text(json.dumps(card))
    os.utime(workspace.bundle("older") / CARD, (time.time() - 100,) * 2)
    table = holdout_table(EMOTIONS).read(workspace.bundle("older") / HOLDOUT)
    table.loc[0, "emotion"] = "sad"
    holdout_table(EMOTIONS).write(table, workspace.bundle("older") / HOLDOUT)
    os.utime(workspace.bundle("tiny") / CARD)
    for name in ("tiny", "older"):
        evaluate_tables(workspace.bundle(name))
    row = {"experiment": "tiny", "ref": "1", "holdout_accuracy": "0.2222"}
    other = {**row, "experiment": "older", "ref": "2", "time": "2026-10-01T10:00:00+00:00"}
    send(
        workspace,
        sent(**row, public="0.25000", private="0.20000"),
        sent(**other, public="0.5"),
        sent(ref="3", time="2026-09-01T10:00:00+00:00", status="error", message="no </script><b>markup</b>"),
    )
    header = f"{','.join(BENCH.columns)}\n"
    (workspace.models / "bench.csv").write_text(f"{header}tiny,,,,,,,,,1.25,,,\nolder,,,,,,,,,3,,,\n")
    return workspace


def test_numbers_are_the_files(several):
    page, notes = page_of(several)
    assert notes == ()
    card = read_card(several.bundle("tiny"))
    row = page.row(RUNS, "tiny")
    assert row["holdout accuracy"].startswith(f"{card.scores['accuracy']:.4f}")
    assert row["macro-F1"] == f"{card.scores['macro_f1']:.4f}"
    assert row["calibration error"] == f"{card.scores['calibration_error']:.4f}"
    assert (row["public score"], row["private score"]) == ("0.25000", "0.20000")
    other = page.row(RUNS, "older")
    assert (other["holdout accuracy"][6], other["commit"]) == ("†", "abcdef0")
    assert other["differs from tiny in"] == "mixup=0.25, seed=7"
    photos = PHOTOS.read(several.photos)
    for emotion in EMOTIONS:
        mine = photos[photos["emotion"] == emotion]["split"]
        cells = page.row("Photos of each class", emotion)
        assert int(cells["photos"]) == len(mine)
        assert (int(cells["to learn"]), int(cells["holdout"])) == (
            (mine == "train").sum(),
            (mine == "holdout").sum(),
        )
    row = page.tables[SENT][1]
    assert row[:7] == [
        "tiny",
        "2026-11-01 10:00",
        "0.2222",
        "0.25000",
        "+0.0278",
        "0.20000",
        f"{MINUS}0.0222",
    ]


def test_two_runs_are_what_their_tables_say(several):
    tiny, older = page_of(several)[0].known["runs"]
    folder = several.bundle("tiny")
    counts = pd.read_csv(folder / "confusion.csv", index_col="emotion")
    assert tiny["confusion"] == counts.to_numpy().tolist() and tiny["answers"] == counts.columns.tolist()
    classes = pd.read_csv(folder / "per_class.csv")
    assert pd.DataFrame(tiny["classes"]).equals(classes)
    history = pd.read_csv(folder / HISTORY_FILE)
    assert tiny["history"]["holdout_loss"] == history["holdout_loss"].tolist()
    assert tiny["best"] == read_card(folder).trained["best_epoch"]
    assert (older["params"]["seed"], tiny["params"]["seed"]) == ("7", "2")
    assert (older["otherHoldout"], tiny["otherHoldout"]) == (True, False)


def test_mistakes_are_those_of_the_confusion_and_have_their_names(several):
    page, _ = page_of(several)
    counts = pd.read_csv(several.bundle("tiny") / "confusion.csv", index_col="emotion")
    said = {
        (given, answer): int(n) for given, answer, n in re.findall(r"(\w+) → (\w+)\s+(\d+) of \d+", page.text)
    }
    expected = counts.stack()
    assert said == {pair: n for pair, n in expected.items() if n and pair[0] != pair[1]}
    table = holdout_table(EMOTIONS).read(several.bundle("tiny") / HOLDOUT)
    wrong = table[table[list(EMOTIONS)].idxmax(axis=1) != table["emotion"]]
    assert all(path in page.text for path in wrong["image_path"])
    assert "fercomp relabel --model tiny" in page.text
    images = [attributes["title"] for tag, attributes in page.tags if tag == "img"]
    assert set(wrong["image_path"]) <= set(images)
    bare, _ = page_of(several, model="older", pictures=False)
    assert "img" not in [tag for tag, _ in bare.tags]
    assert "fercomp relabel --model older" in bare.text


def test_the_page_allows_its_own_script_and_style_and_nothing_else(several):
    page, _ = page_of(several)
    assert page.policy.startswith("default-src 'none'; ")
    assert hashes(page.policy, "script") == sha(page.raw["script"][1])
    assert hashes(page.policy, "style") == sha(page.raw["style"][0])
    for tag, attributes in page.tags:
        assert not {"style", "onclick", "srcset"} & attributes.keys(), tag
        for name in ("src", "href"):
            assert re.match(r"#|data:", attributes.get(name, "#"))


def test_names_with_markup_are_text(several):
    name = "<img src=x onerror='alert(1)'>&\u202e"
    copy_model(several, name, age=-5)
    table = holdout_table(EMOTIONS).read(several.bundle(name) / HOLDOUT)
    table.loc[0, "image_path"] = "train/anger/<script>alert(2)<!--.jpg"
    holdout_table(EMOTIONS).write(table, several.bundle(name) / HOLDOUT)
    page, _ = page_of(several)
    shown = name.replace("\u202e", r"\u202e")
    assert page.row(RUNS, shown)["model"] == shown
    assert page.known["runs"][0]["name"] == shown
    assert "no </script><b>markup</b>" in page.text
    assert f"fercomp relabel --model {shlex.quote(shown)}" in page.text, "safe to copy into a shell"
    assert [tag for tag, _ in page.tags].count("script") == 2
    assert not [attributes for tag, attributes in page.tags if "onerror" in attributes]


def test_what_is_next(several):
    said = page_of(several)[0].text
    assert "No dvc.yaml here" in said and "Next fercomp predict --model tiny" in " ".join(said.split())
    assert "was not asked for yet" in said
    (several.submissions / "standing.json").write_text(
        json.dumps(
            {"competition": "f", "time": "2026-11-02T09:00:00+00:00", "team": "w&", "rank": 3, "teams": 40}
        )
    )
    (several.bundle("tiny") / "per_class.csv").unlink()
    page, _ = page_of(several)
    assert "fercomp evaluate --model tiny" in page.text
    assert "w& was number 3 of 40 teams of f at 2026-11-02 09:00 UTC" in " ".join(page.text.split())
    several.photos.unlink()
    assert "Next fercomp prepare" in " ".join(page_of(several)[0].text.split())


def test_what_submit_refuses_is_not_next(several):
    several.history.unlink()
    for path in (several.test_probabilities("tiny"), several.submission("tiny")):
        path.write_text("")
    with ZipFile(DRAWN) as drawn:
        drawn.extract(README_NAME, several.raw)
    said = " ".join(page_of(several)[0].text.split())
    assert "Next fercomp crossval" in said
    assert "Nothing was sent from here: fercomp submit --dry-run" in said


def test_nothing_at_all(tmp_path):
    page, notes = page_of(Workspace(tmp_path))
    assert notes == ()
    for command in ("fercomp fetch", "fercomp train", "fercomp submit"):
        assert command in page.text
    assert page.known == {"runs": []}


FILES = (
    *("datasets/photos.csv", "datasets/problems.csv", "models/bench.csv", "submissions/history.csv"),
    *("submissions/standing.json", "models/broken/card.json", "models/tiny/confusion.csv"),
    *("models/other/per_class.csv", f"models/tiny/{HISTORY_FILE}", f"models/tiny/{HOLDOUT}"),
)
"""What is read."""


@pytest.mark.parametrize(
    "damage", [b"\0\1\2", b"", b"a,b\n1\n", "a folder"], ids=["zeros", "empty", "cut", "folder"]
)
def test_what_is_damaged_is_a_line_and_the_rest_is_there(several, damage):
    for name in ("broken", "other"):
        copy_model(several, name, age=50)
        evaluate_tables(several.bundle(name))
    for file in FILES:
        path = several.root / file
        path.unlink(missing_ok=True)
        path.mkdir() if damage == "a folder" else path.write_bytes(damage)
    page, notes = page_of(several, pictures=False)
    for file in FILES:
        assert any(file in note for note in notes), (file, notes)
    assert all(any(file in note for file in FILES) for note in notes)
    assert {row[0] for row in page.tables[RUNS][1:]} == {"tiny", "other", "older"}
    assert all(note in page.text for note in notes)
    broken = next(run for run in page.known["runs"] if run["name"] == "tiny")
    assert (broken["history"], broken["confusion"]) == ({}, [])


def test_five_thousand_photos_that_are_gone_and_all_mistaken(several):
    names = [f"train/sad/{'long ' * 10}{i}.jpg" for i in range(5_000)]
    row = PHOTOS.read(several.photos).iloc[[0]]
    photos = pd.concat([row] * len(names), ignore_index=True)
    photos = photos.assign(
        image_path=names, emotion="sad", split="holdout", duplicate_group=range(len(names))
    )
    PHOTOS.write(photos, several.photos)
    answers = dict.fromkeys(EMOTIONS, 0.05) | {"fear": 0.6}
    table = pd.DataFrame({"image_path": names, "emotion": "sad", **answers})
    holdout_table(EMOTIONS).write(table, several.bundle("tiny") / HOLDOUT)
    page, notes = page_of(several)
    assert notes == ()
    assert "None of these photos can be read: fercomp fetch" in " ".join(page.text.split())
    assert "sad → fear 5,000 of 5,000 (100.0 %)" in " ".join(page.text.split())
    assert "and 4,750 more" in page.text
    assert page.row("Photos of each class", "sad")["photos"] == "5,000"
    assert (several.root / "report.html").stat().st_size < 300_000


def test_a_refit_has_no_holdout_in_its_epochs(several):
    folder = copy_model(several, "again", age=50)
    history = pd.read_csv(folder / HISTORY_FILE).assign(holdout_loss="", holdout_accuracy="nan")
    history.to_csv(folder / HISTORY_FILE, index=False)
    page, notes = page_of(several, pictures=False)
    assert notes == ()
    known = next(run["history"] for run in page.known["runs"] if run["name"] == "again")
    assert known["holdout_loss"] == known["holdout_accuracy"] == [None] * len(history)
    assert known["loss"] == history["loss"].tolist()
