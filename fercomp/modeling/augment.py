"""Augmentation as a layer of the model: one warp and one change of light for a whole batch.

Keras has a layer for each change, each of which resamples the photos anew; composing flip, rotation,
shift and zoom into one affine map costs one pass (`docs/performance.md` has the figures).
"""

from typing import Any

from fercomp.modeling.backend import keras

ops = keras.ops


@keras.saving.register_keras_serializable("fercomp")
class Augment(keras.layers.Layer):
    """Random flip, rotation, shift, zoom, brightness and contrast; nothing outside training.

    Input and output shape: `(n, S, S, 3)` float32 in 0 to 255. Parts that come from outside the photo
    repeat its border.

    Args:
        flip: Mirror left and right for half of the photos.
        rotate: Largest rotation in degrees, to either side.
        shift: Largest shift along each axis, as a share of the side.
        zoom: Largest change of scale, as a share.
        brightness: Largest change of brightness, as a share of 255.
        contrast: Largest change of contrast, as a share.
        seed: Seed of the random numbers; their state is saved with the model.
        **kwargs: Arguments of `keras.layers.Layer`.
    """

    def __init__(
        self,
        flip: bool,
        rotate: float,
        shift: float,
        zoom: float,
        brightness: float,
        contrast: float,
        seed: int,
        **kwargs: Any,
    ) -> None:
        # Pixels run to 255: half precision would lose the last bits of each.
        super().__init__(**{**kwargs, "dtype": "float32"})
        self.flip = flip
        self.rotate = rotate
        self.shift = shift
        self.zoom = zoom
        self.brightness = brightness
        self.contrast = contrast
        self.seed = seed
        self._random = keras.random.SeedGenerator(seed)

    def call(self, images: Any, training: bool = False) -> Any:
        """Returns the changed photos in training, the same photos otherwise."""
        images = ops.cast(images, "float32")
        return self._light(self._warp(images)) if training else images

    def _uniform(self, n: Any, limit: float) -> Any:
        return keras.random.uniform((n,), -limit, limit, seed=self._random)

    def _warp(self, images: Any) -> Any:
        n, height, width = ops.shape(images)[0], images.shape[1], images.shape[2]
        angle = self._uniform(n, self.rotate * 3.141592653589793 / 180)
        scale = 1 + self._uniform(n, self.zoom)
        mirror = ops.where(self._uniform(n, 1.0) < 0, -1.0, 1.0) if self.flip else ops.ones((n,))
        # Output pixel p shows input pixel A (p - centre) + centre + shift: coefficients a0 .. a7 by rows.
        a0, a1 = scale * ops.cos(angle) * mirror, -scale * ops.sin(angle)
        a3, a4 = scale * ops.sin(angle) * mirror, scale * ops.cos(angle)
        x, y = (width - 1) / 2, (height - 1) / 2
        a2 = x - a0 * x - a1 * y + self._uniform(n, self.shift * width)
        a5 = y - a3 * x - a4 * y + self._uniform(n, self.shift * height)
        zero = ops.zeros((n,))
        transform = ops.stack([a0, a1, a2, a3, a4, a5, zero, zero], axis=1)
        return ops.image.affine_transform(
            images, transform, interpolation="bilinear", fill_mode="nearest", data_format="channels_last"
        )

    def _light(self, images: Any) -> Any:
        n = ops.shape(images)[0]
        factor = ops.reshape(1 + self._uniform(n, self.contrast), (n, 1, 1, 1))
        offset = ops.reshape(self._uniform(n, 255 * self.brightness), (n, 1, 1, 1))
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        return ops.clip((images - mean) * factor + mean + offset, 0.0, 255.0)

    def get_config(self) -> dict[str, Any]:
        """Returns the constructor's arguments."""
        names = ("flip", "rotate", "shift", "zoom", "brightness", "contrast", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in names}}
