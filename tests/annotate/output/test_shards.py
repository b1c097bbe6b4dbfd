"""Shards of one folder, annotated by several processes, and their merge."""

import json
import os
import shutil
import signal
from importlib.util import find_spec

import pytest

from fercomp.annotate.batch import annotate_media, merge_media
from fercomp.annotate.options import Options
from fercomp.core.errors import FercompError
from fercomp.core.locks import Busy, exclusive, exclusive_part
from fercomp.core.shards import Shard
from tests.forks import ANNOTATE, MAIN, Forks
from tests.hostile.kill_ground import CHILD

WHOLE = Options(detector="whole")
OF = 3


@pytest.fixture
def media(photos, write_clip, faces):
    """Photos whose names meet, one that is none, and a clip."""
    write_clip(photos / "b" / "clip.mp4", [faces[0]] * 4)
    shutil.copy(photos / "a" / "face.jpg", photos / "x")
    (photos / "bad.png").write_text("not a picture")
    return photos


@pytest.fixture
def paths(media):
    return [media, media / "x"]


def files_of(output, but=()):
    """What an output folder holds, but for what belongs to shards."""
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file() and ".shard-" not in path.name and path.name not in but
    }


def all_shards(paths, output, bundle, options=WHOLE, of=OF):
    return [annotate_media(paths, output, bundle, options, shard=Shard(k, of)) for k in range(1, of + 1)]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_merged_shards_are_the_run_of_one_machine(bundle, paths, tmp_path, kind):
    options = Options(detector="whole", records=kind)
    whole = annotate_media(paths, tmp_path / "whole", bundle, options)
    parts = all_shards(paths, tmp_path / "parts", bundle, options)
    assert sum(part.photos for part in parts) == whole.photos == 8
    assert sum(part.videos for part in parts) == whole.videos == 1
    assert sum(part.faces for part in parts) == whole.faces
    done = merge_media(paths, tmp_path / "parts", bundle, options)
    assert (done.photos, done.videos, done.faces, done.problems) == (8, 1, whole.faces, whole.problems)
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")
    before = files_of(tmp_path / "parts")
    merge_media(paths, tmp_path / "parts", bundle, options)
    assert files_of(tmp_path / "parts") == before
    again = annotate_media(paths, tmp_path / "parts", bundle, options)
    assert again.earlier == 8, "all but the file that is no picture is done"


def test_a_file_stays_in_its_shard_whatever_comes_beside_it(bundle, media, tmp_path):
    all_shards([media], tmp_path / "out", bundle)
    shutil.copy(media / "a" / "face.jpg", media / "a" / "also.jpg")
    (media / "bad.png").unlink()
    (media / "landscape.png").unlink()
    with pytest.raises(FercompError, match=r"1 file not on record .*\(a/also.jpg\): run the shard \d of 3"):
        merge_media([media], tmp_path / "out", bundle, WHOLE)
    again = all_shards([media], tmp_path / "out", bundle)
    new = Shard.holding("a/also.jpg", OF).number - 1
    assert [part.photos + part.videos - part.earlier for part in again] == [int(k == new) for k in range(OF)]
    merge_media([media], tmp_path / "out", bundle, WHOLE)
    annotate_media([media], tmp_path / "whole", bundle, WHOLE)
    read = [(tmp_path / name / "records.csv").read_bytes() for name in ("out", "whole")]
    assert read[0] == read[1]


def test_copies_of_shards_that_saw_different_files_are_told(bundle, photos, tmp_path):
    """`x` and `x.png` both want to be `x.png`; neither shard knew of the other's file."""
    out, both = tmp_path / "out", {}
    for name in ("x", "x.png"):
        shutil.copy(photos / "landscape.png", photos / name)
        shard = both[name] = Shard.holding(name, 16)
        annotate_media([photos, photos / name], out, bundle, WHOLE, shard=shard)
        (photos / name).unlink()
    for name in both:
        shutil.copy(photos / "landscape.png", photos / name)
    paths = [photos, photos / "x"]
    assert both["x"] != both["x.png"]
    for k in range(1, 17):
        if Shard(k, 16) not in both.values():
            annotate_media(paths, out, bundle, WHOLE, shard=Shard(k, 16))
    with pytest.raises(FercompError, match=r"x.png is the copy of x(\.png)? and of x.* remove it, and run"):
        merge_media(paths, out, bundle, WHOLE)
    (out / "x.png").unlink()
    for shard in both.values():
        annotate_media(paths, out, bundle, WHOLE, shard=shard)


def missing(out, media):
    (out / "run.shard-2-of-3.json").unlink()
    return "lacks the shard 2 of 3: run what is missing"


def records_removed(out, media):
    (out / "records.shard-2-of-3.csv").unlink()
    return "records.shard-2-of-3.csv is missing .*: run shard 2/3 again"


def other_division(out, media):
    shutil.copy(out / "run.shard-2-of-3.json", out / "run.shard-1-of-2.json")
    return "has shards of 2 and 3: remove the files of all divisions but one"


def copied(out, media):
    data = (out / "records.shard-1-of-3.csv").read_bytes().splitlines(keepends=True)
    with (out / "records.shard-2-of-3.csv").open("ab") as file:
        file.writelines(data[1:])
    return "records.shard-2-of-3.csv has .*, of another shard: run shard 2/3 again"


def doubled(out, media):
    path = next(p for p in out.glob("records.shard-*-of-3.csv") if "clip.mp4" in p.read_text())
    rows = path.read_bytes().splitlines(keepends=True)
    with path.open("ab") as file:
        file.writelines(row for row in rows if b"clip.mp4" in row)
    return "has b/clip.mp4 twice: two machines were at one shard"


def edited(out, media):
    path = out / "records.shard-2-of-3.csv"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    return "was changed by another program: run shard 2/3 again"


def other_model(out, media):
    path = out / "run.shard-2-of-3.json"
    run = json.loads(path.read_text())
    path.write_text(json.dumps({**run, "fingerprint": "0", "views": 9}))
    return r"shard 2/3 in .* other settings \(fingerprint 0, views 9\): merge with its options"


def damaged(out, media):
    (out / "run.shard-2-of-3.json").write_text("{")
    return r"shard 2/3 in .* other settings \(unknown ones\)"


def changed_since(out, media):
    os.utime(media / "two.webp", (1, 1))
    shard = Shard.holding("two.webp", 3).number
    return rf"1 file not on record as they are now \(two.webp\): run the shard {shard} of 3 again"


def copy_removed(out, media):
    (out / "two.webp").unlink()
    return r"not on record as they are now \(two.webp\)"


def seen_elsewhere(out, media):
    (media / ".two.webp").symlink_to("nowhere")
    path = out / f"records.{Shard.holding('.two.webp', 3).tag}.csv"
    row = next(line for line in path.read_text().splitlines() if ",face," in line or ",no_face," in line)
    with path.open("a") as file:
        file.write(".two.webp," + row.split(",", 1)[1] + "\n")
    return r"has .two.webp on record, which is not found here"


BAD = [missing, records_removed, other_division, copied, doubled, edited, other_model, damaged]
BAD += [changed_since, copy_removed, seen_elsewhere]


@pytest.mark.parametrize("change", BAD, ids=lambda change: change.__name__)
def test_what_is_no_whole_is_refused_in_a_line_and_nothing_is_written(bundle, media, tmp_path, change):
    out = tmp_path / "out"
    all_shards([media], out, bundle)
    told = change(out, media)
    before = files_of(out)
    with pytest.raises(FercompError, match=told) as refused:
        merge_media([media], out, bundle, WHOLE)
    assert "\n" not in str(refused.value)
    assert files_of(out) == before


def test_without_any_shard_there_is_nothing_to_merge(bundle, photos, tmp_path):
    with pytest.raises(FercompError, match="not found: --output is the folder that all shards"):
        merge_media(photos, tmp_path / "out", bundle)
    annotate_media(photos, tmp_path / "out", bundle, WHOLE)
    with pytest.raises(FercompError, match="has no shard to merge: run with --shard 1/N"):
        merge_media(photos, tmp_path / "out", bundle, WHOLE)


def test_more_shards_than_files(bundle, photos, tmp_path):
    parts = all_shards([photos / "two.webp"], tmp_path / "out", bundle, of=4)
    assert sorted(part.photos for part in parts) == [0, 0, 0, 1]
    assert merge_media([photos / "two.webp"], tmp_path / "out", bundle, WHOLE).photos == 1


def test_a_shard_replaces_only_what_annotate_has_written(bundle, photos, tmp_path):
    out = tmp_path / "out"
    mine = Shard.holding("two.webp", 2)
    other = Shard(3 - mine.number, 2)
    annotate_media(photos, out, bundle, WHOLE, shard=other)
    (out / "two.webp").write_bytes(b"mine")
    with pytest.raises(FercompError, match=r"two.webp would be replaced, which annotate did not write"):
        annotate_media(photos, out, bundle, WHOLE, shard=mine)
    assert (out / "two.webp").read_bytes() == b"mine"
    annotate_media(photos, out, bundle, WHOLE, shard=other)
    annotate_media(photos, out, bundle, WHOLE, force=True, shard=mine)
    annotate_media(photos, out, bundle, WHOLE)  # all of the shards' copies are known


def test_one_machine_a_shard_and_nobody_while_all_is_written(bundle, photos, tmp_path):
    out = tmp_path / "out"
    annotate_media(photos, out, bundle, WHOLE, shard=Shard(1, 2))
    with exclusive_part(out, Shard(2, 2).tag, "part", "whole"):
        annotate_media(photos, out, bundle, WHOLE, shard=Shard(1, 2))
        with pytest.raises(Busy, match="another fercomp is at shard 2/2"):
            annotate_media(photos, out, bundle, WHOLE, shard=Shard(2, 2))
        for run in (annotate_media, merge_media):
            with pytest.raises(Busy, match="another fercomp is writing"):
                run(photos, out, bundle, WHOLE)
    with exclusive(out, "whole"), pytest.raises(Busy, match="another fercomp is writing"):
        annotate_media(photos, out, bundle, WHOLE, shard=Shard(2, 2))
    assert not list(out.glob(".*"))


def test_other_options_start_the_shard_anew_and_keep_its_rows(bundle, photos, tmp_path, capsys):
    annotate_media(photos, tmp_path / "out", bundle, WHOLE, shard=Shard(1, 2))
    annotate_media(photos, tmp_path / "out", bundle, Options(detector="whole", views=1), shard=Shard(1, 2))
    assert "its rows are now records.shard-1-of-2.1.csv" in capsys.readouterr().err
    annotate_media(photos, tmp_path / "out", bundle, WHOLE, shard=Shard(2, 2))
    with pytest.raises(FercompError, match=r"shard 1/2 .* other settings \(views 1\)"):
        merge_media(photos, tmp_path / "out", bundle, WHOLE)


def test_a_folder_that_cannot_be_looked_into_has_one_row(bundle, photos, tmp_path, lock):
    lock(photos / "a")
    annotate_media(photos, tmp_path / "whole", bundle, WHOLE)
    parts = all_shards(photos, tmp_path / "parts", bundle)
    assert [problem for part in parts for problem in part.problems] == ["a/"]
    merge_media(photos, tmp_path / "parts", bundle, WHOLE)
    assert files_of(tmp_path / "parts") == files_of(tmp_path / "whole")
    lock(photos / "a", is_locked=False)
    with pytest.raises(FercompError, match="2 files not on record"):
        merge_media(photos, tmp_path / "parts", bundle, WHOLE)


def test_a_machine_that_sees_less_does_not_merge(bundle, photos, tmp_path, lock):
    all_shards(photos, tmp_path / "out", bundle)
    lock(photos / "a")
    with pytest.raises(FercompError, match=r"has a/.* on record, which is not found here"):
        merge_media(photos, tmp_path / "out", bundle, WHOLE)


@pytest.mark.slow
def test_all_shards_at_once(bundle, media, tmp_path):
    """As a scheduler starts them: processes that know nothing of each other, in a folder yet to be made."""
    forks = Forks(ANNOTATE)
    out = tmp_path / "parts"
    words = (
        "annotate",
        str(media),
        "--model",
        str(bundle.folder),
        "--detector",
        "whole",
        "--output",
        str(out),
    )
    (media / "bad.png").unlink()
    try:
        children = [
            forks.start(MAIN, *words, "--shard", f"{k}/4", cwd=tmp_path, env={**os.environ})
            for k in range(1, 5)
        ]
        assert [child.communicate()[1] for child in children if child.wait() != 0] == []
    finally:
        forks.close()
    merge_media(media, out, bundle, WHOLE)
    annotate_media(media, tmp_path / "whole", bundle, WHOLE)
    assert files_of(out) == files_of(tmp_path / "whole")


AS_PARQUET = pytest.param(
    ("--merge", "--records", "parquet"),
    id="parquet",
    marks=pytest.mark.skipif(find_spec("pyarrow") is None, reason="needs pyarrow"),
)


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--shard", "1/2"), ("--merge",), AS_PARQUET])
def test_killed_at_every_change_of_a_file_the_same_command_does_the_rest(bundle, photos, tmp_path, words):
    shutil.rmtree(photos / "a")
    forks = Forks(ANNOTATE)
    start, broken, report = tmp_path / "start", tmp_path / "broken", tmp_path / "changes"

    def annotate(output, *more, moment=0):
        arguments = [str(int(signal.SIGKILL)), str(moment), str(report), "0", "0", "annotate", str(photos)]
        options = ["--model", str(bundle.folder), "--detector", "whole", "--output", str(output), *more]
        environment = {**os.environ, "NO_COLOR": "1"}
        child = forks.start(CHILD, *arguments, *options, cwd=tmp_path, env=environment)
        _, err = child.communicate()
        return child.returncode, int(report.read_text()) if child.returncode == 0 else 0, err

    try:
        for shard in ("1/2", "2/2")["--merge" not in words :]:
            assert annotate(start, "--shard", shard)[0] == 0
        shutil.copytree(start, tmp_path / "whole")
        code, changes, err = annotate(tmp_path / "whole", *words)
        assert (code, changes > 5) == (0, True), err
        wanted = {p.name: p.read_bytes() for p in (tmp_path / "whole").iterdir() if p.is_file()}
        for moment in range(1, changes + 1):
            shutil.rmtree(broken, ignore_errors=True)
            shutil.copytree(start, broken)
            assert annotate(broken, *words, moment=moment)[0] == -signal.SIGKILL
            code, _, err = annotate(broken, *words)
            assert (code, err.count("Traceback")) == (0, 0), (moment, err)
            assert {p.name: p.read_bytes() for p in broken.iterdir() if p.is_file()} == wanted, moment
    finally:
        forks.close()
