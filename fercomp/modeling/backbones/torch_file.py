"""Reads the tensors of a legacy PyTorch file (`.pth`, before version 1.6) without PyTorch.

Such a file is a pickle, and a pickle may call anything. This reader answers to three kinds of names (a
dictionary, a tensor, the types of its numbers), with inert objects of its own, and refuses all others.
"""

import pickle
from collections import OrderedDict
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fercomp.core.errors import FercompError

_MAGIC: Final = 0x1950A86A20F9469CFC6C
_PROTOCOL: Final = 1001
_STORAGES: Final = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}


class _Tensor(NamedTuple):
    """What a pickled tensor says of itself; its numbers come after the pickle."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _TensorsOnly(pickle.Unpickler):
    """An unpickler that can build dictionaries of `_Tensor` and nothing else."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file)
        self.storages: dict[str, tuple[np.dtype[Any], int]] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return self._tensor  # bound: the pickle could give attributes to a mere function
        if module == "torch" and name in _STORAGES:
            return _STORAGES[name]
        raise FercompError(f"it asks for {module}.{name}, which is no tensor")

    def persistent_load(self, pid: Any) -> str:
        kind, type_string, key, _device, count, view = pid
        if kind != "storage" or type_string not in _STORAGES.values() or view is not None:
            raise ValueError(f"{kind} of {type_string} where a storage was expected")
        self.storages[key] = np.dtype(type_string), count
        return str(key)

    def _tensor(self, storage: str, offset: int, shape: Any, strides: Any, *_gradient: object) -> _Tensor:
        return _Tensor(storage, offset, shape, strides)


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """Reads a dictionary of tensors, as `torch.save(model.state_dict(), path)` wrote it up to 2020.

    Args:
        path: The file.

    Returns:
        Read-only arrays by their names, of the shapes and types they had.

    Raises:
        FercompError: The file is missing, damaged, of another format, or holds more than tensors.
    """
    try:
        with path.open("rb") as file:
            return _read(file)
    except FileNotFoundError as error:
        raise FercompError(f"{path} not found: expected a file of PyTorch tensors") from error
    except Exception as error:
        # A damaged pickle fails with whatever its bytes happen to mean.
        why = " ".join(str(error).split())[:200]
        raise FercompError(
            f"{path} is not a legacy PyTorch file of tensors, or is damaged ({why})"
        ) from error


def _read(file: BinaryIO) -> dict[str, NDArray[Any]]:
    magic, protocol, system = (_TensorsOnly(file).load() for _ in range(3))
    if (magic, protocol, system["little_endian"]) != (_MAGIC, _PROTOCOL, True):
        raise ValueError(f"magic number {magic}, protocol {protocol}")
    unpickler = _TensorsOnly(file)
    tensors = unpickler.load()
    buffers = _buffers(_TensorsOnly(file).load(), unpickler.storages, file.read())
    return {name: _array(tensor, buffers) for name, tensor in tensors.items()}


def _buffers(
    keys: list[str], storages: dict[str, tuple[np.dtype[Any], int]], data: bytes
) -> dict[str, NDArray[Any]]:
    """Divides what follows the pickles: for each storage its length (8 bytes) and its numbers."""
    if set(keys) != set(storages):
        raise ValueError("the storages that follow are not those of the tensors")
    buffers, at = {}, 0
    for key in keys:
        dtype, count = storages[key]
        if int.from_bytes(data[at : at + 8], "little") != count:
            raise ValueError(f"storage {key} does not have {count} numbers")
        buffers[key] = np.frombuffer(data, dtype, count, at + 8)
        at += 8 + buffers[key].nbytes
    return buffers


def _array(tensor: _Tensor, buffers: dict[str, NDArray[Any]]) -> NDArray[Any]:
    if not isinstance(tensor, _Tensor):
        raise ValueError(f"{type(tensor).__name__} where a tensor was expected")
    buffer = buffers[tensor.storage]
    step = buffer.itemsize
    # NumPy refuses a shape or strides that would reach outside the buffer.
    return np.ndarray(
        tensor.shape, buffer.dtype, buffer, tensor.offset * step, [step * stride for stride in tensor.strides]
    )
