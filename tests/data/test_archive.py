import io
import random
import stat
import zipfile
from collections import namedtuple
from pathlib import Path, PurePosixPath

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fercomp.core.errors import FercompError
from fercomp.data import archive as module
from fercomp.data.archive import check_members, find_fault, name_fault, unpack

NOISE = random.Random(0).randbytes(3 * 2**20)


def make_zip(path, members, compression=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members:
            info = zipfile.ZipInfo(name) if isinstance(name, str) else name
            info.compress_type = compression
            file.writestr(info, content)
    return path


def info_of(name, mode=0, **fields):
    info = zipfile.ZipInfo("x")
    info.filename = info.orig_filename = name
    info.external_attr = mode << 16
    for field, value in fields.items():
        setattr(info, field, value)
    return info


def files_below(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_unpacks_what_was_packed(tmp_path):
    members = {"train.csv": b"a,b\n", "train/anger/0.jpg": NOISE, "train/é/0.jpg": b""}
    archive = make_zip(tmp_path / "a.zip", [("empty/", b""), *members.items()])

    unpack(archive, tmp_path / "out")

    assert files_below(tmp_path / "out") == members
    assert (tmp_path / "out" / "empty").is_dir()


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/passwd", "absolute"),
        ("C:/a", "absolute"),
        ("c:a", "absolute"),
        ("../a", "leads out"),
        ("a/../../b", "leads out"),
        ("a\\..\\b", "backslash"),
        ("..\\a", "backslash"),
        ("a\0b", "control"),
        ("a\nb", "control"),
        ("", "no name"),
        ("./", "no name"),
        ("..", "no name"),
        ("d/" * 21 + "a", "20 folders deep"),
        ("d/" * 1000, "20 folders deep"),
        ("./" * 30 + "a", "20 folders deep"),
    ],
)
def test_names_that_lead_elsewhere_are_refused_before_anything_is_written(tmp_path, name, why):
    assert why in name_fault(name)
    with pytest.raises(FercompError, match=why):
        check_members([info_of("good.txt"), info_of(name)], Path("a.zip"))


@given(st.text(alphabet=st.sampled_from("ab./\\:C\0\n é~ -"), max_size=12) | st.text(max_size=30))
def test_a_name_that_passes_stays_in_its_folder(name):
    if name_fault(name) is None:
        folder = Path("/some/folder")
        target = folder / PurePosixPath(name)
        assert ".." not in target.parts
        assert target.is_relative_to(folder)
        assert target != folder


@pytest.mark.parametrize(
    ("members", "why"),
    [
        ([info_of("a", stat.S_IFLNK | 0o777)], "link"),
        ([info_of("a", stat.S_IFIFO | 0o600)], "device"),
        ([info_of("a", flag_bits=1)], "encrypted"),
        ([info_of("a", compress_type=zipfile.ZIP_LZMA)], "unusual"),
        ([info_of("a/", file_size=3)], "folder with content"),
        ([info_of("a.jpg"), info_of("A.JPG")], "twice"),
        ([info_of("a"), info_of("./a")], "twice"),
        ([info_of("caf\u00e9"), info_of("cafe\u0301")], "twice"),
        ([info_of("a"), info_of("a/b/c")], "a file and a folder"),
        ([info_of("a"), info_of("A/")], "a file and a folder"),
        ([info_of("a", file_size=10**9, compress_size=10**6)], "packed into"),
        ([info_of("a", file_size=10**10, compress_size=10**10)] * 7, "GB unpacked"),
        ([info_of("a")] * 11, "members"),
    ],
)
def test_members_that_are_not_safe_are_refused(monkeypatch, members, why):
    monkeypatch.setattr(module, "MAX_MEMBERS", 10)
    with pytest.raises(FercompError, match=why):
        check_members(members, Path("a.zip"))


def test_a_real_symlink_is_refused(tmp_path):
    link = zipfile.ZipInfo("train")
    link.create_system = 3
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    archive = make_zip(tmp_path / "a.zip", [(link, b"/etc"), ("train/passwd", b"x")])
    with pytest.raises(FercompError, match="is a link"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_bomb_that_tells_its_size_is_refused(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a", bytes(8 * 2**20))])
    with pytest.raises(FercompError, match="packed into"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize("said", [10, len(NOISE) + 1])
def test_a_member_that_lies_about_its_size_is_found_out_while_writing(tmp_path, said):
    archive = make_zip(tmp_path / "a.zip", [("a", NOISE)])
    true, lie = (size.to_bytes(4, "little") for size in (len(NOISE), said))
    archive.write_bytes(archive.read_bytes().replace(true, lie))
    with zipfile.ZipFile(archive) as file:
        assert file.infolist()[0].file_size == said
    with pytest.raises(FercompError):
        unpack(archive, tmp_path / "out")
    assert (tmp_path / "out" / "a").stat().st_size <= said


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_download_that_was_cut_off_is_one_clear_error(tmp_path, share):
    archive = make_zip(tmp_path / "a.zip", [(f"{i}.jpg", bytes([i]) * 5000) for i in range(20)])
    content = archive.read_bytes()
    archive.write_bytes(content[: int(share * len(content))])
    with pytest.raises(FercompError, match=r"expected a whole zip archive.*download it again"):
        unpack(archive, tmp_path / "out")


def test_flipped_bits_are_found_by_the_checksum(tmp_path):
    archive = make_zip(tmp_path / "a.zip", [("a.jpg", b"0123456789" * 100)], zipfile.ZIP_STORED)
    content = bytearray(archive.read_bytes())
    content[200] ^= 1
    archive.write_bytes(content)
    with pytest.raises(FercompError, match="CRC"):
        unpack(archive, tmp_path / "out")


def test_something_else_than_a_zip_is_one_clear_error(tmp_path):
    path = tmp_path / "a.zip"
    path.write_text("<html>please log in</html>")
    with pytest.raises(FercompError, match="not a zip file"):
        unpack(path, tmp_path / "out")
    with pytest.raises(FercompError, match="cannot unpack"):
        unpack(tmp_path / "absent.zip", tmp_path / "out")


def test_a_disk_without_room_is_noticed_before_writing(tmp_path, monkeypatch):
    archive = make_zip(tmp_path / "a.zip", [("a", b"0123456789")])
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr("fercomp.core.files.shutil.disk_usage", lambda path: usage(100, 95, 5))
    with pytest.raises(FercompError, match="not enough disk"):
        unpack(archive, tmp_path / "out")
    assert not (tmp_path / "out").exists()


SMALL = io.BytesIO()
make_zip(SMALL, [("train/", b""), ("train/0.jpg", b"some bytes" * 20), ("b.csv", b"1,2\n")])


@settings(max_examples=300)
@given(
    st.lists(
        st.tuples(st.integers(0, len(SMALL.getvalue()) - 1), st.integers(0, 255)), min_size=1, max_size=6
    )
)
def test_a_damaged_archive_never_ends_in_a_traceback(tmp_path_factory, changes):
    folder = tmp_path_factory.mktemp("damaged")
    content = bytearray(SMALL.getvalue())
    for place, value in changes:
        content[place] = value
    (folder / "a.zip").write_bytes(content)
    try:
        unpack(folder / "a.zip", folder / "inner" / "out")
    except FercompError as error:
        assert "\n" not in str(error)
    assert {path.name for path in folder.iterdir()} <= {"a.zip", "inner"}
    assert {path.name for path in (folder / "inner").glob("*")} <= {"out"}


@pytest.mark.parametrize("depth", [1000, 30_000])
def test_members_that_lie_a_thousand_deep_are_one_line(tmp_path, depth):
    archive = make_zip(tmp_path / "a.zip", [("good.txt", b"x"), ("d/" * depth + "a", b"x")])
    with pytest.raises(FercompError, match="20 folders deep") as told:
        unpack(archive, tmp_path / "out")
    assert len(str(told.value)) < 500
    assert not (tmp_path / "out").exists()


COMMENTED = io.BytesIO(SMALL.getvalue())
with zipfile.ZipFile(COMMENTED, "a") as _file:
    _file.writestr(info_of("\u00e9", extra=b"\1\0\x08\0" + b"\1" * 8), b"x")
    _file.comment = b"a comment"
LARGE = io.BytesIO()
with zipfile.ZipFile(LARGE, "w") as _file, _file.open("a", "w", force_zip64=True) as _member:
    _member.write(b"x")


@pytest.mark.parametrize("whole", [COMMENTED.getvalue(), LARGE.getvalue()], ids=["small", "zip64"])
@pytest.mark.parametrize("width", [1, 2, 4, 8])
@pytest.mark.parametrize(
    "byte", [0xFF, *[pytest.param(byte, marks=pytest.mark.slow) for byte in (0x00, 0x7F, 0x80)]], ids=hex
)
def test_every_field_of_the_directory_may_be_damaged(tmp_path, whole, width, byte):
    """Sizes, offsets, counts, flags: all that stands behind the members."""
    archive, met = tmp_path / "a.zip", 0
    for place in range(whole.index(b"PK\1\2"), len(whole) - width + 1, width):
        archive.write_bytes(whole[:place] + bytes([byte]) * width + whole[place + width :])
        try:
            unpack(archive, tmp_path / f"out{place}")
        except FercompError as error:
            assert "\n" not in str(error)
            assert find_fault_or_told(archive)
            met += 1
    assert met >= 5  # of eight places at least


def find_fault_or_told(archive):
    """What `find_fault` returns, or the error of an archive that is not safe."""
    try:
        return find_fault(archive)
    except FercompError as error:
        return str(error)
