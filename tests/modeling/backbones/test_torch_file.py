"""The reader of known files of tensors runs nothing that is in another one."""

import os
import pickle

import pytest

from fercomp.core.errors import FercompError
from fercomp.modeling.backbones.torch_file import read_tensors

HEADER = b"".join(
    pickle.dumps(part, 2)
    for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True, "type_sizes": {}})
)


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
    path = tmp_path / "net.pth"
    path.write_bytes(HEADER + f"c{module}\n{function}\n(S'1'\ntR.".encode())
    with pytest.raises(FercompError, match=f"asks for {module}.{function}"):
        read_tensors(path)
