"""The group `train.augment` of `params.yaml`: how training photos are changed at random."""

from typing import Annotated

from pydantic import Field

from fercomp.core.params.group import Group, Share


class AugmentParams(Group):
    """Random changes of training photos, drawn anew for each photo and epoch.

    Attributes:
        flip: Mirror left and right for half of the photos.
        rotate: Largest rotation in degrees, to either side.
        shift: Largest shift along each axis, as a share of the side.
        zoom: Largest change of scale, as a share.
        brightness: Largest change of brightness, as a share of full white.
        contrast: Largest change of contrast, as a share.
        erase: Share of the photos of which a rectangle is covered (random erasing, Zhong et al., 2020).
        perspective: Largest tilt to either side and up or down, as if a head were turned: the share by which
            a photo is larger or smaller at one edge than in its middle.
        hue: Largest turn of all hues on the colour circle, in degrees, to either side.
        saturation: Largest change of saturation, as a share.
        grey: Share of the photos that lose their colours.
        low_resolution: Share of the photos that are scaled down, to 0.2 to 0.7 of their side, and up again.
        blur: Share of the photos that are blurred, by 0.002 to 0.01 of their side (standard deviation).
        jpeg: Share of the photos that are saved once more as a JPEG, with a quality of 30 to 90.
        gamma: Largest change of gamma, in octaves to either side: shadows lighter or darker.
        shade: Largest difference of light between two sides of a photo, as a share of full white.
        noise: Largest standard deviation of noise, as a share of full white.
        cover: Share of the photos that are covered from one edge inwards, by 0.15 to 0.4 of their side, as by
            a hand, a scarf or hair.
    """

    flip: bool = True
    rotate: Annotated[float, Field(ge=0, le=180)] = 10.0
    shift: Annotated[float, Field(ge=0, le=0.5)] = 0.08
    zoom: Annotated[float, Field(ge=0, le=0.5)] = 0.1
    brightness: Share = 0.1
    contrast: Share = 0.2
    erase: Share = 0.25
    perspective: Annotated[float, Field(ge=0, le=0.4)] = 0.0
    hue: Annotated[float, Field(ge=0, le=180)] = 0.0
    saturation: Share = 0.0
    grey: Share = 0.0
    low_resolution: Share = 0.0
    blur: Share = 0.0
    jpeg: Share = 0.0
    gamma: Annotated[float, Field(ge=0, le=3)] = 0.0
    shade: Share = 0.0
    noise: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    cover: Share = 0.0
