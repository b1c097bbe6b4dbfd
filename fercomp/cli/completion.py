"""What Tab offers: names that are known without Keras, OpenCV or tables.

`fercomp --install-completion` switches it on. Whatever cannot be read offers nothing, since nobody sees why.
"""

from collections.abc import Callable, Iterable
from typing import Final

from fercomp.core.paths import SHIPPED, SHIPPED_LARGE, Workspace

DETECTOR_NAMES: Final = ("yunet", "haar_default", "haar_alt", "haar_alt2", "haar_alt_tree", "whole")
"""Those of `faces.detect`, which imports OpenCV."""


def _offering(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    # Typer recognises the parameter by its name.
    def complete(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return complete


def _backbones() -> Iterable[str]:
    from fercomp.modeling.backbones.names import every_backbone

    return every_backbone()


def _own_models() -> Iterable[str]:
    folders = sorted(Workspace().models.glob("[!.]*/card.json"))
    return [card.parent.name for card in folders]


complete_backbone = _offering(_backbones)
complete_detector = _offering(lambda: DETECTOR_NAMES)
complete_own_model = _offering(_own_models)
complete_model = _offering(lambda: [*_own_models(), SHIPPED, SHIPPED_LARGE])
