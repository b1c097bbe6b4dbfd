"""KerasHub's networks, each family by a tiny one with random weights, from its preset's files to the graph.

They need KerasHub: `./run hub pytest tests/modeling/backbones/test_hub.py`.
"""

import json
import logging
import re
import subprocess
import sys
import warnings
from importlib.util import find_spec

import keras
import numpy as np
import pytest

from fercomp.core.errors import FercompError
from fercomp.core.hub_presets import PRESETS, hub_presets
from fercomp.core.params import InferenceParams, Plan, TrainParams
from fercomp.modeling.backbones.catalogue import build_backbone, check_weights
from fercomp.modeling.backbones.hub import resized_positions
from fercomp.modeling.backbones.hub_files import own_folder
from fercomp.modeling.backend.devices import precision
from fercomp.modeling.backend.keras_file import load_keras, save_keras
from fercomp.modeling.bundle.model import load_bundle
from fercomp.modeling.bundle.runtime import openvino_network
from fercomp.modeling.export.graph import TOLERANCE, export_openvino
from fercomp.modeling.training.ema import EMA
from fercomp.modeling.training.network import build_network, in_float32, set_trainable
from fercomp.stages.train import train_experiment

if find_spec("keras_hub") is None:
    pytest.skip("KerasHub is not installed: ./run hub pytest " + __file__, allow_module_level=True)

import kagglehub
import requests
from kagglehub.exceptions import KaggleApiHTTPError
from keras_hub import layers, models

SIZE = 64
TRANSFORMER = {"num_layers": 2, "num_heads": 2, "hidden_dim": 16}
PATCHES = {**TRANSFORMER, "patch_size": 16, "image_shape": (SIZE, SIZE, 3)}
TEXT = {**TRANSFORMER, "vocabulary_size": 32, "embedding_dim": 16, "intermediate_dim": 32}


def clip(vision, text, backbone):
    """A network that has learned from pictures and texts."""
    texts = text(**TEXT, max_sequence_length=8)
    return backbone(vision(**PATCHES, intermediate_dim=32), texts, projection_dim=16)


def siglip():
    text = models.SigLIPTextEncoder(**TEXT, max_sequence_length=8, projection_dim=16)
    return models.SigLIPBackbone(models.SigLIPVisionEncoder(**PATCHES, intermediate_dim=32), text)


def dinov2(**further):
    shapes = {"position_embedding_shape": (96, 96, 3), **PATCHES}
    return models.DINOV2Backbone(**shapes, intermediate_dim=32, **further)


def mobilenet_v5():
    return models.MobileNetV5Backbone(
        stackwise_block_types=[["er"], ["uir", "mqa"]],
        stackwise_num_blocks=[1, 2],
        stackwise_num_filters=[[8], [16, 16]],
        stackwise_strides=[[2], [2, 1]],
        stackwise_act_layers=[["gelu"], ["gelu", "gelu"]],
        stackwise_exp_ratios=[[2.0], [2.0, 2.0]],
        stackwise_se_ratios=[[0.0], [0.0, 0.0]],
        stackwise_dw_kernel_sizes=[[0], [3, 3]],
        stackwise_dw_start_kernel_sizes=[[0], [0, 0]],
        stackwise_dw_end_kernel_sizes=[[0], [0, 0]],
        stackwise_exp_kernel_sizes=[[3], [0, 0]],
        stackwise_pw_kernel_sizes=[[1], [0, 0]],
        stackwise_num_heads=[[0], [0, 2]],
        stackwise_key_dims=[[0], [0, 8]],
        stackwise_value_dims=[[0], [0, 8]],
        stackwise_kv_strides=[[0], [0, 1]],
        stackwise_use_cpe=[[False], [False, False]],
        num_features=32,
        msfa_output_resolution=4,
        image_shape=(SIZE, SIZE, 3),
    )


def hgnet():
    return models.HGNetV2Backbone(
        depths=[1, 1, 1, 1],
        embedding_size=8,
        hidden_sizes=[8, 16, 16, 32],
        stem_channels=[3, 8, 8],
        hidden_act="relu",
        use_learnable_affine_block=False,
        stackwise_stage_filters=[
            (8, 8, 8, 1, 1, 3),
            (8, 8, 16, 1, 1, 3),
            (16, 8, 16, 1, 1, 3),
            (16, 8, 32, 1, 1, 3),
        ],
        apply_downsample=[False, True, True, True],
        use_lightweight_conv_block=[False, False, True, True],
    )


def mobilenet():
    return models.MobileNetBackbone(
        stackwise_expansion=[[8, 16], [16, 16]],
        stackwise_num_blocks=[2, 2],
        stackwise_num_filters=[[8, 8], [16, 16]],
        stackwise_kernel_size=[[3, 3], [5, 5]],
        stackwise_num_strides=[[2, 1], [2, 1]],
        stackwise_se_ratio=[[0.25, None], [0.25, 0.25]],
        stackwise_activation=[["relu", "relu"], ["hard_swish", "hard_swish"]],
        stackwise_padding=[[1, 1], [2, 2]],
        output_num_filters=32,
        depthwise_filters=8,
        depthwise_stride=2,
        depthwise_residual=False,
        last_layer_filter=16,
        squeeze_and_excite=0.5,
        input_num_filters=8,
        input_activation="hard_swish",
        output_activation="hard_swish",
    )


def efficientnet():
    return models.EfficientNetBackbone(
        stackwise_kernel_sizes=[3, 3],
        stackwise_num_repeats=[1, 2],
        stackwise_input_filters=[8, 8],
        stackwise_output_filters=[8, 16],
        stackwise_expansion_ratios=[1, 4],
        stackwise_strides=[1, 2],
        stackwise_squeeze_and_excite_ratios=[0.25, 0.25],
        stackwise_block_types=["v1", "v1"],
        width_coefficient=1.0,
        depth_coefficient=1.0,
    )


def resnet():
    return models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[7],
        stackwise_num_filters=[64, 64],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
    )


FAMILIES = {
    "dinov2_base": (dinov2, layers.DINOV2ImageConverter),
    "dinov2_with_registers_small": (lambda: dinov2(num_register_tokens=4), layers.DINOV2ImageConverter),
    "dinov3_vit_small_lvd1689m": (
        lambda: models.DINOV3Backbone(**PATCHES, intermediate_dim=32),
        layers.DINOV3ImageConverter,
    ),
    "siglip2_base_patch16_256": (siglip, layers.SigLIPImageConverter),
    "clip_vit_base_patch16": (
        lambda: clip(models.CLIPVisionEncoder, models.CLIPTextEncoder, models.CLIPBackbone),
        layers.CLIPImageConverter,
    ),
    "metaclip_2_vit_huge_patch14_224": (
        lambda: clip(models.MetaCLIP2VisionEncoder, models.MetaCLIP2TextEncoder, models.MetaCLIP2Backbone),
        layers.MetaCLIP2ImageConverter,
    ),
    "vit_base_patch16_224_imagenet21k": (
        lambda: models.ViTBackbone(**PATCHES, mlp_dim=32),
        layers.ViTImageConverter,
    ),
    "deit_tiny_distilled_patch16_224_imagenet": (
        lambda: models.DeiTBackbone(**PATCHES, intermediate_dim=32),
        layers.DeiTImageConverter,
    ),
    "swin_tiny_patch4_window7_224": (
        lambda: models.SwinTransformerBackbone((SIZE, SIZE, 3), 8, (1, 2), (2, 2), 4),
        layers.SwinTransformerImageConverter,
    ),
    "hgnetv2_b4_ssld_stage2_ft_in1k": (hgnet, layers.HGNetV2ImageConverter),
    "mobilenet_v3_small_050_imagenet": (mobilenet, layers.MobileNetImageConverter),
    "mobilenetv5_300m_enc_gemma3n": (mobilenet_v5, layers.MobileNetV5ImageConverter),
    "efficientnet_b0_ra_imagenet": (efficientnet, layers.EfficientNetImageConverter),
    "resnet_18_imagenet": (resnet, layers.ResNetImageConverter),
}
"""A tiny network of each family, under the name of a real preset."""

SCALE = [1 / 255 / std for std in (0.229, 0.224, 0.225)]
OFFSET = [-mean / std for mean, std in zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)]


@pytest.fixture(autouse=True)
def no_kaggle(monkeypatch, tmp_path):
    """An empty home for weights, and nobody who answers at Kaggle."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("KAGGLEHUB_CACHE", str(tmp_path / "kagglehub"))
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")


def put(name: str) -> keras.Model:
    """Puts the files of a tiny network where those of the preset are looked for, and returns the network."""
    build, converter = FAMILIES[name]
    keras.utils.set_random_seed(3)
    network = build()
    rng = np.random.default_rng(0)
    # Weights as after a training: biases and scales that begin at 0 or 1 would hide mistakes.
    network.set_weights(
        [
            w + rng.normal(0, 0.3, w.shape).astype(w.dtype) if w.dtype == "float32" else w
            for w in network.get_weights()
        ]
    )
    network.save_to_preset(str(own_folder(name)))
    converter(image_size=(SIZE, SIZE), scale=SCALE, offset=OFFSET).save_to_preset(str(own_folder(name)))
    return network


def faces(count: int = 4, size: int = SIZE) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (count, size, size, 3), dtype=np.uint8)


def numpy(tensor) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def test_the_list_is_that_of_keras_hub():
    from tests.make_hub_presets import presets

    assert json.loads(PRESETS.read_text()) == presets()


def test_each_family_is_tested():
    assert {hub_presets()[name].family for name in FAMILIES} == {p.family for p in hub_presets().values()}


QUICK = ("dinov2_base", "siglip2_base_patch16_256", "vit_base_patch16_224_imagenet21k")


@pytest.mark.parametrize(
    "name", [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in FAMILIES]
)
def test_a_family_all_the_way(name, tmp_path):
    """Built with the weights of its preset, trained for steps, saved, loaded, exported: the same answers."""
    put(name)
    model = build_network(name, SIZE, "preset", classes=3)
    set_trainable(model, head_only=False)
    ema = EMA(model, 0.5)
    model.compile(keras.optimizers.AdamW(1e-2), "categorical_crossentropy")
    before = model.get_weights()
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Gradients do not exist")
        model.fit(faces(), np.eye(3, dtype=np.float32)[[0, 1, 2, 0]], epochs=2, verbose=0, callbacks=[ema])
    assert sum(not np.array_equal(*pair) for pair in zip(before, model.get_weights(), strict=True)) > 5
    with ema.in_place():
        expected = numpy(model(faces(), training=False))
        save_keras(model, tmp_path / "model.keras")
    assert np.ptp(expected, axis=0).max() > 1e-3, "it says the same of all faces"
    loaded = load_keras(tmp_path / "model.keras")
    np.testing.assert_allclose(numpy(loaded(faces(), training=False)), expected, atol=1e-6)
    difference = export_openvino(tmp_path / "model.keras", tmp_path / "graph.xml")
    assert difference < TOLERANCE
    answers = openvino_network(tmp_path / "graph.xml", SIZE, 3)(faces())
    np.testing.assert_allclose(answers, expected, atol=TOLERANCE)


@pytest.mark.parametrize(
    "name", ["dinov2_with_registers_small", "siglip2_base_patch16_256", "resnet_18_imagenet"]
)
def test_features_are_those_of_keras_hub(name):
    """The pooled vector, class token and mean of patches, or feature map, of what its own converter gives."""
    put(name)
    network = models.Backbone.from_preset(str(own_folder(name)))
    network = getattr(network, "vision_encoder", network)
    converter = layers.ImageConverter.from_preset(str(own_folder(name)))
    pictures = faces().astype(np.float32)
    prepared = converter(pictures)
    answers = numpy(network({"images": prepared} if isinstance(network.input, dict) else prepared))
    if answers.ndim == 3:
        answers = np.concatenate([answers[:, 0], answers[:, 5:].mean(axis=1)], axis=1)
    if answers.ndim == 2:
        answers = answers[:, None, None]
    found = numpy(build_backbone(name, SIZE, "preset")(pictures, training=False))
    np.testing.assert_allclose(found, answers, rtol=1e-4, atol=1e-5)


def test_positions_are_interpolated_for_another_size():
    """A picture with four times the pixels of each patch looks alike; without positions it would not."""
    rng = np.random.default_rng(0)
    table = rng.normal(size=(1, 2 + 16, 8)).astype(np.float32)
    twice = resized_positions(table, 2 + 64)
    assert twice.shape == (1, 66, 8)
    np.testing.assert_array_equal(twice[:, :2], table[:, :2])
    small, large = table[0, 2:].reshape(4, 4, 8), twice[0, 2:].reshape(8, 8, 8)
    blocks = large.reshape(4, 2, 4, 2, 8).mean(axis=(1, 3))
    assert np.corrcoef(blocks.ravel(), small.ravel())[0, 1] > 0.95
    for name in ("vit_base_patch16_224_imagenet21k", "siglip2_base_patch16_256"):
        put(name)
        features = numpy(build_backbone(name, 2 * SIZE, "preset")(faces(2, 2 * SIZE).astype(np.float32)))
        assert np.isfinite(features).all()


def test_another_precision_and_back():
    put("vit_base_patch16_224_imagenet21k")

    def build(weights="none"):
        return build_network("vit_base_patch16_224_imagenet21k", SIZE, weights, classes=3)

    with precision("bfloat16"):
        model = build("preset")
        assert model.get_layer(model.name).layers[-1].compute_dtype == "bfloat16"
    whole = in_float32(model, build)
    assert {layer.compute_dtype for layer in whole._flatten_layers() if layer.weights} == {"float32"}
    np.testing.assert_allclose(numpy(whole(faces())), numpy(model(faces())).astype(np.float32), atol=0.05)


def test_a_size_that_does_not_suit():
    put("vit_base_patch16_224_imagenet21k")
    with pytest.raises(FercompError, match=r"^vit_base\S* cannot be built for 60 pixels: .*divisible"):
        build_backbone("vit_base_patch16_224_imagenet21k", 60, "preset")


def test_no_network_names_the_files_and_where_to_put_them():
    with pytest.raises(FercompError) as told:
        check_weights("dinov2_base", 224, "preset")
    line = str(told.value)
    assert line.startswith("config.json of dinov2_base cannot be had (Kaggle cannot be reached): ")
    page = "https://www.kaggle.com/models/keras/dinov2/keras/dinov2_base/1"
    files = "config.json, image_converter.json and model.weights.h5"
    assert line.endswith(f"download {files} from {page} and put them into {own_folder('dinov2_base')}")
    assert "\n" not in line


@pytest.mark.parametrize("status", [401, 403])
def test_a_preset_that_needs_consent(monkeypatch, status):
    def refuse(handle, file):
        response = requests.Response()
        response.status_code = status
        raise KaggleApiHTTPError(f"{status} Client Error.\n\nYou don't have permission", response=response)

    monkeypatch.setattr(kagglehub, "model_download", refuse)
    page = re.escape(hub_presets()["dinov3_vit_small_lvd1689m"].page)
    with pytest.raises(FercompError, match=rf"needs consent: accept its terms at {page}, with the account"):
        check_weights("dinov3_vit_small_lvd1689m", 224, "preset")


def test_nothing_is_written_to_stdout_by_others():
    writing = [h for h in logging.getLogger("kagglehub").handlers if type(h) is logging.StreamHandler]
    assert [handler.level for handler in writing] == [logging.ERROR]


def test_files_that_are_missing_or_damaged():
    name = "vit_base_patch16_224_imagenet21k"
    put(name)
    check_weights(name, SIZE, "preset")
    weights = own_folder(name) / "model.weights.h5"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(FercompError, match=rf"^model\.weights\.h5 of {name} cannot be had \(.*: download "):
        build_backbone(name, SIZE, "preset")
    weights.unlink()
    with pytest.raises(FercompError, match=rf"{weights} not found: download it from https://www.kaggle.com/"):
        check_weights(name, SIZE, "preset")
    (own_folder(name) / "config.json").write_text("{")
    with pytest.raises(
        FercompError, match=r"config\.json .*: download it again from https://www.kaggle.com/"
    ):
        build_backbone(name, SIZE, "preset")


def test_a_bundle_runs_without_keras_hub(workspace):
    """Trained frozen and then whole; what answers is the graph, in a process that cannot import KerasHub."""
    put("dinov2_base")
    params = TrainParams(backbone="dinov2_base", size=SIZE, head_epochs=1, epochs=1, batch_size=16)
    card = train_experiment("dino", Plan(train=params, inference=InferenceParams(margin=0.1)), workspace)
    assert (card.runtime, card.backbone) == ("openvino", "dinov2_base")
    assert card.graph.largest < TOLERANCE
    answers = load_bundle(workspace.bundle("dino")).predict(faces())
    np.save("faces.npy", faces())
    script = (
        "import sys; sys.modules['keras_hub'] = None\n"
        "import numpy as np; from pathlib import Path\n"
        "from fercomp.modeling.bundle.model import load_bundle\n"
        "np.save('answers.npy', load_bundle(Path('models/dino'), 'auto').predict(np.load('faces.npy')))"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
    np.testing.assert_allclose(np.load("answers.npy"), answers, atol=1e-6)
