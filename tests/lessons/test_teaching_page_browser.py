"""The page in a real browser: it moves as its data says, and its calculator is ``ops.arithmetic``.

One browser is driven over two pipes, in Chrome's own protocol: clicks and keys are real ones.
"""

from __future__ import annotations

import fcntl
import itertools
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from opsin.errors import SizeError
from opsin.lessons import page_steps, page_vote
from opsin.lessons.page import page
from opsin.lessons.page_calculator import MOST_LAYERS
from opsin.ops.arithmetic import (
    Field,
    Window,
    multiply_adds,
    output_size,
    parameters,
    transposed_size,
    uneven,
)

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
pytestmark = [
    pytest.mark.contracts,
    pytest.mark.skipif(PROGRAM is None, reason="no chromium on this machine"),
]

SECONDS = 60  # that one answer of the browser may take
# The browser reads its orders from file 3 and answers on file 4.
PIPED = "import os, sys; r, w = map(int, sys.argv[1:3]); os.dup2(r, 3); os.dup2(w, 4); "
PIPED += "os.execv(sys.argv[3], sys.argv[3:])"
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--no-first-run",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
]


class Browser:
    """Drives one tab; ``said`` are its complaints, ``asked`` the addresses it wanted."""

    def __init__(self, profile: Path) -> None:
        orders, answers = _pipe(), _pipe()
        self.out, self.back = orders[1], answers[0]
        piped = [sys.executable, "-c", PIPED, str(orders[0]), str(answers[1])]
        self.process = subprocess.Popen(
            [*piped, str(PROGRAM), *FLAGS, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(orders[0], answers[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(orders[0])
        os.close(answers[1])
        self.rest, self.number, self.session = b"", 0, ""
        self.said: list[str] = []
        self.asked: list[str] = []
        tab = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=tab, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **words: Any) -> dict[str, Any]:
        """Give one order and return its answer."""
        self.number += 1
        order: dict[str, Any] = {"id": self.number, "method": method, "params": words}
        if self.session:
            order["sessionId"] = self.session
        text = json.dumps(order).encode() + b"\0"
        while text:
            text = text[os.write(self.out, text) :]
        while True:
            told = self.read()
            if told.get("id") == self.number:
                assert "error" not in told, told
                result: dict[str, Any] = told["result"]
                return result
            self.hear(told)

    def read(self) -> dict[str, Any]:
        """Return what the browser says next."""
        until = time.monotonic() + SECONDS
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.back], [], [], max(0, until - time.monotonic()))
            part = os.read(self.back, 1 << 16) if ready else b""
            assert part, "the browser does not answer"
            self.rest += part
        text, _, self.rest = self.rest.partition(b"\0")
        told: dict[str, Any] = json.loads(text)
        return told

    def hear(self, told: dict[str, Any]) -> None:
        """Keep complaints and requests."""
        method, words = told.get("method"), told.get("params", {})
        if method == "Runtime.exceptionThrown":
            self.said.append(str(words["exceptionDetails"]))
        elif method == "Log.entryAdded":
            self.said.append(words["entry"]["text"])
        elif method == "Runtime.consoleAPICalled":
            self.said.append(str(words["args"]))
        elif method == "Network.requestWillBeSent":
            self.asked.append(words["request"]["url"])

    def open(self, path: Path, wide: int = 1280, high: int = 900) -> None:
        """Show a file in a window of some size and wait until it is there."""
        self.size(wide, high)
        self.call("Page.navigate", url=path.as_uri())
        self.until("document.readyState === 'complete'")

    def size(self, wide: int, high: int = 900) -> None:
        """Make the window so large; below 600 pixels it is a phone."""
        mobile = {"mobile": wide < 600, "deviceScaleFactor": 1}
        self.call("Emulation.setDeviceMetricsOverride", width=wide, height=high, **mobile)

    def run(self, script: str) -> Any:
        """Return what an expression is worth in the page."""
        words = {"returnByValue": True, "awaitPromise": True, "userGesture": True}
        found = self.call("Runtime.evaluate", expression=script, **words)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def until(self, script: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + SECONDS
        while not self.run(script):
            assert time.monotonic() < end, f"never came true: {script}"
            time.sleep(0.02)

    def click(self, selector: str, at: int = 0) -> None:
        """Click in the middle of the element that a selector finds."""
        quoted = json.dumps(selector)
        x, y = self.run(
            f"(() => {{ const e = document.querySelectorAll({quoted})[{at}];"
            "e.scrollIntoView({block: 'center', behavior: 'instant'});"
            "const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    def key(self, name: str, code: int = 0, text: str = "") -> None:
        """Press and release a key."""
        words = {"key": name, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **words)
        self.call("Input.dispatchKeyEvent", type="keyUp", **words)

    def type(self, selector: str, text: str, at: int = 0) -> None:
        """Replace what stands in a field by typing."""
        self.click(selector, at)
        self.run("document.activeElement.select()")
        self.call("Input.insertText", text=text)

    def text(self, selector: str) -> str:
        """Return what stands in an element, with plain minus signs."""
        found = self.run(f"document.querySelector({json.dumps(selector)}).textContent")
        return str(found).replace("−", "-")

    def close(self) -> None:
        """End the browser."""
        self.session = ""
        try:
            self.call("Browser.close")
            self.process.wait(20)
        finally:
            self.process.kill()
            self.process.wait(20)
            os.close(self.out)
            os.close(self.back)


def _pipe() -> tuple[int, int]:
    """Return a pipe whose ends are neither 3 nor 4."""
    ends = os.pipe()
    high = tuple(fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in ends)
    for end in ends:
        os.close(end)
    return high[0], high[1]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(page(), "utf-8")
    return path


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = Browser(tmp_path_factory.mktemp("profile"))
    yield browser
    browser.close()


@pytest.fixture
def browser(running: Browser, file: Path) -> Iterator[Browser]:
    """Give the page, freshly opened, and see to it that nothing went wrong in the end."""
    running.said.clear()
    running.asked.clear()
    running.open(file)
    yield running
    assert running.said == []
    assert {a for a in running.asked if not a.startswith("data:image/png")} == {file.as_uri()}


# ── what moves ──────────────────────────────────────────────────────────────────────────────────

SHOWN = """(name) => {
  const figure = document.querySelector(`[data-slide=${name}]`);
  const grid = (kind) => [...figure.querySelectorAll(`.grid.${kind} .squares text`)]
    .map((text) => text.textContent.replace("−", "-"));
  const text = (kind) => (figure.querySelector(kind) || {textContent: ""}).textContent
    .replaceAll("−", "-");
  const box = figure.querySelector(".window").getAttribute("transform");
  return {map: grid("map"), seen: grid("seen"), source: grid("source"), kernel: grid("kernel"),
    products: grid("products"), total: text(".total"), value: text(".value"),
    told: text(".told"), box: box.match(/\\d+/g).map(Number).reverse()};
}"""


def shown(browser: Browser, figure: str) -> dict[str, Any]:
    """Return what stands in a figure."""
    found: dict[str, Any] = browser.run(f"({SHOWN})({json.dumps(figure)})")
    return found


def expected(told: dict[str, Any], figure: str, at: int) -> dict[str, Any]:
    """Return what should stand in it, of the data that Python made."""
    places = told[figure]
    place = places[at]
    values = [each["value"] for each in places]
    wanted = {
        "map": values[: at + 1] + [""] * (len(values) - at - 1),
        "box": [40 * side for side in place["at"]],
        "value": place["value"],
    }
    if figure == "filter":
        names = {"seen": place["seen"], "products": place["products"], "kernel": told["kernel"]}
        wanted |= {name: list(map(str, values)) for name, values in names.items()}
        wanted["total"] = str(place["total"])
    return wanted


# Goes to every place of a figure by its slider, and tells what stands there.
SWEEP = """(figure, index) => slides.facts.X.A[figure].map((_, at) => {
  const range = slides.shows[index].range;
  range.value = at;
  range.dispatchEvent(new Event("input"));
  return (SHOWN)(figure);
})"""


def test_every_step_shows_what_python_computed(browser: Browser) -> None:
    steps = page_steps.steps()
    sweep = SWEEP.replace("SHOWN", SHOWN)
    for letter, name in itertools.product("XO", "ABC"):
        browser.click(f"input[name=letter-filter][value={letter}]")
        browser.click(f"input[name=filter-pool][value={name}]")
        for index, figure in enumerate(("filter", "relu", "pool")):
            told = steps[letter][name]
            every = browser.run(f"({sweep})({json.dumps(figure)}, {index})")
            assert len(every) == len(told[figure])
            for at, found in enumerate(every):
                wanted = expected(told, figure, at)
                assert {key: found[key] for key in wanted} == wanted
                if figure == "pool":
                    assert [n for n in found["seen"] if n] == told["pool"][at]["seen"]
                assert f"Row {at // (4 if figure == 'pool' else 7) + 1}," in found["told"]


def test_buttons_keys_and_clicks_move_the_window(browser: Browser) -> None:
    told = page_steps.steps()["X"]["A"]

    def stands(at: int) -> None:
        wanted = expected(told, "filter", at)
        found = shown(browser, "filter")
        assert {key: found[key] for key in wanted} == wanted

    go = "[data-slide=filter] [data-go={}]"
    stands(0)
    browser.click(go.format("back"))  # there is nothing before the first
    stands(0)
    browser.click(go.format("next"))
    browser.click(go.format("next"))
    stands(2)
    browser.click(go.format("back"))
    stands(1)
    browser.click(go.format("last"))
    stands(48)
    browser.click(go.format("next"))
    stands(48)
    browser.click(go.format("first"))
    stands(0)
    browser.click("[data-slide=filter] .grid.map .squares > g", 24)  # the crossing
    stands(24)
    browser.run("document.querySelector('[data-slide=filter] .grid.map').focus()")
    for key, at in (("ArrowDown", 31), ("ArrowRight", 32), ("ArrowUp", 25), ("ArrowLeft", 24)):
        browser.key(key)
        stands(at)
    browser.key("End")
    stands(48)
    browser.key("Home")
    stands(0)
    browser.run("document.querySelector('[data-slide=filter] input[type=range]').focus()")
    browser.key("ArrowRight", 39)
    stands(1)


def test_playing_goes_to_the_end_and_stops_when_asked(browser: Browser) -> None:
    play = "[data-slide=pool] [data-go=play]"
    browser.run("window.realTick = setInterval; 0")
    browser.run("setInterval = (tick) => realTick(tick, 1)")  # a tick a millisecond
    browser.click(play)
    browser.until("slides.shows[2].at === 15 && !slides.shows[2].timer")
    assert browser.text(play) == "Play"
    browser.run("setInterval = (tick) => realTick(tick, 20); 0")
    browser.click(play)  # from the start again
    browser.until("slides.shows[2].at > 0")
    assert browser.text(play) == "Pause"
    browser.click(play)
    stopped = browser.run("slides.shows[2].at")
    assert browser.run("slides.shows[2].timer") == 0 and 0 < stopped < 16


def test_walks_end_in_the_votes_of_python(browser: Browser) -> None:
    for at, (name, found) in enumerate(page_vote.walks().items()):
        browser.click(".stamps input", at)
        for letter, vote in found["votes"].items():
            row = f".walk [data-letter={letter}]"
            assert browser.text(f"{row} .printed") == found["printed"][letter]
            width = browser.run(f"document.querySelector('{row} .fill').getAttribute('width')")
            assert float(width) == pytest.approx(100 * vote, abs=0.01)
        right = "Right." if found["says"] == found["letter"] else f"it is an {found['letter']}."
        verdict = browser.text(".verdict")
        assert verdict.startswith(f"The net says {found['says']}.") and verdict.endswith(right)
        for kind, step in (("whole", "maps"), ("final", "final")):
            grids = browser.run(
                f"[...document.querySelectorAll('.way .grid.{kind}')].map((grid) => "
                "[...grid.querySelectorAll('text')].map((t) => t.textContent.replace('−', '-')))"
            )
            assert grids == found[step], name


# ── the calculator ──────────────────────────────────────────────────────────────────────────────

# Sets every field, tells the page once, and reads what it says of each layer.
TRY = """(settings) => settings.map(({picture, layers}) => {
  const root = document.getElementById("calculator");
  const items = () => [...root.querySelectorAll(".layer")];
  while (items().length < layers.length) root.querySelector("[name=add]").click();
  while (items().length > layers.length) items().at(-1).querySelector("[name=remove]").click();
  ["height", "width", "depth"].forEach((side, i) => {
    root.querySelector(`.picture [name=${side}]`).value = picture[i];
  });
  items().forEach((item, i) => {
    for (const [name, value] of Object.entries(layers[i])) {
      const field = item.querySelector(`[name=${name}]`);
      if (field.type === "checkbox") field.checked = value; else field.value = value;
    }
  });
  root.querySelector(".picture [name=depth]").dispatchEvent(new Event("input", {bubbles: true}));
  const read = (within) => Object.fromEntries(["size", "parameters", "madds", "sees"]
    .map((name) => [name, within.querySelector(`.${name}`).textContent]));
  return {
    totals: read(root.querySelector(".totals")),
    layers: items().map((item) => ({...read(item), said: item.querySelector(".said").textContent})),
  };
})"""
NOTHING = dict.fromkeys(("size", "parameters", "madds", "sees"), "–")


def draw(draws: np.random.Generator) -> dict[str, Any]:
    """Draw a picture and a stack of layers, now and then with what no layer can have."""

    def number(least: int, most: int, wrong: tuple[float, ...] = (0, -1, 2.5)) -> float:
        if draws.random() < 0.006:
            value = float(draws.choice(wrong))
            return int(value) if value.is_integer() else value
        return int(draws.integers(least, most + 1))

    def layer() -> dict[str, Any]:
        large = draws.random() < 0.15
        return {
            "kind": str(draws.choice(["convolution", "convolution", "pooling", "transposed"])),
            "kernel": number(1, 25 if large else 7),
            "stride": number(1, 40 if large else 4),
            "padding": str(draws.choice(["number", "number", "number", "same", "valid"])),
            "pixels": number(0, 12 if large else 3, (-1, 1.5)),
            "dilation": number(1, 6 if large else 2),
            "filters": number(1, 2000),
            "extra": int(draws.integers(0, 4)) if draws.random() < 0.3 else 0,
            "ceil": bool(draws.random() < 0.5),
        }

    most = int(draws.choice([12, 64, 300, 65_536]))
    picture = [number(1, most), number(1, most), number(1, 512)]
    if draws.random() < 0.3:
        picture[1] = picture[0]
    return {"picture": picture, "layers": [layer() for _ in range(draws.integers(1, 5))]}


def through(layer: dict[str, Any], size: Any, depth: Any, field: Field | None) -> dict[str, Any]:
    """Return what ``ops.arithmetic`` says of one layer; raise ``SizeError`` as it does."""
    padding = layer["pixels"] if layer["padding"] == "number" else layer["padding"]
    ceil = layer["kind"] == "pooling" and layer["ceil"]
    window = Window(layer["kernel"], layer["stride"], padding, layer["dilation"], ceil)
    if layer["kind"] == "transposed":
        after, seen, said = transposed_size(size, window, layer["extra"]), None, []
    else:
        after = output_size(size, window)
        seen, said = field and field.through(window, size), list(map(str, uneven(size, window)))
    if len(said) == 2 and said[0].replace("height", "width") == said[1]:
        said = [f"height and {said[1]}"]
    filters, weights, madds = layer["filters"], 0, 0
    if layer["kind"] == "pooling":
        filters = depth
    else:
        turned = layer["kind"] == "transposed"
        weights = parameters(window, depth, filters)
        madds = multiply_adds(size, window, depth, filters, transposed=turned)
    told = {"size": after, "depth": filters, "field": seen, "said": said}
    return {**told, "parameters": weights, "madds": madds}


def words(found: dict[str, Any]) -> dict[str, str]:
    """Return numbers as the page writes them."""
    seen, sees = found["field"], "not the same everywhere"
    if seen:
        side, step = seen.size[0], seen.stride[0]
        sees = f"{side:,} × {side:,} pixels, in steps of {step:,}"
    return {
        "size": " × ".join(f"{n:,}" for n in (*found["size"], found["depth"])),
        "parameters": f"{found['parameters']:,}",
        "madds": f"{found['madds']:,}",
        "sees": sees,
    }


def answer(picture: list[Any], layers: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the page should say of a stack, from Python."""
    size, depth, field = (picture[0], picture[1]), picture[2], Field()
    told, wrong, sums = [], "", [0, 0]
    try:
        output_size(size, Window(1))
    except SizeError as error:
        wrong = str(error)
        told.append({**NOTHING, "said": wrong})
    for layer in layers[len(told) :]:
        if not wrong:
            try:
                found = through(layer, size, depth, field)
                size, depth, field = found["size"], found["depth"], found["field"]
                sums = [sums[0] + found["parameters"], sums[1] + found["madds"]]
                told.append({**words(found), "said": "\n".join(found["said"])})
                continue
            except SizeError as error:
                wrong = str(error)
                told.append({**NOTHING, "said": wrong})
                continue
        told.append({**NOTHING, "said": ""})
    if wrong:
        return {"totals": NOTHING, "layers": told}
    whole = {"size": size, "depth": depth, "field": field}
    totals = words({**whole, "parameters": sums[0], "madds": sums[1]})
    return {"totals": totals, "layers": told}


def test_calculator_is_the_arithmetic_of_python(browser: Browser) -> None:
    draws = np.random.default_rng(20)
    settings = sorted((draw(draws) for _ in range(400)), key=lambda each: len(each["layers"]))
    found = browser.run(f"({TRY})({json.dumps(settings)})")
    wanted = [answer(**setting) for setting in settings]
    for setting, said, right in zip(settings, found, wanted, strict=True):
        assert said == right, setting
    every = [layer["said"] for told in wanted for layer in told["layers"]]
    kinds = {  # the drawn settings reach all that can be said
        "not an integer; the last": 200,
        "hangs over the end": 40,
        "height and width": 50,
        "output_padding": 10,
        "for a window of": 50,
        "for the transpose of": 1,
        "whole number of at least": 10,
        "channels to": 5,
        "at least 1×1": 1,
        "; padding ": 100,
    }
    for kind, least in kinds.items():
        assert sum(kind in said for said in every) >= least, kind
    assert sum(told["totals"] != NOTHING for told in wanted) > 200


def test_numbers_that_python_rounds_to_the_even_digit(browser: Browser) -> None:
    """2.125 and 2.625 lie in the middle: Python writes 2.12 and 2.62."""
    usual = {"kind": "convolution", "padding": "number", "pixels": 0, "dilation": 1, "filters": 1}
    layer = {**usual, "kernel": 1, "stride": 8, "extra": 0, "ceil": False}
    settings = [{"picture": [size, size, 1], "layers": [layer]} for size in range(2, 40)]
    found = browser.run(f"({TRY})({json.dumps(settings)})")
    assert found == [answer(**setting) for setting in settings]


def test_typing_and_buttons_of_the_calculator(browser: Browser) -> None:
    first = "#calculator .layer:first-child"
    assert browser.text(f"{first} .parameters") == "608"
    browser.type(f"{first} [name=filters]", "64")
    assert browser.text(f"{first} .parameters") == "4,864"
    browser.type(f"{first} [name=stride]", "3")
    assert browser.text(f"{first} .said").startswith("height and width 32: (32 + 4 - 5)/3 + 1")
    browser.type(f"{first} [name=stride]", "")
    assert "no number for stride" in browser.text(f"{first} .said")
    browser.type(f"{first} [name=stride]", "1000")
    assert "at most 999" in browser.text(f"{first} .said")
    assert browser.text("#calculator .totals .size") == "–"
    browser.type(f"{first} [name=stride]", "1")
    count = "document.querySelectorAll('#calculator .layer').length"
    browser.click(f"{first} [name=remove]")
    assert browser.run(count) == 2
    for _ in range(MOST_LAYERS):
        browser.click("#calculator [name=add]")
    assert browser.run(count) == MOST_LAYERS
    assert browser.run("document.querySelector('#calculator [name=add]').disabled")
    for _ in range(MOST_LAYERS):
        browser.click(f"{first} [name=remove]")
    assert browser.run(count) == 0
    assert browser.text("#calculator .totals .size") == "32 × 32 × 3"
    browser.run("document.querySelector('[name=example]').selectedIndex = 1")
    changed = "dispatchEvent(new Event('change', {bubbles: true}))"
    browser.run(f"document.querySelector('[name=example]').{changed}")
    assert "2.33 is not an integer" in browser.text(f"{first} .said")
    assert browser.run("document.querySelectorAll('.strip .unseen').length") == 1


# ── the rest ────────────────────────────────────────────────────────────────────────────────────


def test_table_sorts_by_every_column(browser: Browser) -> None:
    column = (
        "[...document.querySelectorAll('.nets tbody tr')].map((r) => r.children[{}].dataset.value)"
    )
    browser.click(".nets thead button", 0)  # it was sorted by year: the first click turns it
    for at in range(7):
        for turn in (1, -1):
            browser.click(".nets thead button", at)
            values = browser.run(column.format(at))
            if at not in (1, 6):
                numbers = [float(value) for value in values]
                assert numbers == sorted(numbers, reverse=turn < 0)
            else:
                assert len(set(values)) > 10
            heads = "[...document.querySelectorAll('.nets thead th')].map((h) => h.ariaSort)"
            sorts = browser.run(heads)
            assert [each for each in sorts if each] == [
                "ascending" if turn > 0 else "descending"
            ] and sorts[at]


def test_tree_shows_forebears_and_descendants(browser: Browser) -> None:
    kin = "[...document.querySelectorAll('.family.kin .title')].map((t) => t.textContent)"
    browser.run("document.querySelector('a[href=\"#net-googlenet\"]').focus()")
    found = set(browser.run(kin))
    assert {"Neocognitron", "LeNet-5", "AlexNet, one tower", "GoogLeNet", "Xception"} <= found
    assert {"EfficientNet", "MobileNet"} <= found and not {"VGG", "ResNet", "ZFNet"} & found
    browser.run("document.activeElement.blur()")
    assert browser.run(kin) == []


def test_kernel_is_shown_closely(browser: Browser) -> None:
    assert browser.text(".closely .name") == "sobel-x"
    browser.click("[data-kernel=gaussian-5]")
    assert browser.text(".closely .name") == "gaussian-5"
    assert browser.run("document.querySelectorAll('.closely .matrix td').length") == 25
    same = "document.querySelector('.closely .after').src === "
    same += "document.querySelector('[data-kernel=gaussian-5] img').src"
    assert browser.run(same)


WIDER = """[...document.querySelectorAll("body *")].filter((e) =>
  !e.closest(".wide, svg") && e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => `${e.tagName}.${e.className}`)"""


def test_page_fits_every_width_by_day_and_by_night(browser: Browser) -> None:
    for scheme, wide in itertools.product(("light", "dark"), (340, 390, 768, 1280)):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.call("Emulation.setEmulatedMedia", features=features)
        browser.size(wide)
        assert browser.run("document.documentElement.scrollWidth") == wide
        assert browser.run(WIDER) == []
        paper = browser.run("getComputedStyle(document.body).backgroundColor")
        assert (int(paper[4:].split(",")[0]) > 128) == (scheme == "light")
    assert browser.run("[...document.images].filter((e) => !e.naturalWidth).length") == 0


def test_printing_shows_maps_whole_and_gives_them_back(browser: Browser) -> None:
    browser.run("dispatchEvent(new Event('beforeprint'))")
    assert "" not in shown(browser, "filter")["map"] + shown(browser, "pool")["map"]
    browser.run("dispatchEvent(new Event('afterprint'))")
    assert shown(browser, "filter")["map"].count("") == 48


def test_without_scripts_all_is_told_but_the_calculator(running: Browser, file: Path) -> None:
    running.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        running.open(file)
        assert shown(running, "filter")["map"][:2] == ["0.77", "-0.11"]
        assert "" not in shown(running, "pool")["map"]
        hidden = "getComputedStyle(document.getElementById('calculator')).display"
        assert running.run(hidden) == "none"
        assert running.run("document.querySelector('.still').offsetHeight") > 0
    finally:
        running.call("Emulation.setScriptExecutionDisabled", value=False)


def test_the_harness_would_notice(running: Browser, file: Path, tmp_path: Path) -> None:
    planted = '<script>document.title = "planted"</script><img src="file:///nowhere.png" alt=""/>'
    planted += '<p style="width: 3000px">wide</p></main>'
    path = tmp_path / "planted.html"
    path.write_text(file.read_text("utf-8").replace("</main>", planted), "utf-8")
    running.said.clear()
    running.open(path)
    running.until("document.images.length > 0")
    assert running.run("document.title") != "planted"
    assert sum("Content Security Policy" in said for said in running.said) == 3
