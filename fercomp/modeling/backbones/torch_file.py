"""Reads the tensors of a legacy PyTorch file (`.pth`, before version 1.6) without PyTorch.

Only for files whose bytes are known (`packaged_file`). They are pickles, and a pickle may call anything; this
reader answers to a dictionary, a tensor and the names of its numbers, with inert objects of its own, and to
no other name.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from fercomp.core.errors import FercompError

_STORAGES: Final = {"FloatStorage": "<f4", "LongStorage": "<i8"}
"""Kinds of numbers, with NumPy's names for them."""


class _TensorsOnly(pickle.Unpickler):
    """An unpickler that can build dictionaries of shapes, and notes what numbers follow."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, tuple[str, int]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._tensor  # bound: the pickle could give attributes to a mere function
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise FercompError(f"it asks for {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> str:
        _, dtype, key, _, count, _ = pid
        self.storages[key] = dtype, count
        return str(key)

    def _tensor(self, storage: str, offset: int, shape: Any, strides: Any, *_: object) -> Any:
        return storage, offset, shape, strides


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Reads a dictionary of tensors, as `torch.save(model.state_dict(), path)` wrote it up to 2020.

    Args:
        path: The file; its bytes are known to be such.

    Returns:
        Read-only arrays by their names, in their order, of the shapes and types they had.

    Raises:
        FercompError: It holds more than tensors.
    """
    with path.open("rb") as file:
        for _ in range(3):  # a magic number, the protocol, the machine
            _TensorsOnly(file).load()
        reader = _TensorsOnly(file)
        tensors = reader.load()
        numbers = {}
        for key in _TensorsOnly(file).load():
            dtype, count = reader.storages[key]
            file.read(8)  # the count again
            numbers[key] = np.frombuffer(file.read(count * np.dtype(dtype).itemsize), dtype)
    return {name: _array(numbers[storage], *place) for name, (storage, *place) in tensors.items()}


def _array(numbers: NDArray[Any], offset: int, shape: Any, strides: Any) -> NDArray[Any]:
    step = numbers.itemsize  # what is in bytes here is in numbers there
    return np.ndarray(shape, numbers.dtype, numbers, offset * step, [step * stride for stride in strides])
