"""Downloads from the loopback server: whole, in pieces, over breaks and kills, damaged, and hostile."""

import io
import json
import signal
import stat
import time
import zipfile

import pytest

from fercomp.core.errors import FercompError
from fercomp.core.files import sha256
from fercomp.data.archive import find_difference
from fercomp.kaggle.client import transport
from fercomp.kaggle.client.download import fetch_archive
from fercomp.stages.fetch import fetch

SLUG = "faces-in-the-test"  # as in conftest.py


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "datasets"


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_archive_arrives_verified_and_on_record(signed_in, folder):
    archive = fetch_archive(SLUG, folder)
    assert archive.read_bytes() == signed_in.archive
    assert names(folder) == [f"{SLUG}.zip", f"{SLUG}.zip.json"]
    record = json.loads((folder / f"{SLUG}.zip.json").read_text())
    assert record["sha256"] == sha256(archive)
    assert record["bytes"] == len(signed_in.archive)
    assert signed_in.calls("ListDataFiles") == 3  # six files, two on each page


def test_the_source_kaggle_unpacks_it(signed_in, folder):
    report = fetch("kaggle", folder / "raw", SLUG)
    assert (report.source, report.train_photos, report.test_photos) == (f"kaggle ({SLUG})", 2, 2)
    for name, size in signed_in.listing.items():
        assert (folder / "raw" / name).stat().st_size == size
    assert names(folder) == [f"{SLUG}.zip", f"{SLUG}.zip.json", "raw"]


def test_a_verified_archive_is_not_downloaded_again(signed_in, folder, capsys):
    fetch_archive(SLUG, folder)
    fetch_archive(SLUG, folder)
    assert signed_in.calls("GET") == 1
    assert "not downloaded again" in capsys.readouterr().err


def test_a_verified_archive_serves_without_a_network(signed_in, folder, monkeypatch, capsys):
    fetch("kaggle", folder / "raw", SLUG)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    fetch("kaggle", folder / "raw", SLUG)
    assert "no connection to Kaggle" in capsys.readouterr().err


def test_what_a_run_leaves_that_is_killed_at_its_last_step_is_swept(signed_in, folder):
    fetch_archive(SLUG, folder)
    (folder / f"{SLUG}.zip.part.json").write_text('{"identity": "one", "bytes": 1}')
    fetch_archive(SLUG, folder)
    assert names(folder) == [f"{SLUG}.zip", f"{SLUG}.zip.json"]


@pytest.mark.parametrize("change", ["Kaggle's list", "the archive here", "the record"])
def test_what_is_not_verified_any_more_is_downloaded_again(signed_in, folder, change):
    archive = fetch_archive(SLUG, folder)
    if change == "Kaggle's list":
        files = {"new.csv": b"new"}
        signed_in.archive, signed_in.listing, signed_in.etag = zipped(files), {"new.csv": 3}, '"two"'
    elif change == "the archive here":
        archive.write_bytes(archive.read_bytes()[:-1] + b"?")
    else:
        (folder / f"{SLUG}.zip.json").write_text("[")
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    assert signed_in.calls("GET") == 2


def zipped(files):
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w") as file:
        for name, content in files.items():
            file.writestr(name, content)
    return sink.getvalue()


# -- breaks -----------------------------------------------------------------------------------------


def test_a_download_goes_on_where_it_broke_off(signed_in, folder, fault):
    signed_in.fail("GET", fault(cut=600_000), fault(), fault(cut=300_000))  # the second is not read
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    first, second = signed_in.ranges_asked
    assert 262_144 <= first <= 600_000
    assert first < second <= 900_000


def test_without_ranges_it_begins_again(signed_in, folder, fault):
    signed_in.ranges = False
    signed_in.fail("GET", fault(cut=600_000))
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    assert len(signed_in.ranges_asked) == 1


def test_without_an_identity_nothing_is_added_to(signed_in, folder, fault):
    signed_in.etag = None
    signed_in.fail("GET", fault(cut=600_000))
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    assert signed_in.ranges_asked == []


@pytest.mark.parametrize("moment", ["before the next address", "after it"])
def test_an_archive_that_changes_between_two_pieces_is_not_mixed(signed_in, folder, fault, moment):
    def change():
        signed_in.archive, signed_in.etag = zipped({name: bytes(n) for name, n in sizes.items()}), '"two"'

    sizes = dict(signed_in.listing)
    later = [fault(then=change)] if moment == "before the next address" else [fault(), fault(then=change)]
    signed_in.fail("GET", fault(cut=600_000), *later)
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    assert len(signed_in.ranges_asked) == (moment == "after it")
    assert signed_in.etag == '"two"'


def test_a_storage_that_is_busy_or_says_nonsense(signed_in, folder, fault):
    signed_in.fail(
        "GET",
        fault(status=503),
        fault(cut=600_000),
        fault(),  # the fresh address, whose content is not read
        fault(status=416),
        fault(cut=400_000),
        fault(),
        fault(status=404),
        fault(cut=400_000),
        fault(),
        fault(status=206, headers={"Content-Range": "bytes 7-8/9"}, body=b"??"),
    )
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive


def test_a_download_that_does_not_get_on_ends_and_keeps_what_it_has(signed_in, folder, fault):
    signed_in.fail("GET", fault(cut=600_000), *[fault(drop="before")] * 100)
    with pytest.raises(
        FercompError, match=r"does not get on: .*\d+\.\d kB are kept, the same command goes on"
    ):
        fetch_archive(SLUG, folder)
    signed_in.faults.clear()
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    assert signed_in.ranges_asked[-1] >= 262_144


def test_a_storage_that_ignores_ranges_and_drops_is_not_asked_for_ever(signed_in, folder, fault):
    """Each time a little more than before, so that every connection looks like a success."""
    signed_in.ranges = False
    for i in range(100):  # the fresh address, and the archive from its beginning
        signed_in.faults.setdefault("GET", []).extend([fault(cut=100_000 + 70_000 * (i % 12))] * 2)
    with pytest.raises(
        FercompError, match=r"began anew 3 times and never got beyond \d+\.\d kB: download it"
    ):
        fetch_archive(SLUG, folder)
    assert signed_in.calls("GET") < 20


def test_drops_that_never_get_beyond_the_most_that_was_there_are_counted(signed_in, folder, fault):
    signed_in.ranges = False
    cuts = [600_000, 600_000, 300_000] + [1_000] * 100
    signed_in.fail("GET", *[fault(cut=cut) for cut in cuts])
    with pytest.raises(FercompError, match="does not get on"):
        fetch_archive(SLUG, folder)
    assert signed_in.calls("GET") < 20


@pytest.mark.parametrize("wrong", ["403", "404", "page", "page for the address", "403 for the address"])
def test_a_refusal_or_a_page_that_passes_throws_nothing_away(signed_in, folder, fault, wrong):
    page = {"status": 200, "body": b"<html>log in</html>"}
    odd = fault(**page) if "page" in wrong else fault(status=int(wrong[:3]), body=b"<Error/>")
    later = [odd] if "address" in wrong else [fault(), odd]
    signed_in.fail("GET", fault(cut=600_000), *later)
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    assert len(signed_in.ranges_asked) == 1
    assert signed_in.ranges_asked[0] >= 262_144


def test_a_storage_that_says_there_is_no_rest_is_asked_for_all(signed_in, folder, fault):
    refuses = [fault(), fault(status=416)]
    signed_in.fail("GET", fault(cut=600_000), *refuses, *refuses)
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive


@pytest.mark.parametrize("where", ["the address", "the rest"])
def test_a_busy_storage_is_waited_for(signed_in, folder, fault, where, monkeypatch):
    waited = []
    monkeypatch.setattr(time, "sleep", waited.append)
    busy = [fault(status=429, headers={"Retry-After": "7"})] * (1 if where == "the address" else 9)
    signed_in.fail("GET", fault(cut=600_000), *([] if where == "the address" else [fault()]), *busy)
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    assert 7 in waited
    assert signed_in.ranges_asked[0] >= 262_144


def test_a_storage_that_asks_for_a_long_pause_is_told_and_the_bytes_stay(signed_in, folder, fault):
    signed_in.fail("GET", fault(cut=600_000), fault(status=429, headers={"Retry-After": "3600"}))
    with pytest.raises(FercompError, match=r"too many requests.*try again in 3600 seconds"):
        fetch_archive(SLUG, folder)
    assert (folder / f"{SLUG}.zip.part").stat().st_size >= 262_144


def test_a_storage_that_drips_is_left_and_asked_again(signed_in, folder, fault, monkeypatch):
    monkeypatch.setattr(transport, "READ_SECONDS", 0.2)
    signed_in.fail("GET", fault(cut=600_000), fault(), fault(drip=0.03))
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    assert len(signed_in.ranges_asked) == 2


@pytest.mark.parametrize("status", [403, 404, 503])
def test_without_the_list_checksums_are_enough(signed_in, folder, fault, capsys, status):
    signed_in.fail("ListDataFiles", fault(), *[fault(status=status)] * 9)
    archive = fetch_archive(SLUG, folder)
    assert archive.read_bytes() == signed_in.archive
    assert "Kaggle's list of files ends after 2 (" in capsys.readouterr().err
    signed_in.faults.clear()
    fetch_archive(SLUG, folder)  # it is what the whole list says
    fetch_archive(SLUG, folder)
    assert signed_in.calls("GET") == 1


def test_an_archive_that_came_without_the_list_is_compared_with_it_later(signed_in, folder, fault):
    signed_in.fail("ListDataFiles", *[fault(status=403)] * 9)
    fetch_archive(SLUG, folder)
    signed_in.faults.clear()
    signed_in.listing["more.csv"] = 3
    files = {name: bytes(size) for name, size in signed_in.listing.items()}
    signed_in.archive, signed_in.etag = zipped(files), '"two"'
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive


def test_rules_that_are_not_accepted(signed_in, folder, fault):
    message = "You must accept this competition's rules before you'll be able to download files."
    signed_in.fail("DownloadDataFiles", fault(status=403, body={"error": {"code": 403, "message": message}}))
    with pytest.raises(FercompError, match=f"accept its rules at .*competitions/{SLUG}/rules"):
        fetch_archive(SLUG, folder)


# -- damage -----------------------------------------------------------------------------------------


def damaged(archive):
    middle = len(archive) // 2
    return archive[:middle] + bytes([archive[middle] ^ 1]) + archive[middle + 1 :]


def test_a_corrupt_download_is_repeated_once_and_then_told(signed_in, folder):
    signed_in.archive = damaged(signed_in.archive)
    with pytest.raises(FercompError, match=r"not whole .*Bad CRC-32.*also when it was sent again"):
        fetch_archive(SLUG, folder)
    assert signed_in.calls("GET") == 2
    assert names(folder) == []


def test_a_truncated_archive(signed_in, folder):
    signed_in.archive = signed_in.archive[: len(signed_in.archive) // 2]
    with pytest.raises(FercompError, match=r"not whole .*not a zip file"):
        fetch_archive(SLUG, folder)


def test_a_page_instead_of_an_archive(signed_in, folder):
    signed_in.archive = b'{"error": {"message": "expired"}}'
    with pytest.raises(FercompError, match=r"not whole .*not a zip file"):
        fetch_archive(SLUG, folder)


def test_an_error_that_an_earlier_client_left_in_the_part_is_noticed_and_mended(signed_in, folder, capsys):
    folder.mkdir()
    part = folder / f"{SLUG}.zip.part"
    part.write_bytes(b'{"error": {"message": "expired"}}')
    (folder / f"{SLUG}.zip.part.json").write_text(
        json.dumps({"identity": signed_in.etag, "bytes": len(signed_in.archive)})
    )
    assert fetch_archive(SLUG, folder).read_bytes() == signed_in.archive
    assert "downloading it once more" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"train.csv": 7}, "train.csv has 48 bytes, 7 were expected"),
        ({"more.csv": 7}, "more.csv is not in it"),
    ],
)
def test_a_sound_archive_that_is_not_what_kaggle_lists_is_kept(signed_in, folder, capsys, change, told):
    signed_in.listing |= change  # the last page, for the second
    archive = fetch_archive(SLUG, folder)
    assert archive.read_bytes() == signed_in.archive
    assert f"not what Kaggle lists: {told}; it is kept" in capsys.readouterr().err
    fetch_archive(SLUG, folder)
    assert signed_in.calls("GET") == 1


def test_a_list_without_folders_or_sizes_is_compared_as_far_as_it_goes(tmp_path):
    archive = tmp_path / "a.zip"
    archive.write_bytes(zipped({"train/a/0.jpg": b"12", "train/b/0.jpg": b"123"}))
    assert find_difference(archive, [("0.jpg", 2), ("0.jpg", 3), ("0.jpg", 0)]) is None
    assert find_difference(archive, [("0.jpg", 4)]) == "0.jpg has 2 bytes, 4 were expected"
    assert find_difference(archive, [("train/b/0.jpg", 2)]) == "train/b/0.jpg has 3 bytes, 2 were expected"


def link():
    info = zipfile.ZipInfo("train/link")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    return info


@pytest.mark.parametrize("name", ["../escape.txt", "/escape.txt", "train/../../escape.txt", link()])
def test_members_that_try_to_escape(signed_in, folder, tmp_path, name):
    signed_in.archive = zipped({name: b"/etc/passwd"})
    signed_in.listing = {}
    with pytest.raises(FercompError, match="not safe to unpack"):
        fetch("kaggle", folder / "raw", SLUG)
    assert not list(tmp_path.rglob("escape.txt"))
    assert names(folder) == []


def test_the_disk_is_looked_at_before_the_first_byte(signed_in, folder):
    signed_in.listing["huge.bin"] = 10**18
    with pytest.raises(FercompError, match="not enough disk under"):
        fetch_archive(SLUG, folder)
    assert names(folder) == []


# -- processes --------------------------------------------------------------------------------------


def test_a_disk_that_fills_up_is_one_line_and_the_download_goes_on_later(run, kaggle):
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (500_000, 500_000))\n"
    words = ("fetch", "--source", "kaggle")
    code, _, err = run(*words, before=limit)
    assert code == 1
    assert err.startswith("error: the disk is full") and err.count("\n") == 1
    code, _, err = run(*words)
    assert code == 0, err
    assert kaggle.ranges_asked[0] > 0


def wait_for(condition, process):
    end = time.monotonic() + 240
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end
        time.sleep(0.002)


MOMENTS = {
    "signing in": lambda kaggle, datasets: kaggle.calls("IntrospectToken"),
    "listing": lambda kaggle, datasets: kaggle.calls("ListDataFiles"),
    "first bytes": lambda kaggle, datasets: (datasets / f"{SLUG}.zip.part").is_file(),
    "half": lambda kaggle, datasets: _bytes(datasets / f"{SLUG}.zip.part") > 500_000,
    "all bytes": lambda kaggle, datasets: _bytes(datasets / f"{SLUG}.zip.part") >= len(kaggle.archive),
    "record": lambda kaggle, datasets: (datasets / f"{SLUG}.zip.json").is_file(),
    "verified": lambda kaggle, datasets: (datasets / f"{SLUG}.zip").is_file(),
    "unpacking": lambda kaggle, datasets: any(datasets.glob(".part.*/*/train.csv")),
    "unpacked": lambda kaggle, datasets: (datasets / "raw").is_dir(),
}


# Six small files are unpacked in less time than a busy machine takes to look once.
SLOW_UNPACKING = """
import time, zipfile
read = zipfile.ZipExtFile.read
def slowly(self, n=-1):
    time.sleep(0.03)
    return read(self, n)
zipfile.ZipExtFile.read = slowly
"""


QUICK = ("half", "record", "unpacking")


def _bytes(path):
    return path.stat().st_size if path.is_file() else 0


@pytest.mark.parametrize(
    "moment",
    [
        *QUICK,
        *[pytest.param(moment, marks=pytest.mark.slow) for moment in MOMENTS if moment not in QUICK],
    ],
)
def test_a_killed_fetch_leaves_the_next_one_the_right_data(start, run, kaggle, tmp_path, moment):
    datasets, words = tmp_path / "work" / "datasets", ("fetch", "--source", "kaggle")
    kaggle.slow = 0.05
    process = start(*words, before=SLOW_UNPACKING)
    wait_for(lambda: MOMENTS[moment](kaggle, datasets), process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    kaggle.slow, had = 0.0, _bytes(datasets / f"{SLUG}.zip.part")

    code, out, err = run(*words)
    assert code == 0, err
    assert out.startswith(f"kaggle ({SLUG}): 2 training and 2 test photos")
    with zipfile.ZipFile(io.BytesIO(kaggle.archive)) as archive:
        for name in archive.namelist():
            assert (datasets / "raw" / name).read_bytes() == archive.read(name)
    assert names(datasets) == [f"{SLUG}.zip", f"{SLUG}.zip.json", "raw"]
    assert (
        sha256(datasets / f"{SLUG}.zip") == json.loads((datasets / f"{SLUG}.zip.json").read_text())["sha256"]
    )
    if moment == "half":
        assert kaggle.ranges_asked == [had]
    if moment in ("all bytes", "record", "verified", "unpacking", "unpacked"):
        assert kaggle.ranges_asked == []
