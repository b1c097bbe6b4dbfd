"""The reader gives what is in a file of tensors, and runs nothing that is in another one."""

import os
import pickle
import struct

import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.modeling.backbones.torch_file import read_tensors

HEADER = b"".join(
    pickle.dumps(part, 2)
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "type_sizes": {}})
)


def tensor(shape, strides, storage="FloatStorage", key="7", count=6, offset=0):
    """The opcodes of a tensor as `torch.save` writes it, in the readable ones of protocol 0."""
    numbers = "(" + "".join(f"I{n}\n" for n in shape) + "t(" + "".join(f"I{n}\n" for n in strides) + "t"
    return (
        f"ctorch._utils\n_rebuild_tensor_v2\n((S'storage'\n{storage_type(storage)}S'{key}'\nS'cpu'\nI{count}\n"
        f"NtQI{offset}\n{numbers}I00\nccollections\nOrderedDict\n)RtR"
    ).encode()


def storage_type(name):
    return f"ctorch\n{name}\n" if name.endswith("Storage") else f"S'{name}'\n"


def write(path, storages=None, **tensors):
    """Writes a file as `torch.save(state_dict, path)` did before PyTorch 1.6."""
    if storages is None:
        storages = {"7": np.arange(6, dtype=np.float32)}
    items = b"".join(f"S'{name}'\n".encode() + opcodes + b"s" for name, opcodes in tensors.items())
    blocks = [struct.pack("<q", array.size) + array.tobytes() for array in storages.values()]
    keys = pickle.dumps(list(storages), 2)
    path.write_bytes(HEADER + b"ccollections\nOrderedDict\n)R" + items + b"." + keys + b"".join(blocks))
    return path


def test_tensors_with_strides_offsets_and_a_common_storage(tmp_path):
    storages = {"7": np.arange(6, dtype=np.float32), "9": np.array([41], dtype=np.int64)}
    path = write(
        tmp_path / "net.pth",
        storages,
        whole=tensor((2, 3), (3, 1)),
        transposed=tensor((3, 2), (1, 3)),
        last=tensor((2,), (1,), offset=4),
        scalar=tensor((), (), "LongStorage", "9", 1),
    )
    tensors = read_tensors(path)
    np.testing.assert_array_equal(tensors["whole"], [[0, 1, 2], [3, 4, 5]])
    np.testing.assert_array_equal(tensors["transposed"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(tensors["last"], [4, 5])
    assert tensors["scalar"] == 41
    assert {name: array.dtype.str for name, array in tensors.items()} == {
        "whole": "<f4", "transposed": "<f4", "last": "<f4", "scalar": "<i8",
    }  # fmt: skip


class Evil:
    def __init__(self, folder):
        self.folder = str(folder)

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_a_file_that_runs_code_is_refused(tmp_path):
    folder = tmp_path / "made_by_the_file"
    evil = pickle.dumps({"_conv_stem.weight": Evil(folder)}, 2)
    pickle.loads(evil)  # noqa: S301
    assert folder.is_dir(), "this pickle does no harm, so the test shows nothing"
    folder.rmdir()
    path = tmp_path / "evil.pth"
    for content in (HEADER + evil + pickle.dumps([], 2), evil):
        path.write_bytes(content)
        with pytest.raises(FercompError, match=r"asks for posix\.mkdir"):
            read_tensors(path)
        assert not folder.exists()


@pytest.mark.parametrize(
    "name", ["builtins eval", "torch load", "torch._utils _rebuild_parameter", "collections namedtuple"]
)
def test_names_that_are_no_tensors_are_refused(tmp_path, name):
    module, function = name.split()
    opcodes = f"c{module}\n{function}\n(S'1'\ntR".encode()
    with pytest.raises(FercompError, match=f"asks for {module}.{function}"):
        read_tensors(write(tmp_path / "net.pth", weight=opcodes))


@pytest.mark.parametrize(
    ("opcodes", "why"),
    [
        (tensor((2, 3), (4, 1)), "strides"),
        (tensor((7,), (1,)), "buffer"),
        (tensor((1,), (1,), offset=6), "buffer"),
        (tensor((2,), (1,), offset=-1), "strides"),
        (tensor((2,), (-1,)), "strides"),
        (tensor((6,), (1,), count=7), "7 numbers"),
        (tensor((6,), (1,), storage="O"), "of O where"),
        (tensor((6,), (1,), key="8"), "storages that follow"),
        (b"I5\n", "storages that follow"),
    ],
)
def test_tensors_that_contradict_their_storage_are_refused(tmp_path, opcodes, why):
    with pytest.raises(FercompError, match=why):
        read_tensors(write(tmp_path / "net.pth", weight=opcodes))


def test_other_things_than_tensors_are_refused(tmp_path):
    path = write(tmp_path / "net.pth", weight=tensor((6,), (1,)), epoch=b"I5\n")
    with pytest.raises(FercompError, match="int where a tensor"):
        read_tensors(path)


def test_a_file_cut_off_anywhere_is_refused(tmp_path):
    path = write(tmp_path / "net.pth", weight=tensor((2, 3), (3, 1)))
    whole = path.read_bytes()
    assert read_tensors(path)["weight"].shape == (2, 3)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FercompError, match="not a legacy PyTorch file of tensors, or is damaged"):
            read_tensors(path)


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 a zip", b"\xff\xd8\xff\xe0 a picture", b"\x89HDF\r\n\x1a\n"]
)
def test_other_files_are_refused(tmp_path, content):
    (tmp_path / "net.pth").write_bytes(content)
    with pytest.raises(FercompError, match=r"net\.pth is not a legacy PyTorch file"):
        read_tensors(tmp_path / "net.pth")
    with pytest.raises(FercompError, match="not found"):
        read_tensors(tmp_path / "nowhere.pth")
    with pytest.raises(FercompError, match="directory"):
        read_tensors(tmp_path)
