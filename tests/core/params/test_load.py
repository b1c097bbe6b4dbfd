"""params.yaml: what is accepted, what is refused, and in which words."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from fercomp.core.errors import FercompError
from fercomp.core.params import MachineParams, Params, TrainParams, load_machine, load_params
from fercomp.core.terminal import LONGEST_LINE, one_line

SHIPPED = Path(__file__).parents[3] / "params.yaml"
NOWHERE = Path("no such params.yaml")


def write(folder: Path, text: str) -> Path:
    path = folder / "params.yaml"
    path.write_text(text)
    return path


def leaves(values: dict, prefix: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= leaves(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value
    return found


def test_no_file_and_an_empty_file_are_the_defaults(tmp_path):
    assert load_params(NOWHERE) == Params()
    assert load_params(write(tmp_path, "# nothing yet\n")) == Params()


def test_shipped_file_states_every_default():
    shipped = YAML(typ="safe").load(SHIPPED.read_text())
    defaults = Params().model_dump()
    for group in ("fetch", "prepare", "train", "inference", "machine", "uncertain"):
        stated, default = leaves(shipped[group]), leaves(defaults[group])
        assert set(stated) == set(default)
        # null stands for a default that depends on the backbone; test_dvc.py checks what it becomes
        assert {key: value for key, value in stated.items() if value is not None}.items() <= default.items()
    assert set(shipped) == set(defaults)
    load_params(SHIPPED)


def test_numbers_are_read_as_dvc_reads_them(tmp_path):
    assert load_params(write(tmp_path, "train: {learning_rate: 1e-3}")).train.learning_rate == 1e-3


def test_overrides_come_last_and_in_order(tmp_path):
    path = write(tmp_path, "train: {epochs: 3, augment: {flip: false}}")
    params = load_params(path, ["train.epochs=4", "train.epochs=5", "train.augment.rotate=2"])
    assert params.train.epochs == 5
    assert not params.train.augment.flip
    assert params.train.augment.rotate == 2


def test_an_override_may_hold_equal_signs_and_nothing():
    assert load_params(NOWHERE, ["fetch.source=a=b.zip"]).fetch.source == "a=b.zip"
    with pytest.raises(FercompError, match=r"fetch\.source.*received None"):
        load_params(NOWHERE, ["fetch.source="])


def test_an_experiment_changes_the_shared_parameters(tmp_path):
    path = write(tmp_path, "train: {epochs: 3, size: 64}\nexperiments: {wide: {epochs: 9}}")
    params = load_params(path)
    assert params.plan("wide").train.epochs == 9
    assert params.plan("wide").train.size == 64
    assert params.plan("unlisted").train == params.train
    assert params.plan("wide", backbone="resnet50").train.backbone == "resnet50"


def test_what_is_typed_by_hand_wins_over_an_experiment(tmp_path):
    path = write(tmp_path, "experiments: {wide: {epochs: 9, size: 64}}")
    assert load_params(path, ["train.epochs=1"]).plan("wide").train.epochs == 1
    assert load_params(path, ["train.epochs=1"]).plan("wide").train.size == 64
    assert load_params(path, ["experiments.wide.epochs=2"]).plan("wide").train.epochs == 2


def test_an_experiment_may_hold_an_inference_of_its_own(tmp_path):
    path = write(
        tmp_path, "inference: {margin: 0.1}\nexperiments: {fast: {epochs: 9, inference: {views: false}}}"
    )
    fast, other = (load_params(path).plan(name) for name in ("fast", "other"))
    assert (fast.inference.margin, fast.inference.views, fast.train.epochs) == (0.1, False, 9)
    assert (other.inference.margin, other.inference.views) == (0.1, True)
    by_hand = load_params(path, ["inference.views=true", "inference.flip=false", "machine.workers=2"])
    assert (by_hand.plan("fast").inference.views, by_hand.plan("fast").inference.flip) == (True, False)
    assert by_hand.plan("fast").machine.workers == 2


@pytest.mark.parametrize(
    ("old", "place"),
    [
        ("margin: 0.1", "inference.margin: 0.1"),
        ("margin: null", "inference.margin: null"),
        ("flip_average: false", "inference.flip: false"),
        ("view_average: true", "inference.views: true"),
        ("compress: true", "inference.precision: float16"),
        ("compress: false", "inference.precision: float32"),
        ("memory_gb: 0.5", "machine.cache_gb: 20.0"),
    ],
)
def test_parameters_that_have_moved_are_told_their_new_place(tmp_path, old, place):
    inside = place if place.startswith("machine.") else f"experiments.x.{place}"
    key, value = old.split(": ")
    for text, overrides, words in (
        (f"train: {{{old}}}", [], f"parameter train.{key} has moved: write {place}"),
        (f"experiments: {{x: {{{old}}}}}", [], f"parameter experiments.x.{key} has moved: write {inside}"),
        ("", [f"train.{key}={value}"], f"parameter train.{key} has moved: write {place}"),
    ):
        with pytest.raises(FercompError) as caught:
            load_params(write(tmp_path, text), overrides)
        assert str(caught.value) == words


def test_the_machine_is_read_from_any_file(tmp_path):
    assert load_machine(NOWHERE) == MachineParams()
    assert load_machine(write(tmp_path, "lr: 0.1\nmodel: resnet")) == MachineParams()
    assert load_machine(write(tmp_path, "train: {margin: 1}\nmachine: {workers: 3}")).workers == 3
    for text in ("machine: {workers: 0}", "machine: 5"):
        with pytest.raises(FercompError, match=r"parameter machine"):
            load_machine(write(tmp_path, text))


def test_relabelled_experiments_are_experiments(tmp_path):
    path = write(tmp_path, "relabelled: {better: {labels: relabelled, epochs: 9}}")
    assert load_params(path).plan("better").train.labels == "relabelled"
    assert load_params(path, ["train.epochs=3"]).plan("better").train.epochs == 3


@pytest.mark.parametrize(
    ("text", "overrides", "words"),
    [
        ("", ["train.epoch=5"], r"unknown parameter 'train\.epoch': did you mean .*train\.epochs"),
        ("", ["train.augment.flop=1"], r"did you mean .*train\.augment\.flip"),
        ("trian: {epochs: 5}", [], r"unknown parameter 'trian'"),
        ("experiments: {wide: {epoch: 5}}", [], r"'experiments\.wide\.epoch': did you mean .*epochs"),
        ("experiments: {wide: {inference: 5}}", [], r"experiments\.wide\.inference.*received 5"),
        ("experiments: {wide: {inference: {view: 1}}}", [], r"did you mean .*wide\.inference\.views"),
        ("", ["inference.precision=int8"], r"inference\.precision.*received 'int8'"),
        ("", ["machine.workers=0"], r"machine\.workers.*received 0"),
        ("", ["machine.cache_gb=1e300"], r"machine\.cache_gb.*1000000.*received 1e\+300"),
        ("", ["prepare.holdout=1e-320"], r"prepare\.holdout.*0\.001.*received 1e-320"),
        ("", ["train.photos=0"], r"train\.photos.*received 0"),
        ("", ["train.minutes=0"], r"train\.minutes.*received 0"),
        ("", ["train.augment.perspective=0.5"], r"train\.augment\.perspective.*0\.4; received 0\.5"),
        ("", ["train.unfreeze=some"], r"train\.unfreeze.*expected all, or how many .*received 'some'"),
        ("", ["train.unfreeze=3"], r"train\.unfreeze.*without weights .* keep frozen; received 3"),
        ("", ["train.layer_decay=0"], r"train\.layer_decay.*received 0"),
        ("", ["train.test_photos=true"], r"train\.test_photos.*name a model as train\.teacher"),
        (
            "train: {teacher: x, head: valence_arousal}",
            ["train.test_photos=true"],
            r"train\.test_photos.*train\.head to both",
        ),
        ("experiments: {wide: 5}", [], r"experiments\.wide.*received 5"),
        ("experiments: 5", ["train.epochs=1"], r"experiments.*received 5"),
        ("experiments: {../up: {}}", [], r"experiments\.\.\./up"),
        ("relabelled: {wide: {epoch: 5}}", [], r"'relabelled\.wide\.epoch': did you mean .*epochs"),
        ("experiments: {a: {}}\nrelabelled: {a: {}}", [], "both have 'a': give one another name"),
        ("students: {a: {teacher: compact, epoch: 5}}", [], r"'students\.a\.epoch': did you mean .*epochs"),
        ("ensembles: {a: {members: [b, c], wights: equal}}", [], r"unknown parameter 'ensembles\.a\.wights'"),
        ("", ["train.epochs=-1"], r"train\.epochs.*greater than or equal to 0; received -1"),
        ("", ["train.epochs=many"], r"train\.epochs.*received 'many'"),
        ("", ["train.learning_rate=.inf"], r"train\.learning_rate.*finite"),
        ("", ["prepare.holdout=.nan"], r"prepare\.holdout"),
        *(
            ("", [f"{key}={value}"], rf"{key}: .*received")
            for key in ("train.learning_rate", "train.minutes", "experiments.a.layer_decay")
            for value in ("1e-400", "1.0e-400", "-0.0", "1e-320", "1e400")
        ),
        ("", ["train.weight_decay=1.0e+300"], r"weight_decay: .*received"),
        ("", ["train.batch_norm=keep"], r"batch normalisation has nothing to keep"),
        ("", ["train.loss=elr"], r"train\.loss: .*elr was removed, it cost .*: take cross_entropy"),
        ("experiments: {a: {loss: elr}}", [], r"experiments\.a\.loss: .*elr was removed"),
        ("", ["train=5"], r"parameter train: should be names with their values; received 5"),
        ("", ["train.teacher=[]"], r"parameter train\.teacher: .*at least 1 item.*received \[\]"),
        ("", ["train.teacher=[a, 3]"], r"parameter train\.teacher\.1: should be a valid string; received 3"),
        ("", ["train.teacher=3"], r"parameter train\.teacher: should be a valid string; received 3"),
        ("train:", [], r"parameter train.*received None"),
        ("- a\n- b", [], r"holds list, groups of parameters were expected"),
        ("[]", [], r"holds list, groups of parameters were expected"),
        ("a: [", [], r"params\.yaml is not YAML"),
        ("train: {seed: 1}\ntrain: {seed: 2}", [], r"params\.yaml is not YAML.*duplicate key"),
        ("x: !!python/object/apply:os.system [true]", [], r"params\.yaml is not YAML"),
        ("", ["fetch.source=2024-13-45"], r"--set fetch\.source=2024-13-45 is not YAML"),
        ("", ["fetch.source=" + "[" * 500], r"is not YAML"),
        ("", ["train.epochs"], r"expected KEY=VALUE, such as train\.epochs=5"),
        ("", ["=5"], r"expected KEY=VALUE"),
    ],
)
def test_mistakes_are_told_in_one_line(tmp_path, text, overrides, words):
    with pytest.raises(FercompError, match=words) as caught:
        load_params(write(tmp_path, text), overrides)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_not_text_is_told(tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(b"\xff\xfe\x00\xd8 \x80")
    with pytest.raises(FercompError, match=r"is not YAML"):
        load_params(path)


def numbers():
    """The parameters that are numbers, and no lists of such."""
    return [key for key, value in leaves(Params().model_dump()).items() if type(value) in (int, float)]


@pytest.mark.parametrize("key", numbers())
def test_true_is_no_number(key):
    for text in ("true", "false", "[true]", "{a: true}"):
        with pytest.raises(FercompError, match=rf"parameter {key}: .*received") as caught:
            load_params(NOWHERE, [f"{key}={text}"])
        assert "\n" not in str(caught.value)
    for group in ("experiments", "students"):
        name = key.removeprefix("train.")
        if name != key:
            with pytest.raises(FercompError, match="received True"):
                load_params(NOWHERE, [f"{group}.mine.{name}=true"])


def test_true_and_false_are_for_what_is_on_or_off():
    assert load_params(NOWHERE, ["train.augment.flip=false", "inference.views=true"]).inference.views
    assert load_params(NOWHERE, ["inference.margin=null", "machine.workers=null"]).machine.workers is None


LONG = {
    "deep": "[" * 10_000,
    "deep pairs": "{a: " * 10_000,
    "closed": "[" * 45 + "]" * 45,
    "many": "[" + "a," * 9_000 + "]",
    "digits": "9" * 10_000,
    "fewer digits": "9" * 4_000,
    "negative": "-" + "9" * 10_000,
    "hexadecimal": "0x" + "f" * 10_000,
    "binary": "0b" + "1" * 20_000,
    "octal": "0o" + "7" * 10_000,
    "sexagesimal": ":".join(["59"] * 3_000),
    "decimals": "0." + "1" * 10_000,
    "whole decimals": "1" * 400 + ".0",
    "exponent": "1e999",
    "long exponent": "1e" + "9" * 5_000,
    "tagged": "!!int " + "9" * 5_000,
    "beyond an array": "9" * 30,
    "text": "x" * 10**5,
    "quoted": "'" + "\\x1b" * 10**4 + "'",
}


@pytest.mark.parametrize(
    "key",
    [
        *("train.epochs", "train"),
        *[
            pytest.param(k, marks=pytest.mark.slow)
            for k in ("train.dropout", "train.seed", "machine.workers")
        ],
    ],
)
@pytest.mark.parametrize("value", LONG)
def test_absurd_values_are_one_short_line(key, value):
    with pytest.raises(FercompError) as caught:
        load_params(NOWHERE, [f"{key}={LONG[value]}"])
    line = one_line(str(caught.value))
    assert len(line) <= LONGEST_LINE
    assert "sys." not in line and "max_depth" not in line


@pytest.mark.parametrize(
    "value", [v if v not in ("deep", "many") else pytest.param(v, marks=pytest.mark.slow) for v in LONG]
)
def test_absurd_teachers_and_experiments_are_accepted_or_told(value):
    for key in ("train.teacher", "experiments.a.teacher", "experiments.a.epochs", "x", "fetch.source"):
        try:
            load_params(NOWHERE, [f"{key}={LONG[value]}"])
        except FercompError as error:
            assert len(one_line(str(error))) <= LONGEST_LINE


@pytest.mark.parametrize(
    "key",
    [
        "a." * 10_000 + "a",
        "train.epochs" + ".a" * 10_000,
        "experiments.a" + ".b" * 5_000,
        "x" * 10**5,
        "." * 10**4,
    ],
    ids=lambda key: key[:20],
)
def test_absurd_keys_are_one_short_line(key):
    for text in ("1", "[[1]]", "{a: 1}"):
        with pytest.raises(FercompError) as caught:
            load_params(NOWHERE, [f"{key}={text}"])
        assert len(one_line(str(caught.value))) <= LONGEST_LINE


@given(key=st.text(), value=st.text())
def test_any_override_is_accepted_or_told(key, value):
    try:
        load_params(NOWHERE, [f"{key}={value}"])
    except FercompError as error:
        assert str(error)


@given(
    key=st.sampled_from(sorted(leaves(Params().model_dump()))),
    value=st.one_of(
        st.text(), st.integers().map(str), st.floats().map(str), st.sampled_from(["[]", "{}", "~"])
    ),
)
def test_any_value_of_a_parameter_is_accepted_or_told(key, value):
    try:
        load_params(NOWHERE, [f"{key}={value}"])
    except FercompError as error:
        assert str(error)


@given(st.integers(min_value=0, max_value=10**6), st.floats(min_value=1e-9, max_value=1e3))
def test_written_numbers_come_back(epochs, rate):
    train = load_params(NOWHERE, [f"train.epochs={epochs}", f"train.learning_rate={rate!r}"]).train
    assert (train.epochs, train.learning_rate) == (epochs, rate)


@pytest.mark.parametrize(
    ("backbone", "expected"),
    [("compact", ("none", 48, 2e-3)), ("convnext_xlarge", ("imagenet", 224, 1e-4))],
)
def test_defaults_follow_the_backbone_however_it_is_named(backbone, expected, tmp_path):
    (tmp_path / "params.yaml").write_text(
        "train: {size: null, weights: null, epochs: 7}\nexperiments: {mine: {backbone: " + backbone + "}}\n"
    )
    params = load_params(tmp_path / "params.yaml")
    named = load_params(tmp_path / "params.yaml", [f"train.backbone={backbone}"]).plan("other").train
    for train in (params.plan("mine").train, params.plan("new", backbone).train, named):
        assert (train.weights, train.size, train.learning_rate) == expected
        assert train.epochs == 7


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ("none", "learn"),
        ("imagenet", "keep"),
        ("start.weights.h5", "keep"),
        ("models/a/model.keras", "learn"),
    ],
)
def test_batch_normalisation_keeps_what_other_photos_taught(weights, expected):
    assert TrainParams(weights=weights).batch_norm == expected


def test_a_set_value_wins_over_the_backbones_own():
    overrides = ["train.size=96", "train.weights=none"]
    train = load_params(NOWHERE, overrides).plan("x", "mobilenet_v2").train
    assert (train.weights, train.size, train.learning_rate) == ("none", 96, 2e-3)
