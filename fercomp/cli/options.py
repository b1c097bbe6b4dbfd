"""Options that several commands share."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fercomp.cli.completion import complete_backbone, complete_detector, complete_model, complete_own_model
from fercomp.core.errors import FercompError
from fercomp.core.paths import Workspace
from fercomp.core.shards import Shard

if TYPE_CHECKING:
    from fercomp.core.params import MachineParams, Params
    from fercomp.modeling.bundle.model import Bundle

Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="KEY=VALUE",
        help="Change a parameter of params.yaml for this run, such as train.epochs=5. May be repeated.",
    ),
]

Force = Annotated[
    bool,
    typer.Option(
        "--force",
        help="Train again even if this network is already trained with these parameters on these photos.",
    ),
]

BackboneName = Annotated[
    str | None,
    typer.Option(
        "--backbone",
        "-b",
        help="`compact`, `compact_wide`, `efficientnet_lite0`, `facenet`, a network of keras.applications, "
        "or, after `./run hub`, one of KerasHub, such as `dinov2_base`.",
        show_default="train.backbone",
        autocompletion=complete_backbone,
    ),
]

_MODEL_HELP = (
    "An experiment under models/, a model folder, or `shipped` or `shipped-large`, which came with fercomp: "
    "they learned from a stand-in of 21,609 grey 48-pixel faces, not from the competition's photos."
)


def model_option(
    default: str | None,
    help_: str = _MODEL_HELP,
    own: bool = False,
    names: tuple[str, ...] = ("--model", "-m"),
) -> Any:
    """Makes the option `--model`.

    Args:
        default: What is taken without it, in words; `None` where the default value says it.
        help_: What a user may name.
        own: Offer models of one's own only, by Tab.
        names: What it is called.
    """
    complete = complete_own_model if own else complete_model
    shown: str | bool = True if default is None else default
    return typer.Option(*names, metavar="NAME|DIR", help=help_, show_default=shown, autocompletion=complete)


Model = Annotated[str | None, model_option("trained last; shipped-large where none was")]

OwnModel = Annotated[
    str | None, model_option("trained last", "An experiment under models/, or a model folder.", own=True)
]
"""For commands that score on the holdout, which the models that came with fercomp cannot be."""

ModelOrShipped = Annotated[str, model_option(None)]
"""For `live`, which has nothing to do with the competition: by default, `core.paths.SHIPPED`."""

ModelForMedia = Annotated[str | None, model_option("shipped-large for photos, shipped for videos")]

Uncertain = Annotated[
    bool,
    typer.Option(
        "--uncertain/--no-uncertain",
        help="Whether a face may be called uncertain; otherwise it has the likeliest of the eight emotions.",
    ),
]

DetectorName = Annotated[
    str,
    typer.Option(
        "--detector",
        metavar="NAME",
        help="Face detector: yunet, haar_default, haar_alt, haar_alt2, haar_alt_tree, or whole for "
        "pictures cut out around one face.",
        autocompletion=complete_detector,
    ),
]

MinScore = Annotated[
    float | None,
    typer.Option(
        "--min-score",
        metavar="SCORE",
        help="Lowest score of a face: 0 to 1 for yunet (0.7), agreeing windows for haar (5).",
        show_default=False,
    ),
]

MinSize = Annotated[float, typer.Option("--min-size", metavar="PIXELS", help="Lowest longer side of a face.")]

AsJson = Annotated[bool, typer.Option("--json", help="Write all that is known as JSON, and nothing else.")]
RecordsFormat = Annotated[Literal["csv", "jsonl"], typer.Option("--records", help="Format of the records.")]

ShardOption = Annotated[
    str | None,
    typer.Option(
        "--shard",
        metavar="K/N",
        help="Do one of N parts, K from 1 to N; other machines that share the disk do the others.",
        show_default=False,
    ),
]

OnRay = Annotated[
    Literal["ray"] | None,
    typer.Option(
        "--on",
        help="Let a Ray cluster do it: that at RAY_ADDRESS, or one that is started on this machine.",
        show_default=False,
    ),
]

Port = Annotated[
    int, typer.Option("--port", min=0, max=65535, help="Where the page is served; 0 for any free one.")
]

Browser = Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")]


OnKaggle = Annotated[
    Literal["kaggle"] | None,
    typer.Option(
        "--on",
        help="Run it where the free GPUs are, in a private kernel at Kaggle, and bring the results here.",
        show_default=False,
    ),
]

OnKaggleOrRay = Annotated[
    Literal["kaggle", "ray"] | None,
    typer.Option(
        "--on",
        help="kaggle: in a private kernel there, where the free GPUs are, and bring the results here. ray: "
        "on the Ray cluster at RAY_ADDRESS, or one that is started on this machine.",
        show_default=False,
    ),
]

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before the first kernel.")]

NoWait = Annotated[
    bool,
    typer.Option(
        "--no-wait",
        help="With --on: do not wait for the run; type the same command later to collect it.",
    ),
]


def one_shard(text: str | None, merge: bool, on: str | None = None) -> Shard | None:
    """Reads what `ShardOption` was given.

    Args:
        text: `K/N`, or nothing.
        merge: Whether the parts are to be merged, which is no part's work.
        on: What `OnKaggleOrRay` was given; what does all parts has no use for one.

    Raises:
        FercompError: It is no part, or two of the three are asked for, or what is to do it is not installed.
    """
    if text is not None and merge:
        raise FercompError("--shard does a part, --merge joins all parts: give one of the two")
    if on and (merge or text is not None):
        raise FercompError(f"--on {on} does all parts: leave --shard and --merge out")
    if on == "ray":
        from fercomp.core.ray.cluster import require_ray

        require_ray()
    return None if text is None else Shard.parse(text)


def load_model(model: str) -> "Bundle":
    """Loads what `ModelOrShipped` was given, and limits this process as `read_params` does, in any folder.

    Raises:
        FercompError: There is no such model, or the group `machine` of `params.yaml` is wrong.
    """
    from fercomp.core.params import load_machine
    from fercomp.modeling.bundle.find import resolve_model
    from fercomp.modeling.bundle.model import load_bundle

    _take_no_more_than(load_machine(Workspace().params))
    return load_bundle(resolve_model(model, Workspace()))


def open_workspace(overrides: Sequence[str] | None = None) -> "tuple[Workspace, Params]":
    """Returns the files of the current folder, and their parameters as `read_params` reads them.

    Args:
        overrides: What `Set` was given.

    Raises:
        FercompError: See `core.params.load_params`.
    """
    workspace = Workspace()
    return workspace, read_params(workspace.params, overrides)


def read_params(file: Path, overrides: Sequence[str] | None = None) -> "Params":
    """Reads parameters, and lets this process take no more than `machine` allows.

    Args:
        file: `params.yaml`, or another file of its kind.
        overrides: What `Set` was given.

    Returns:
        The parameters, checked.

    Raises:
        FercompError: See `core.params.load_params`.
    """
    from fercomp.core.params import load_params

    params = load_params(file, overrides or ())
    _take_no_more_than(params.machine)
    return params


def _take_no_more_than(machine: "MachineParams") -> None:
    from fercomp.core.parallel import limit_threads
    from fercomp.modeling.backend.choice import hide_gpus

    limit_threads(machine.workers)
    if machine.device == "cpu":
        hide_gpus()
