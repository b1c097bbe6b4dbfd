"""Faces drawn by fercomp itself, for a demo that needs no network and no photo of anybody."""

from tests.drawn.scene import draw_clip, draw_face, draw_group

__all__ = ["draw_clip", "draw_face", "draw_group"]
