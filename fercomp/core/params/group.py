"""What a group of parameters is, and the words in which a wrong one is refused."""

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from fercomp.core.errors import FercompError, unknown_name
from fercomp.core.reading import in_plain

Share = Annotated[float, Field(ge=0.0, le=1.0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")]

LARGEST_NUMBER: Final = 2**32 - 1
"""Of a whole number: what a seed may be. More than that are no photos, epochs or pixels."""

G = TypeVar("G", bound="Group")


class Group(BaseModel):
    """A group of parameters: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuses `true`, which Python takes for 1, and what no array can hold."""
        kinds = set(_kinds(cls.model_fields[info.field_name or ""].annotation))
        if kinds.isdisjoint((int, float)) or not kinds.isdisjoint((bool, Any)):
            return value
        for number in _values(value):
            if isinstance(number, bool):
                raise ValueError(f"a number was expected, not {str(number).lower()}")
            if isinstance(number, int) and abs(number) > LARGEST_NUMBER:
                raise ValueError(f"a number of at most {LARGEST_NUMBER:,} was expected")
        return value


def _kinds(annotation: Any) -> Iterator[Any]:
    """Gives a type and all that it is made of."""
    yield annotation
    for part in get_args(annotation):
        yield from _kinds(part)


def _values(value: Any) -> Iterator[Any]:
    """Gives what lists and mappings hold in the end."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, Mapping):
            waiting.extend(one.values())
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
        else:
            yield one


def merged(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Returns `base` with the values of `change`, group within group."""
    result = dict(base)
    for key, value in change.items():
        old = result.get(key)
        result[key] = merged(old, value) if isinstance(old, Mapping) and isinstance(value, Mapping) else value
    return result


def validated(kind: type[G], values: Mapping[str, Any], prefix: str) -> G:
    """Makes a group of values that somebody typed.

    Args:
        kind: The group.
        values: Its values.
        prefix: What stands before their names in an error, such as `experiments.compact.`.

    Returns:
        The group.

    Raises:
        FercompError: A key or value is not one of the group's.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        first = _first_problem(error)
        key = (prefix + ".".join(_place(kind, first["loc"]))).rstrip(".")
        if first["type"] == "extra_forbidden":
            raise unknown_name("parameter", key, keys_of(kind, prefix)) from error
        raise FercompError(
            f"parameter {key}: {in_plain(first['msg'])}; received {first['input']!r}"
        ) from error


def _first_problem(error: ValidationError) -> Mapping[str, Any]:
    """Returns the first problem; of a value that may be of several types, what is wrong with the nearest."""
    problems = error.errors()
    value = problems[0]["loc"][:-1]
    return max(
        (problem for problem in problems if problem["loc"][: len(value)] == value),
        key=lambda problem: (len(problem["loc"]), not problem["type"].endswith("_type")),
    )


def _place(kind: type[BaseModel], location: Sequence[int | str]) -> list[str]:
    """Returns the names that lead to a value, without that of one of the types that it may have."""
    place, annotation = [], cast(Any, kind)
    for part in location:
        if get_origin(annotation) in (Union, UnionType):
            annotation = None
            continue
        place.append(str(part))
        field = getattr(annotation, "model_fields", {}).get(part)
        annotation = field and field.annotation
    return place


def keys_of(kind: type[BaseModel], prefix: str = "") -> list[str]:
    """Returns the names of all parameters of a group and of the groups inside it, such as `train.epochs`."""
    keys = []
    for name, field in kind.model_fields.items():
        nested = field.annotation
        if isinstance(nested, type) and issubclass(nested, BaseModel):
            keys += keys_of(nested, f"{prefix}{name}.")
        else:
            keys.append(prefix + name)
    return keys
