"""Decoded photos on disk: the same pixels as from the files, whatever happened to either."""

import json
import os
import shutil
import signal
import time
from contextlib import contextmanager
from multiprocessing import get_context

import numpy as np
import pytest
from PIL import Image

from fercomp.core.locks import LOCK, locked
from fercomp.data import cache as caching
from fercomp.data import inputs
from fercomp.data.cache import PhotoCache
from fercomp.data.inputs import Photos
from fercomp.media.problems import ImageProblem

SIZE, N = 24, 40
ALL = np.arange(N)


@pytest.fixture
def raw(tmp_path):
    """N photos of noise at several sizes, the last one a copy of the first."""
    folder = tmp_path / "raw"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(N - 1):
        side = 24 + 8 * (i % 9)
        Image.fromarray(rng.integers(0, 256, (side, side, 3), np.uint8)).save(folder / f"{i}.jpg")
    shutil.copyfile(folder / "0.jpg", folder / f"{N - 1}.jpg")
    return folder


@pytest.fixture
def paths():
    return [f"{i}.jpg" for i in range(N)]


@pytest.fixture
def cache(tmp_path, monkeypatch):
    # The photos of a test are always new; one test is about that.
    monkeypatch.setattr(caching, "_JUST_NOW", 0)
    return PhotoCache(tmp_path / "decoded")


@contextmanager
def no_file_is_read(monkeypatch):
    def never(path):
        raise AssertionError(f"{path} is read")

    with monkeypatch.context() as patch:
        patch.setattr(caching, "read_file", never)
        patch.setattr(inputs, "read_file", never)
        yield


def check(cache, raw, paths, size=SIZE):
    """Checks that the cache gives what the files hold, and returns its photos."""
    kept = cache.photos(raw, paths, size)
    np.testing.assert_array_equal(kept.take(ALL), Photos(raw, paths, size).take(ALL))
    return kept


def test_photos_are_decoded_once_for_all_who_want_them(cache, raw, paths, monkeypatch, tmp_path):
    expected = check(cache, raw, paths).take(ALL)
    with no_file_is_read(monkeypatch):
        again = PhotoCache(cache.folder).photos(raw, paths[::-1], SIZE)
        np.testing.assert_array_equal(again.take(ALL), expected[::-1])
        np.testing.assert_array_equal(np.concatenate(list(again.in_batches(7))), expected[::-1])
        part = cache.photos(raw, paths[5:9], SIZE)
        np.testing.assert_array_equal(part.take(np.array([3, 0])), expected[[8, 5]])
    # A copy takes no room, and another size has pixels of its own.
    assert (cache.folder / f"{SIZE}-{caching.PIXELS}.pixels").stat().st_size == (N - 1) * SIZE * SIZE * 3
    check(cache, raw, paths, SIZE + 1)
    # Elsewhere, the same bytes are read but not decoded again.
    shutil.copytree(raw, tmp_path / "moved")
    monkeypatch.setattr(caching, "face_of", None)
    np.testing.assert_array_equal(cache.photos(tmp_path / "moved", paths, SIZE).take(ALL), expected)


def test_a_photo_that_changed_is_read_again(cache, raw, paths):
    check(cache, raw, paths)
    status = (raw / "3.jpg").stat()
    data = (raw / "3.jpg").read_bytes()
    shutil.copyfile(raw / "12.jpg", raw / "3.jpg")  # of the same side
    changed = (raw / "3.jpg").read_bytes()
    (raw / "3.jpg").write_bytes((changed + bytes(len(data)))[: len(data)])
    os.utime(raw / "3.jpg", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (raw / "3.jpg").stat().st_size == status.st_size
    check(cache, raw, paths)


def test_a_file_that_was_written_just_now_is_not_trusted(cache, raw, paths, monkeypatch):
    monkeypatch.setattr(caching, "_JUST_NOW", 3600 * 10**9)
    check(cache, raw, paths)
    assert (cache.folder / "files.jsonl").read_text().split() == []
    check(cache, raw, paths)


def flip(file):
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 1
    file.write_bytes(data)


def halve(file):
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2 + 5])


def garble(file):
    file.write_bytes(os.urandom(file.stat().st_size))


@pytest.mark.parametrize("harm", [flip, halve, garble, os.unlink])
@pytest.mark.parametrize("name", ["pixels", "records", "files.jsonl"])
def test_damage_is_never_served_and_is_mended(harm, name, cache, raw, paths, monkeypatch):
    check(cache, raw, paths)
    (file,) = cache.folder.glob(f"*{name}")
    harm(file)
    check(cache, raw, paths)
    if (harm, name) != (flip, "records"):  # whose pixels are right; that photo is decoded from now on
        with no_file_is_read(monkeypatch):
            cache.photos(raw, paths, SIZE).take(ALL)
    check(cache, raw, paths)


def swap(file):
    data = file.read_bytes()
    file.write_bytes(data[8:16] + data[:8] + data[16:])


@pytest.mark.parametrize(("width", "at"), [(28, 0), (20, 0), (8, 20)], ids=["records", "sha1", "sum"])
def test_records_that_change_places_are_noticed(width, at, cache, raw, paths):
    check(cache, raw, paths)
    (file,) = cache.folder.glob("*.records")
    data = file.read_bytes()
    one, other = (slice(28 * i + at, 28 * i + at + width) for i in (3, 12))  # of the same side
    changed = bytearray(data)
    changed[one], changed[other] = data[other], data[one]
    file.write_bytes(changed)
    check(cache, raw, paths)


@pytest.mark.parametrize("place", range(5), ids=["path", "size", "written", "changed", "sha1"])
def test_notes_that_change_places_are_not_believed(place, cache, raw, paths):
    check(cache, raw, paths)
    file = cache.folder / "files.jsonl"
    notes = [json.loads(line) for line in file.read_text().splitlines() if line]
    notes[3][place], notes[12][place] = notes[12][place], notes[3][place]
    file.write_text("".join(json.dumps(note) + "\n" for note in notes))
    check(cache, raw, paths)


@pytest.mark.parametrize("harm", [flip, halve, garble, swap, lambda file: os.truncate(file, 0)])
def test_damage_to_what_is_being_read_is_noticed(harm, cache, raw, paths):
    kept = check(cache, raw, paths)
    expected = kept.take(ALL)
    (file,) = cache.folder.glob("*.pixels")
    harm(file)
    np.testing.assert_array_equal(kept.take(ALL[::-1]), expected[::-1])
    np.testing.assert_array_equal(kept.take(ALL), expected)
    check(cache, raw, paths)


def build(cache, raw, paths, seconds):
    """Decodes photos in another process, and takes its time for each."""
    decode = caching.face_of

    def slow(*arguments):
        time.sleep(seconds)
        return decode(*arguments)

    caching.face_of, caching._TOGETHER, caching._LOOK, caching._JUST_NOW = slow, 1, 0.01, 0
    check(cache, raw, paths)


def test_a_killed_build_is_gone_on_from(cache, raw, paths, monkeypatch):
    records = cache.folder / f"{SIZE}-{caching.PIXELS}.records"
    child = get_context("spawn").Process(target=build, args=(cache, raw, paths, 0.1))
    child.start()
    while not (records.is_file() and records.stat().st_size > 28 * 4):
        time.sleep(0.01)
    child.kill()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    left = records.stat().st_size // 28
    assert 0 < left < N - 1
    decoded, decode = [], caching.face_of
    monkeypatch.setattr(caching, "face_of", lambda *args: decoded.append(args) or decode(*args))
    check(cache, raw, paths)
    assert 0 < len(decoded) <= N - left  # the copy may be decoded beside its original


def test_two_processes_at_once_decode_each_photo_once(cache, raw, paths, monkeypatch):
    children = [get_context("spawn").Process(target=build, args=(cache, raw, paths, 0.01)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    assert [child.exitcode for child in children] == [0, 0]
    assert (cache.folder / f"{SIZE}-{caching.PIXELS}.pixels").stat().st_size == (N - 1) * SIZE * SIZE * 3
    with no_file_is_read(monkeypatch):
        cache.photos(raw, paths, SIZE).take(ALL)


def test_who_waits_for_another_process_says_so(cache, raw, paths, monkeypatch, capfd):
    monkeypatch.setattr(caching, "_LOOK", 0.01)
    held = locked(cache.folder / LOCK, "")
    held.__enter__()
    monkeypatch.setattr(caching.time, "sleep", lambda _: held.__exit__(None, None, None))
    check(cache, raw, paths)
    assert capfd.readouterr().err.splitlines() == ["another process decodes photos: waiting for it"]


PLACES = {
    "a pipe": lambda path: os.mkfifo(path),
    "a device": lambda path: path.symlink_to("/dev/zero"),
    "somebody else's file": lambda path: path.symlink_to(path.parents[1] / "precious"),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a folder": lambda path: path.mkdir(),
}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="what only POSIX has")
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("ending", [".jsonl", ".pixels", ".records"])
def test_what_stands_in_the_place_of_a_file_is_neither_read_nor_written(
    cache, raw, paths, ending, place, tmp_path, capfd
):
    (tmp_path / "precious").write_bytes(b"precious")
    check(cache, raw, paths)
    (path,) = cache.folder.glob(f"*{ending}")
    path.unlink()
    PLACES[place](path)
    capfd.readouterr()
    check(cache, raw, paths)
    assert f"{path.name} is a link, a folder, a pipe or a device: remove it" in capfd.readouterr().err
    assert (tmp_path / "precious").read_bytes() == b"precious"


def test_notes_of_anything_are_read(cache, raw, paths):
    check(cache, raw, paths)
    with (cache.folder / "files.jsonl").open("ab") as notes:
        notes.write(b'[\n{}\n1\nnull\n"a"\n\xff\n[[], {}, null, 1, "00"]\n' + b"[" * 10**5 + b"\n")
    check(cache, raw, paths)


def test_a_full_disk_costs_time_only(cache, raw, paths, capfd):
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (SIZE * SIZE * 3 * 20, before[1]))
    try:
        check(cache, raw, paths)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert "cannot be kept" in (told := capfd.readouterr().err)
    assert "they are decoded when needed" in told
    check(cache, raw, paths)
    assert capfd.readouterr().err == ""


def test_some_of_the_disk_is_left_to_others(cache, raw, paths, monkeypatch, capfd):
    monkeypatch.setattr(caching, "KEPT_FREE", shutil.disk_usage(raw).free + 10**9)
    check(cache, raw, paths)
    assert f"no room for {N} photos at {SIZE} pixels" in capfd.readouterr().err
    assert not list(cache.folder.glob("*.pixels"))


def test_a_folder_that_cannot_be_written_costs_time_only(raw, paths, tmp_path, capfd):
    (tmp_path / "file").write_text("in the way")
    check(PhotoCache(tmp_path / "file" / "decoded"), raw, paths)
    assert f"decoded photos cannot be kept in {tmp_path / 'file' / 'decoded'}" in capfd.readouterr().err


def test_the_folder_is_bounded_and_old_sizes_go_first(cache, raw, paths, monkeypatch, capfd):
    one = SIZE * SIZE * 3
    limit = (100 * one + 20_000) / 1e9
    small = PhotoCache(cache.folder, limit)
    check(small, raw, paths, SIZE // 2)
    os.utime(small.folder / f"{SIZE // 2}-{caching.PIXELS}.records", (1, 1))
    check(small, raw, paths, SIZE)
    check(small, raw, paths, 2 * SIZE)
    told = capfd.readouterr().err
    assert "has no room for" in told
    assert "at 48 pixels" in told
    left = {file.name.partition("-")[0] for file in small.folder.glob("*.pixels")}
    assert left == {str(2 * SIZE)}
    assert sum(file.stat().st_size for file in small.folder.iterdir()) <= limit * 1e9
    # What was kept is read from there.
    kept = small.photos(raw, paths, 2 * SIZE)
    with no_file_is_read(monkeypatch):
        kept.take(ALL[:10])
    assert PhotoCache(cache.folder, 0).photos(raw, paths, SIZE).take(ALL).shape == (N, SIZE, SIZE, 3)


def test_a_photo_that_cannot_be_used_is_told_and_the_others_are_kept(cache, raw, paths, monkeypatch):
    monkeypatch.setattr(caching, "_TOGETHER", 4)
    (raw / "30.jpg").write_bytes(b"not a picture")
    with pytest.raises(ImageProblem, match=r"30\.jpg is not a picture"):
        cache.photos(raw, paths, SIZE)
    with no_file_is_read(monkeypatch):
        cache.photos(raw, paths[:20], SIZE).take(np.arange(20))
    (raw / "30.jpg").unlink()
    with pytest.raises(ImageProblem, match=r"30\.jpg not found"):
        cache.photos(raw, paths, SIZE)
