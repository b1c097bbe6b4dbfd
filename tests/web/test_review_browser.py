"""The page of `review` in a real browser."""

import re
import signal

import pytest
from playwright.sync_api import expect

from fercomp.core.classes import EMOTIONS
from fercomp.core.tables import LABELS
from fercomp.labels.journal import read_decisions
from tests.web.conftest import axe_finds

pytestmark = pytest.mark.browser

OPEN = 30
"""Seconds to open, on a machine with much else to do; benchmarks/review.py has the figure."""


@pytest.fixture
def opened(request, write_review, start_review, browse):
    """A server with its page, on which nothing may go wrong or lead elsewhere."""
    suggestions = getattr(request, "param", 400)
    workspace = write_review(suggestions + 200, doubted=suggestions)
    server = start_review(workspace)
    errors, others = [], []
    page = browse("about:blank")
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("request", lambda request: others.append(request.url))
    page.goto(server.address)
    expect(page.locator("#total")).to_have_text(str(suggestions), timeout=OPEN * 1000)
    yield workspace, server, page
    assert errors == []
    assert all(re.match(r"http://127\.0\.0\.1:|data:", url) for url in others)


def decisions(page):
    return [text.strip() for text in page.locator("#grid .decision").all_inner_texts()]


def decided(server):
    return {path: label for (path, _), label in read_decisions(server.journal).items()}


def saved(page):
    expect(page.locator("#saving")).to_have_text("all on disk", timeout=OPEN * 1000)


def number_of(path):
    return int(re.search(r"\d+", path)[0])


def copy_of(path):
    number = number_of(path)
    return f"train/{number + {2: 1, 3: -1}[number % 4]}.png" if number % 4 > 1 else path


@pytest.mark.parametrize("opened", [10_000], indirect=True)
def test_ten_thousand_suggestions_by_keyboard(opened):
    workspace, server, page = opened
    labels = LABELS.read(workspace.labels)
    worst = labels[labels["reason"] != ""].sort_values("quality", kind="stable").head(40)
    shown = [cell.get_attribute("title") for cell in page.locator("#grid figure").all()]
    assert shown == worst["image_path"].tolist()
    page.wait_for_function("() => [...document.images].every(image => image.complete && image.naturalWidth)")
    for key in ("Enter", "k", "1", "9", "d", "ArrowRight", "5"):
        page.keyboard.press(key)
    suggested, given = worst["suggested"].iloc[0], worst["emotion"].iloc[1]
    expected = [suggested, given, "anger", "uncertain", "drop", "", "happy"]
    assert decisions(page)[:7] == expected
    saved(page)
    wanted = {path: label for path, label in zip(shown, expected, strict=False) if label}
    wanted |= {copy_of(path): label for path, label in wanted.items()}
    assert len(wanted) > 6
    assert decided(server) == wanted
    expect(page.locator("#done")).to_have_text(str(len(wanted)))
    page.keyboard.press("u")
    page.keyboard.press("u")
    assert decisions(page)[4:7] == ["", "", ""]
    saved(page)
    assert set(shown[4:7]).isdisjoint(decided(server))
    assert set(shown[:4]) <= set(decided(server))
    page.keyboard.press("Shift+A")
    saved(page)
    assert "" not in decisions(page)
    assert set(shown) <= set(decided(server))
    page.keyboard.press("n")
    expect(page.locator("#page")).to_have_value("2")
    assert decisions(page).count("") > 30
    page.keyboard.press("p")
    expect(page.locator("#page")).to_have_value("1")


def test_filters_and_copies_side_by_side(opened):
    workspace, _, page = opened
    labels = LABELS.read(workspace.labels)
    given, suggested = labels.loc[0, ["emotion", "suggested"]]
    pairs = (labels["emotion"] == given) & (labels["suggested"] == suggested) & (labels["reason"] != "")
    page.locator("#filter").select_option(f"{given} → {suggested}")
    expect(page.locator("#grid figure")).to_have_count(min(40, pairs.sum()))
    captions = page.locator("#grid figcaption").all_inner_texts()
    assert all(caption.startswith(f"{given} → {suggested}") for caption in captions)
    page.locator("#filter").select_option("copies")
    paths = [cell.get_attribute("title") for cell in page.locator("#grid figure").all()]
    numbers = [number_of(path) for path in paths]
    assert all(b == a + 1 and a % 4 == 2 for a, b in zip(numbers[::2], numbers[1::2], strict=True))
    copies = page.locator("#copies figcaption")
    assert copies.all_inner_texts() == [labels.loc[n, "emotion"] for n in numbers[:2]]
    page.keyboard.press("5")
    assert decisions(page)[:3] == ["happy", "happy", ""]
    page.keyboard.press("ArrowLeft")
    assert [text.partition(", ")[2] for text in copies.all_inner_texts()] == ["decided happy"] * 2


def test_nothing_is_lost_over_a_kill_and_a_new_server_goes_on(opened, start_review):
    workspace, server, page = opened
    page.keyboard.press("Shift+A")
    saved(page)
    before = decided(server)
    assert len(before) == 40
    server.process.send_signal(signal.SIGKILL)
    server.process.wait()
    page.keyboard.press("n")
    page.keyboard.press("d")
    page.get_by_text("The connection to fercomp ended").wait_for()
    expect(page.locator("#done")).to_have_text("40")
    assert "drop" not in decisions(page)
    again = start_review(workspace)
    page.goto(again.address)
    expect(page.locator("#done")).to_have_text("40", timeout=OPEN * 1000)
    expect(page.locator("#page")).to_have_value("2")
    assert set(decisions(page)) == {""}
    assert decided(again) == before


def test_what_cannot_be_written_is_taken_back_and_said(opened):
    _, _, page = opened
    page.route("**/decisions*", lambda route: route.fulfill(status=400, body="cannot write the journal"))
    page.keyboard.press("Shift+A")
    page.get_by_text("Not saved: cannot write the journal").wait_for()
    expect(page.locator("#done")).to_have_text("0")
    assert set(decisions(page)) == {""}
    page.unroute("**/decisions*")
    page.keyboard.press("k")
    saved(page)
    assert page.locator("#message").is_hidden()


def test_a_second_tab_that_is_out_of_date_reverses_nothing(opened):
    _, server, page = opened
    other = page.context.browser.new_page()
    other.goto(server.address)
    expect(other.locator("#total")).to_have_text("400", timeout=OPEN * 1000)
    page.keyboard.press("Shift+A")
    saved(page)
    before = decided(server)
    assert len(before) == 40
    other.keyboard.press("Shift+K")
    message = other.get_by_text(
        "Another page decided 40 photos meanwhile, now shown. Your last step was not saved."
    )
    message.wait_for()
    assert decided(server) == before
    assert decisions(other) == decisions(page)
    expect(other.locator("#done")).to_have_text("40")
    other.keyboard.press("u")  # what was refused is nothing to undo
    other.keyboard.press("9")
    saved(other)
    assert message.is_hidden()
    assert decisions(other)[0] == "uncertain"
    assert list(decided(server).values()).count("uncertain") > list(before.values()).count("uncertain")


CAPS_LOCK = [("A", "KeyA", False), ("K", "KeyK", False), ("D", "KeyD", False), ("U", "KeyU", False)]
LETTERS = "\u0444\u043b\u0432\u0433"  # what these keys type on a Russian keyboard
CYRILLIC = [(typed, code, False) for typed, (_, code, _) in zip(LETTERS, CAPS_LOCK, strict=True)]
CYRILLIC_CAPS_LOCK = [(typed.upper(), code, False) for typed, code, _ in CYRILLIC]
FRENCH = [("a", "KeyQ", False), ("k", "KeyK", False), ("d", "KeyD", False), ("u", "KeyU", False)]


def press(page, key, code, shift):
    page.evaluate(
        "([key, code, shiftKey]) => document.body.dispatchEvent(new KeyboardEvent('keydown', "
        "{ key, code, shiftKey, bubbles: true, cancelable: true }))",
        [key, code, shift],
    )


def test_keys_mean_the_same_under_caps_lock_and_in_other_layouts(opened):
    workspace, server, page = opened
    labels = LABELS.read(workspace.labels)
    for keys in (CAPS_LOCK, CYRILLIC, CYRILLIC_CAPS_LOCK, FRENCH):
        before = decided(server)
        place = page.locator("#grid figure").evaluate_all(
            "figures => figures.findIndex(each => each.getAttribute('aria-selected') === 'true')"
        )
        path = page.locator("#grid figure").nth(place).get_attribute("title")
        suggested, given = labels.loc[number_of(path), ["suggested", "emotion"]]
        accept, keep, drop, undo = keys
        for decide, label in ((accept, suggested), (keep, given), (drop, "drop")):
            press(page, *decide)
            assert decisions(page)[place] == label
            press(page, *undo)
            assert decisions(page)[place] == ""
        press(page, *drop)
        saved(page)
        assert set(decided(server)) - set(before) == {path, copy_of(path)} & set(labels["image_path"][:400])
    press(page, "&", "Digit1", False)  # the upper row of a French keyboard types no digits
    assert decisions(page).count("anger") > 0
    press(page, "a", "KeyA", True)  # Shift under Caps Lock
    assert "" not in decisions(page)


def test_every_key_has_a_button(opened):
    workspace, server, page = opened
    labels = LABELS.read(workspace.labels)
    shown = [cell.get_attribute("title") for cell in page.locator("#grid figure").all()]

    def click(name):
        page.get_by_role("button", name=name, exact=True).click()

    click("Enter accept the suggestion")
    click("K keep the given label")
    click("D drop: no label fits")
    click("5 happy")
    expected = [labels.loc[number_of(shown[0]), "suggested"], labels.loc[number_of(shown[1]), "emotion"]]
    assert decisions(page)[:4] == [*expected, "drop", "happy"]
    page.keyboard.press("Enter")  # is for the photo, not for the button that was clicked last
    assert decisions(page)[4] == labels.loc[number_of(shown[4]), "suggested"]
    click("U undo")
    assert decisions(page)[4] == ""
    click("→ next photo")
    click("9 uncertain")
    assert decisions(page)[4:6] == ["", "uncertain"]
    click("N next page")
    click("Shift K keep all undecided on this page")
    expect(page.locator("#page")).to_have_value("2")
    assert all(decisions(page))
    click("P previous page")
    click("Shift A accept all undecided on this page")
    assert all(decisions(page))
    saved(page)
    assert set(shown) <= set(decided(server))
    assert page.locator("button").count() == 9 + 10


def test_undo_goes_to_what_it_takes_back_says_it_and_survives_a_reload(opened):
    _, server, page = opened
    refused = []  # the route stands from the start, since one that is set later may lose a request on its way
    page.route(
        "**/decisions*",
        lambda route: route.fulfill(status=400, body=refused[0]) if refused else route.continue_(),
    )
    first = page.locator("#grid figure").first.get_attribute("title")
    page.keyboard.press("5")
    page.keyboard.press("Shift+K")
    page.keyboard.press("n")
    page.keyboard.press("d")
    saved(page)
    assert len(decided(server)) > 40
    page.reload()
    expect(page.locator("#page")).to_have_value("2", timeout=OPEN * 1000)
    said = page.locator("#said")
    page.locator("#decided").select_option("undecided")
    page.keyboard.press("u")
    expect(said).to_contain_text("is undecided again, not drop")
    assert page.locator("#decided").input_value() == ""
    expect(page.locator("#page")).to_have_value("2")
    assert set(decisions(page)) == {""}
    page.keyboard.press("u")
    expect(page.locator("#page")).to_have_value("1")
    expect(said).to_have_text(
        re.compile(r"^Undone: \S+ is undecided again, not \w+, and so for 3[78] more\.$")
    )
    assert decisions(page)[0] == "happy"
    saved(page)
    assert decided(server) == dict.fromkeys((first, copy_of(first)), "happy")
    page.keyboard.press("4")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("u")
    page.keyboard.press("u")
    expect(said).to_contain_text(f"Undone: {first} is undecided again, not happy")
    assert page.locator("#grid figure[aria-selected=true]").get_attribute("title") == first
    page.keyboard.press("u")
    expect(said).to_have_text("There is nothing to undo.")
    saved(page)
    assert decided(server) == {}
    refused.append("cannot write the journal")
    page.keyboard.press("5")
    page.get_by_text("Not saved: cannot write the journal").wait_for()
    page.keyboard.press("u")
    expect(said).to_have_text("There is nothing to undo.")


def test_photos_are_explained_filtered_found_and_the_end_is_said(write_review, start_review, browse):
    workspace = write_review(100, doubted=90)
    labels = LABELS.read(workspace.labels)
    reasons = ["copies"] * 3 + ["tie"] * 4 + ["network"] * 83
    labels.loc[:89, "reason"] = reasons
    shares = [0.5, 0.3, 0.2, *[0.0] * 6]
    labels.loc[:, list(EMOTIONS)] = shares
    LABELS.write(labels, workspace.labels)
    page = browse("about:blank")
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(start_review(workspace).address)
    cells, end = page.locator("#grid figure"), page.locator("#end")
    expect(page.locator("#pages")).to_have_text("3", timeout=OPEN * 1000)
    row = labels[labels["reason"] != ""].sort_values("quality", kind="stable").iloc[0]
    assert page.locator("#bars .percent").all_inner_texts() == ["50 %", "30 %", "20 %", *["0 %"] * 6]
    values = page.locator("#bars meter").evaluate_all("bars => bars.map(bar => bar.value)")
    assert values == [50, 30, 20, 0, 0, 0, 0, 0, 0]
    expect(page.locator("#why")).to_contain_text(
        f"Quality of the given label: {row.quality:.2f}, so {round(100 * row.quality)} of 100 people"
    )
    for reason, words in (("copies", "More copies of this picture"), ("tie", "the network decides for")):
        page.locator("#reason").select_option(reason)
        expect(cells).to_have_count(reasons.count(reason))
        expect(page.locator("#why")).to_contain_text(words)
    page.keyboard.press("d")
    page.keyboard.press("k")
    page.keyboard.press("Shift+A")
    expect(end).to_contain_text("All here are decided; 8")
    page.locator("#reason").select_option("")
    page.locator("#decided").select_option("dropped")
    dropped = [cell.get_attribute("title") for cell in cells.all()]
    assert dropped
    page.locator("#decided").select_option("decided")
    expect(cells).to_have_count(int(page.locator("#done").inner_text()))
    page.locator("#decided").select_option("undecided")
    page.locator("#class").select_option("happy")
    captions = page.locator("#grid figcaption").all_inner_texts()
    assert captions
    assert all("happy" in caption for caption in captions)
    page.locator("#reason").select_option("copies")
    expect(end).to_have_text("No photo fits what is chosen above.")
    for name in ("class", "decided", "reason"):
        page.locator(f"#{name}").select_option("")
    expect(end).to_be_hidden()
    for wanted, at in (("3", "3"), ("99", "3"), ("2.7", "2"), ("-4", "1"), ("", "1")):
        page.locator("#page").fill(wanted)
        page.keyboard.press("Tab")
        expect(page.locator("#page")).to_have_value(at)
        page.locator("#grid figure").first.click()
    for _ in range(3):
        page.keyboard.press("Shift+A")
        page.keyboard.press("n")
    saved(page)
    expect(end).to_have_text(
        re.compile(
            r"All 90 are decided: (\d+) accepted, \d+ kept, \d+ of another class, \d+ dropped\. "
            r"Press Ctrl-C where fercomp runs, then type: fercomp relabel"
        )
    )
    told = [int(number) for number in re.findall(r"(\d+) (?:accepted|kept|of|dropped)", end.inner_text())]
    assert sum(told) == 90
    assert told[3] == len(dropped)
    assert errors == []


def test_axe_finds_nothing_and_focus_is_never_lost(opened):
    _, _, page = opened
    grid = page.locator("#grid")
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert axe_finds(page) == [], scheme
        page.keyboard.press("5")  # and with a decision on the page
    page.get_by_role("button", name="K keep the given label").click()
    expect(grid).to_be_focused()
    chosen = page.locator("#grid [aria-selected=true]")
    expect(grid).to_have_attribute("aria-activedescendant", chosen.get_attribute("id"))
    assert "given" in page.get_by_role("option", selected=True).locator("img").get_attribute("alt")
    for name in ("filter", "reason", "class", "decided"):
        choice = page.locator(f"#{name}")
        choice.focus()
        for key in ("ArrowDown", "ArrowUp"):  # arrow keys choose on, they do not leave
            page.keyboard.press(key)
            expect(choice).to_be_focused()
        choice.blur()
        choice.select_option(index=0)
        expect(grid).to_be_focused()
    page.locator("#page").fill("3")
    page.keyboard.press("Enter")
    expect(grid).to_be_focused()
    expect(page.locator("#page")).to_have_value("3")
    button = page.get_by_role("button", name="N next page")
    button.focus()
    page.keyboard.press("Enter")
    expect(button).to_be_focused()
    expect(page.locator("#page")).to_have_value("4")
