import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from fercomp.cli.app import app
from fercomp.core.errors import FercompError
from fercomp.modeling.bundle.find import CAME_ALONG
from tests.drawn import draw_face


@pytest.fixture
def photos(workspace, monkeypatch):
    # A copy of a real bundle stands for the one in the package.
    for name in CAME_ALONG:
        monkeypatch.setitem(CAME_ALONG, name, workspace.root / "package")
    shutil.copytree(workspace.bundle("tiny"), workspace.root / "package")
    folder = workspace.root / "photos"
    folder.mkdir()
    for i, emotion in enumerate(("happy", "sad")):
        Image.fromarray(draw_face(emotion, np.random.default_rng(i), 96)).save(folder / f"{emotion}.png")
    return folder


def run(*arguments):
    return CliRunner().invoke(app, ["annotate", *map(str, arguments)])


def test_photos_are_annotated_with_the_shipped_model(photos, workspace):
    shutil.rmtree(workspace.models)
    result = run(photos)
    assert result.exit_code == 0, result.output
    assert "2 photos: 2 faces, 0 photos without a face" in result.stdout
    assert "\nnamed by tiny, 5 looks at each face\n" in result.stdout
    assert "Look at annotated/ and annotated/records.csv" in result.stdout
    assert {path.name for path in (workspace.root / "annotated").iterdir()} == {
        "happy.png",
        "sad.png",
        "records.csv",
        "run.json",
    }
    assert "2 photos, already done: 2 faces" in run(photos).stdout


def test_photos_and_a_video(photos, write_clip):
    picture = np.full((120, 160, 3), 190, dtype=np.uint8)
    picture[10:106, 30:126] = draw_face("happy", np.random.default_rng(0), 96)
    write_clip(photos / "clip.mp4", [picture] * 6)
    result = run(photos, "--every", "3", "--records", "jsonl")
    assert result.exit_code == 0, result.output
    assert "2 photos and 1 video (6 frames): 8 faces, 0 pictures without a face" in result.stdout
    assert "Look at annotated/ and annotated/records.jsonl" in result.stdout
    assert {"clip.mp4", "clip.timeline.png"} < {path.name for path in Path("annotated").iterdir()}
    only = run(photos / "clip.mp4", "--no-video", "-o", "only")
    assert "1 video (6 frames): 6 faces" in only.stdout
    assert not Path("only/clip.mp4").exists()


def test_options_reach_the_library(photos):
    result = run(photos / "sad.png", "-o", "out", "-m", "tiny", "--detector", "haar_alt", "--min-score", 900)
    assert "1 photo: 0 faces, 1 photo without a face" in result.stdout
    assert "no emotions to name" in result.stdout


def test_a_bad_file_is_in_the_exit_code(photos):
    (photos / "bad.jpg").write_bytes(b"bad")
    result = run(photos)
    assert isinstance(result.exception, FercompError)
    assert "1 of 3 files could not be used" in str(result.exception)
    assert "2 faces" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("missing",), "missing not found"),
        (("photos", "--detector", "yunet2"), "did you mean yunet"),
        (("photos", "--min-score", "7"), "min-score 7.0"),
        (("photos", "--model", "tinny"), "did you mean tiny"),
        (("photos", "--every", "0"), "every 0: expected at least 1"),
        (("photos", "--min-size", "0"), "min-size 0: expected"),
        (("photos", "--output", "photos"), "would overwrite the originals"),
        (("photos", "--min-size", "nan"), "min-size nan: expected"),
        (("photos", "--min-size", "inf"), "min-size inf: expected"),
        (("photos", "missing.jpg"), "missing.jpg not found"),
        (("photos", "--start", "soon"), "'soon' is no time: expected seconds or H:MM:SS"),
        (("photos", "--start", "1:75"), "is no time"),
        (("photos", "--start", "10", "--end", "0:10"), "end 10 s: expected a time after the start, 10 s"),
        (("photos", "--shard", "0/4"), "shard '0/4': expected K/N with K from 1 to N"),
        (("photos", "--shard", "5/4"), "shard '5/4': expected K/N"),
        (("photos", "--shard", "x"), "shard 'x': expected K/N"),
        (("photos", "--shard", "1/99999"), "N up to 10,000"),
        (("photos", "--shard", "1/2", "--merge"), "give one of the two"),
        (("photos", "--merge"), "annotated not found: --output is the folder that all shards wrote into"),
        (("missing", "--shard", "1/2"), "missing not found"),
        (("photos", "--output", "datasets"), "datasets holds files that annotate did not write"),
    ],
)
def test_mistakes_are_one_line(photos, arguments, message):
    result = run(*arguments)
    assert isinstance(result.exception, FercompError)
    assert message in str(result.exception)
    assert "\n" not in str(result.exception)


def test_several_paths_and_a_section(photos, write_clip):
    picture = np.full((120, 160, 3), 190, dtype=np.uint8)
    picture[10:106, 30:126] = draw_face("happy", np.random.default_rng(0), 96)
    (photos.parent / "clips").mkdir()
    write_clip(photos.parent / "clips" / "clip.mp4", [picture] * 100)
    result = run(photos / "sad.png", "clips", "--start", "0:01", "--end", "2.5")
    assert result.exit_code == 0, result.output
    assert "1 photo and 1 video (38 frames): 39 faces" in result.stdout
    assert Path("annotated/photos/sad.png").is_file()
    assert Path("annotated/clips/clip.mp4").is_file()


def test_shards_and_their_merge(photos):
    shutil.copytree(photos, "more")
    for k in (1, 2):
        result = run("more", "-o", "parts", "--shard", f"{k}/2")
        assert result.exit_code == 0, result.output
        assert f"then the same command with --merge, not --shard {k}/2" in result.stdout
    merged = run("more", "-o", "parts", "--merge")
    assert merged.exit_code == 0, merged.output
    assert "2 photos, already done: 2 faces" in merged.stdout
    assert run("more", "-o", "whole").exit_code == 0
    assert Path("parts/records.csv").read_bytes() == Path("whole/records.csv").read_bytes()
    some = (
        run("more/sad.png", "-o", "one", "--shard", "1/2"),
        run("more/sad.png", "-o", "one", "--shard", "2/2"),
    )
    assert sorted(result.stdout.startswith("no photos and no videos: 0 faces") for result in some) == [
        False,
        True,
    ]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0", 0), ("7.5", 7.5), ("90", 90), ("1:30", 90), ("1:02:30", 3750), ("0:00:00.5", 0.5)],
)
def test_times(text, seconds):
    from fercomp.annotate.options import clock_seconds

    assert clock_seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "-1", "1:2:3:4", "1:60", "1:60:00", "nan", "inf", "1e5", "1:", "\u0661", "9" * 400]
)
def test_what_is_no_time(text):
    from fercomp.annotate.options import clock_seconds

    with pytest.raises(FercompError, match="is no time"):
        clock_seconds(text)


def test_force_replaces_what_is_there(photos):
    Path("other").mkdir()
    Path("other/sad.png").write_text("mine")
    assert isinstance(run(photos, "-o", "other").exception, FercompError)
    assert Path("other/sad.png").read_text() == "mine"
    assert run(photos, "-o", "other", "--force").exit_code == 0
    assert Path("other/sad.png").stat().st_size > 1000


def test_photos_and_videos_have_models_of_their_own(photos, workspace, write_clip, write_model):
    for name in CAME_ALONG:
        CAME_ALONG[name] = write_model(workspace.root / name, seed=len(name))
    face = draw_face("happy", np.random.default_rng(0), 96)
    write_clip(photos / "clip.mp4", [face] * 3)
    result = run(photos, "--detector", "whole")
    assert result.exit_code == 0, result.output
    assert (
        "\nnamed by shipped-large, 1 look at each face of a photo, and by shipped in videos\n"
        in result.stdout
    )
    assert "\nnamed by shipped\n" in run(photos / "clip.mp4", "--output", "clip").stdout
    assert (
        "named by tiny, 9 looks at each face of a photo, and by tiny"
        in run(photos, "--model", "tiny", "--views", "9", "--output", "other").stdout
    )


def test_no_face_is_called_uncertain_where_that_is_not_wanted(photos, workspace, write_model, write_clip):
    model = write_model(workspace.root / "doubting", threshold=1.0)
    write_clip(photos / "clip.mp4", [draw_face("happy", np.random.default_rng(0), 96)] * 3)
    asked = ("--model", model, "--detector", "whole")
    assert "\nuncertain 5\n" in run(photos, *asked).stdout
    assert "uncertain" not in run(photos, *asked, "--no-uncertain", "--output", "sure").stdout


def test_a_face_found_by_a_cascade_has_no_tilt(photos):
    picture = np.full((300, 300, 3), 200, dtype=np.uint8)
    picture[60:240, 60:240] = draw_face("neutral", np.random.default_rng(5), 180)
    Image.fromarray(picture).save(photos / "large.png")
    result = run(photos / "large.png", "-m", "tiny", "--detector", "haar_default")
    assert "1 photo: 1 face, 0 photos without a face" in result.stdout
    (row,) = csv.DictReader(Path("annotated/records.csv").read_text().splitlines())
    assert (row["status"], row["roll"]) == ("face", "")


@pytest.mark.parametrize("views", ["0", "10", "-3"])
def test_views_are_one_to_nine(photos, views):
    result = run(photos, "--views", views)
    assert result.exit_code == 1
    assert f"views {views}: expected a number from 1 to 9" in str(result.exception)


def test_the_copy_of_one_photo_is_shown(photos, workspace, monkeypatch):
    shown = []
    monkeypatch.setattr(
        "fercomp.annotate.show.show_copy", lambda path: shown.append(path) or f"shown: {path}"
    )
    result = run(photos / "happy.png", "--show")
    assert result.exit_code == 0, result.output
    assert shown == [Path("annotated/happy.png")]
    assert shown[0].is_file()
    assert result.stdout.endswith("shown: annotated/happy.png\n")


def test_several_photos_are_not_shown(photos, workspace):
    for words in ((photos,), (photos / "happy.png", photos / "sad.png")):
        result = run(*words, "--show")
        assert isinstance(result.exception, FercompError)
        assert "name one photo" in str(result.exception)
    assert not (workspace.root / "annotated").exists()
