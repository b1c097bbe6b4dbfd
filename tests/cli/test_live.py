"""What a user may type wrongly; the page itself is tested in tests/web, the window in tests/annotate."""

import pytest


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--source", "0"), "--source is for --window"),
        (("--model", "tinny"), "did you mean tiny"),
        (("--model", "tiny", "--detector", "yunet2"), "did you mean yunet"),
        (("--window", "--source", "nowhere.mp4", "--model", "tiny"), "no display for a window"),
    ],
)
def test_mistakes_are_one_line(workspace, fercomp, monkeypatch, arguments, message):
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    code, out, err = fercomp("live", "--no-browser", *arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert len(err.strip().splitlines()) == 1
