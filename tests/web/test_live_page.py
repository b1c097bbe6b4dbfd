"""What the page of `live` shows and how it is used, in a Chromium whose camera plays drawn people."""

import csv
import io
import json
import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from fercomp.annotate.drawing.placement import place_label
from tests.drawn import draw_group
from tests.web.conftest import MAIN, axe_finds, start_live, write_camera

pytestmark = pytest.mark.browser

WIDTH, HEIGHT = 640, 480
PLACEMENTS = Path(__file__).parents[1] / "annotate" / "drawing" / "placements.json"
MOODS = ["happy", "sad", "surprise", "anger", "neutral"]
TRACK = "document.getElementById('camera').srcObject?.getVideoTracks()[0]"
WAIT = 60_000


@pytest.fixture(scope="module")
def people():
    """Five people before the camera, `(480, 640, 3)` uint8."""
    return draw_group(MOODS, np.random.default_rng(3), WIDTH, HEIGHT)


CAMERA = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream")


@pytest.fixture(scope="module")
def chromium(people, launch, tmp_path_factory):
    # Moved, or it would be one picture, of which there are no news.
    pictures = [np.roll(people, shift, axis=1) for shift in (0, 1, 2, 1)]
    path = write_camera(tmp_path_factory.mktemp("camera") / "people.y4m", pictures, 15)
    browser = launch(*CAMERA, f"--use-file-for-fake-video-capture={path}")
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def live(forks, tiny_bundle_folder, tmp_path_factory):
    """One `fercomp live` for all, with the real clock."""
    server = start_live(forks, tiny_bundle_folder, tmp_path_factory.mktemp("recordings"), code=MAIN)
    yield server
    server.process.close()


@pytest.fixture
def opened(live, chromium):
    """Opens the page in a window of its own; nothing may go wrong on it."""
    contexts, errors = [], []

    def opened(width=1280, height=800, script="", faces=True, **options):
        context = chromium.new_context(viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
        if script:
            page.add_init_script(script)
        page.goto(live.address)
        if faces:
            expect(page.locator("#count")).to_have_text("5", timeout=WAIT)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert errors == []


def module(page, live, name, code, *arguments):
    """Runs code with a module of the page, the same instance as the page's own."""
    source = f"async ([url, ...given]) => {{ const it = await import(url); return ({code})(it, ...given); }}"
    return page.evaluate(source, [f"http://{live.host}/files/{live.token}/{name}", *arguments])


def test_labels_go_where_those_of_photos_and_clips_go(opened, live):
    page = opened(bypass_csp=True, device_scale_factor=2)
    cases = json.loads(PLACEMENTS.read_text(encoding="utf-8"))
    code = "(it, cases) => cases.map(c => it.placeLabel(c.label, c.box, c.picture, c.taken, c.faces))"
    places = module(page, live, "placement.js", code, cases)
    assert {c["name"]: p for c, p in zip(cases, places, strict=True)} == {
        c["name"]: c["expected"] for c in cases
    }
    show = """(it, boxes) => {
      const canvas = document.getElementById("picture"), frame = document.createElement("canvas");
      frame.width = 640; frame.height = 480;
      const faces = boxes.map((box, i) => (
        { box, track: i, emotion: i === 1 ? "uncertain" : "surprise", confidence: i === 0 ? 0.3 : 0.9 }));
      const places = it.show(frame, faces, 2), pen = canvas.getContext("2d");
      return { places, size: [canvas.width, canvas.height], shown: canvas.clientWidth,
        grounds: places.map(([x, y]) => pen.getImageData(canvas.width - x - 3, y + 2, 1, 1))
          .map(ground => [...ground.data].slice(0, 3)) };
    }"""
    side_by_side = [[300, 100, 380, 200], [215, 104, 295, 204]]
    five = [[40 + 75 * i, 100 + i % 2, 105 + 75 * i, 190] for i in range(5)][::-1]
    for boxes in (side_by_side, five):
        drawn = module(page, live, "picture.js", show, boxes)
        width, height = drawn["size"]
        assert width == 2 * drawn["shown"], "as many pixels as the screen has"
        taken = []
        for (x1, y1, x2, y2), place in zip(boxes, drawn["places"], strict=True):
            left, top, right, bottom = place
            across, down = width / WIDTH, height / HEIGHT
            box = [width - x2 * across, y1 * down, width - x1 * across, y2 * down]
            rounded = [int(value + 0.5) for value in box]
            size = (right - left, bottom - top)
            assert tuple(place) == place_label(size, rounded, (width, height), taken, [])
            taken.append(tuple(place))
        for a, b in combinations(taken, 2):
            assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]
        low = [ground == [255, 255, 255] for ground in drawn["grounds"]]
        assert low[:2] == [True, True], "low confidence, and uncertain"
        assert not any(low[2:])


def test_the_picture_is_a_mirror(opened, live, people):
    page = opened(bypass_csp=True)
    page.evaluate("() => document.getElementById('camera').pause()")
    real = np.asarray(Image.fromarray(people).resize((64, 48)), dtype=float).mean(axis=2)

    def likeness():
        module(page, live, "picture.js", "it => it.show(document.getElementById('camera'), [], null)")
        with Image.open(io.BytesIO(page.locator("#picture").screenshot())) as shot:
            seen = np.asarray(shot.convert("RGB").resize((64, 48)), dtype=float).mean(axis=2)
        return [np.corrcoef(seen.ravel(), each.ravel())[0, 1] for each in (real[:, ::-1], real)]

    for _ in range(20):  # what was sent before is answered, and drawn, some time
        page.wait_for_timeout(500)
        mirrored, straight = likeness()
        if mirrored > 0.9:
            break
    assert mirrored > 0.9
    assert mirrored > straight + 0.05


def test_a_face_is_followed_by_mouse_and_by_keyboard(opened, live):
    page = opened(bypass_csp=True)
    whom, faces = page.locator("#whom"), page.locator("#people button")
    expect(faces).to_have_count(5)
    boxes = [face.bounding_box() for face in faces.all()]
    place = min(range(5), key=lambda i: boxes[i]["width"] * boxes[i]["height"])
    smallest = faces.nth(place).get_attribute("aria-label").partition(",")[0].partition("#")[2]
    face = page.get_by_role("button", name=f"Follow #{smallest},")
    expect(face).to_have_attribute("aria-pressed", "false")
    box = face.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(face).to_have_attribute("aria-pressed", "true")
    expect(whom).to_contain_text(f"#{smallest} ")
    page.keyboard.press("Enter")
    expect(face).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Space")
    expect(face).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(face).to_have_attribute("aria-pressed", "false")
    expect(whom).not_to_contain_text(f"#{smallest} ")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("() => document.activeElement.closest('header, #people') !== null")
    face.focus()
    focused = module(
        page, live, "people.js", "it => { it.offer([], [640, 480]); return document.activeElement.id; }"
    )
    assert focused == "stage", "who leaves takes no focus along"
    expect(page.locator("#said")).to_contain_text("5 faces. #", timeout=10_000)
    expect(page.locator("#ribbon .person")).to_have_count(5)
    assert "The last 30 seconds. #0: " in page.locator("#ribbon").get_attribute("aria-label")


def rows_of(path):
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
  const camera = document.getElementById("camera");
  if (hidden) camera.pause(); else camera.play();
}"""
"""What a browser does to a tab in the background: no frames come any more."""


def test_a_recording_tells_what_is_missing_and_ends_with_a_timeline(opened, live):
    page = opened()
    record, missing, file = page.locator("#record"), page.locator("#missing"), page.locator("#file")
    record.click()
    expect(file).to_contain_text("recording to")
    path = live.folder / file.inner_text().rpartition("/")[2]
    page.wait_for_timeout(800)
    expect(missing).to_be_hidden()
    page.evaluate(HIDE, True)
    assert "not recording" in page.title()
    expect(missing).to_have_text("nothing is recorded right now")
    page.evaluate(HIDE, False)
    expect(file).to_contain_text("s are missing, this page was in the background")
    assert page.title() == "fercomp live"
    expect(page.locator("#clock")).to_have_text("00:04", timeout=10_000)
    page.evaluate(HIDE, True)
    page.wait_for_timeout(3200)
    record.click()  # works without a frame, too
    title = page.locator("#after-title")
    expect(title).to_contain_text("recorded:")  # the file is whole once this is said
    rows = rows_of(path)
    faces = [row for row in rows if row["status"] == "face"]
    tracks = {row["track"] for row in faces}
    expect(title).to_contain_text(f"recorded: {len(tracks)} people")
    expect(title).to_contain_text("s missing in 2 gaps")
    expect(record).to_be_focused()
    people = page.locator("#after-people li")
    expect(people).to_have_count(len(tracks))
    expect(people.locator(".gap")).to_have_count(2 * len(tracks))
    for canvas in people.locator("canvas").all():
        with Image.open(io.BytesIO(canvas.screenshot())) as portrait:
            assert np.asarray(portrait.convert("L")).std() > 15, "a face is on it"
    gaps = [row for row in rows if row["status"] == "gap"]
    assert len(gaps) == 2
    assert all(float(row["note"].split()[0]) > 1 for row in gaps)
    assert [float(row["time"]) for row in rows] == sorted(float(row["time"]) for row in rows)
    assert max(float(row["x2"]) for row in faces) > 560, "the camera's pixels, not those of the frames sent"


def test_a_camera_that_stops_is_said_until_it_is_back(opened):
    page = opened()
    message = page.locator("#message")
    page.evaluate(f"() => {TRACK}.dispatchEvent(new Event('ended'))")
    expect(message).to_contain_text("The camera stopped.")
    page.wait_for_timeout(1000)  # and frames that come still do not make it go
    expect(message).to_contain_text("The camera stopped.")
    again = page.get_by_role("button", name="Try again")
    again.focus()
    page.keyboard.press("Enter")
    expect(message).to_be_hidden(timeout=10_000)
    expect(again).to_be_hidden()
    expect(page.locator("#record")).to_be_focused()
    expect(page.locator("#count")).to_have_text("5", timeout=WAIT)


def test_a_camera_that_sleeps_is_said(opened):
    page = opened()
    page.evaluate("() => document.getElementById('camera').pause()")
    expect(page.locator("#message")).to_contain_text("No picture comes from the camera.", timeout=15_000)
    page.evaluate("() => document.getElementById('camera').play()")
    expect(page.locator("#message")).to_be_hidden()


def test_other_browsers(opened):
    page = opened(script="delete HTMLVideoElement.prototype.requestVideoFrameCallback")
    expect(page.locator("#fps")).to_have_text(re.compile("[0-9]"))
    page = opened(
        script="Object.defineProperty(navigator, 'mediaDevices', { value: undefined })", faces=False
    )
    page.get_by_text("This browser gives pages no camera. Open this page's address in a current").wait_for()
    assert page.get_by_role("button", name="Try again").is_hidden()


SLOW = """const quick = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (...given) {
  setTimeout(() => quick.apply(this, given), 900);
};"""


def test_people_keep_their_numbers_at_one_frame_a_second(opened):
    page = opened(script=SLOW)
    page.wait_for_timeout(4000)
    assert 0.2 < float(page.locator("#fps").inner_text()) < 1.5
    labels = [face.get_attribute("aria-label") for face in page.locator("#people button").all()]
    assert sorted(label.split(",")[0] for label in labels) == [f"Follow #{i}" for i in range(5)]


@pytest.mark.parametrize(
    ("width", "height"), [(844, 390), (390, 844), (640, 400)], ids=["lying", "upright", "zoomed to 200 %"]
)
def test_it_fits(opened, width, height):
    page = opened(width, height, device_scale_factor=2)
    page.locator("#record").click()
    expect(page.locator("#clock")).to_be_visible()
    assert page.evaluate("() => document.documentElement.scrollWidth <= innerWidth")
    for place in ("#record", "#clock", "#cameras", "#picture"):
        box = page.locator(place).bounding_box()
        assert box["x"] >= 0, place
        assert box["y"] >= 0, place
        assert box["x"] + box["width"] <= width, place
        assert box["y"] + box["height"] <= height, place
    assert page.locator("#picture").bounding_box()["width"] >= 0.4 * width


def test_another_camera_is_chosen(live, launch):
    browser = launch(CAMERA[0], f"{CAMERA[1]}=device-count=2")
    page = browser.new_page()
    page.goto(live.address)
    expect(page.locator("#cameras option")).to_have_count(2, timeout=WAIT)
    expect(page.locator("#count")).to_have_text("0", timeout=WAIT)
    other = page.locator("#cameras option:not(:checked)").first.get_attribute("value")
    page.locator("#cameras").select_option(other)
    page.wait_for_function(f"other => {TRACK}?.getSettings().deviceId === other", arg=other)
    expect(page.locator("#cameras")).to_have_value(other)
    expect(page.locator("#fps")).to_have_text(re.compile("[0-9]"))
    browser.close()


def test_axe_finds_nothing_serious(opened):
    page = opened()
    page.locator("#record").click()
    expect(page.locator("#clock")).to_have_text("00:01")
    page.locator("#record").click()
    expect(page.locator("#after")).to_be_visible()
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe_finds(page) == [], scheme
