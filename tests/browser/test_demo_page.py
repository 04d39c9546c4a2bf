"""The demo page in a real browser, with paper agents behind it."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from simulator.bank import CharacterBank
from simulator.demo.backend.arrivals import Arrival
from simulator.demo.backend.story import Erasure, Story
from simulator.demo.phones.story import Handovers, UploadCounts
from tests.builders.demo_page import DemoPage, running_demo_page
from wire_protocol.topics import Up

pytestmark = [pytest.mark.service, pytest.mark.timeout(300)]
_PATIENCE_MS = 90_000
"""Far beyond what an idle machine needs: six shops and a browser without GPU share two cores."""
_DRAWN = """canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  return new Set(pixels).size > 20;
}"""


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> CharacterBank:
    return CharacterBank.open(
        8, 5, folder=tmp_path_factory.mktemp("bank"), progress=lambda _done, _total: None
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory, bank: CharacterBank) -> Iterator[DemoPage]:
    """Shops for all tests that only look."""
    with running_demo_page(tmp_path_factory.mktemp("shared"), bank) as page:
        yield page


@pytest.fixture
def own_demo(tmp_path: Path, bank: CharacterBank) -> Iterator[DemoPage]:
    """Shops for one test that changes them."""
    with running_demo_page(tmp_path, bank) as page:
        yield page


@pytest.fixture
def cloud_demo(tmp_path: Path, bank: CharacterBank) -> Iterator[DemoPage]:
    """Shops with a cloud, whose story the test tells."""
    with running_demo_page(tmp_path, bank, cloud=True) as page:
        yield page


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Open]:
    """Opens pages; console errors, failures and breaches of the CSP on any of them fail the test."""
    contexts, complaints = [], []

    def open_page(demo: DemoPage, **options: Any) -> Page:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 800}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda told: complaints.append(told.text) if told.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.set_default_timeout(_PATIENCE_MS)
        page.goto(demo.url)
        page.locator(".register").first.wait_for()
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def _until(page: Page, expression: str) -> None:
    """Wait until an expression holds. The page's CSP forbids the eval that `wait_for_function` needs."""
    for _ in range(_PATIENCE_MS // 100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    pytest.fail(f"never became true: {expression}")


def _told(page: Page) -> None:
    """Wait until a register shows what was bought."""
    page.locator(".bought svg").first.wait_for()


def test_six_registers_show_pictures_flavours_and_purchases(open_page: Open, demo: DemoPage) -> None:
    page = open_page(demo)
    assert page.locator(".register").count() == 6
    assert page.locator(".chain h2").all_inner_texts() == [
        "Gelateria Sole 16 flavours",
        "Polar Scoop 12 flavours",
    ]
    _told(page)
    _until(page, f"[...document.querySelectorAll('canvas')].every({_DRAWN})")
    _until(page, "document.querySelectorAll('.share:not(:empty)').length >= 9")
    text = page.locator(".bought").all_inner_texts()
    assert any(words.endswith(("as offered", "instead")) for words in text)


def test_running_hits_stand_beside_best_sellers_and_the_best_possible(
    open_page: Open, demo: DemoPage
) -> None:
    page = open_page(demo)
    _until(page, "document.querySelector('.hits .model td').textContent.endsWith('%')")
    rows = page.locator(".hits").first.locator("th").all_inner_texts()
    assert rows == ["Model", "Best-sellers", "Best possible", "Sold"]
    shown = {
        key: float(page.locator(f".hits .{key} td").first.inner_text().removesuffix(" %"))
        for key in ("model", "bestsellers", "bayes")
    }
    assert shown["bayes"] >= max(shown["model"], shown["bestsellers"])
    _until(page, "document.querySelector('polyline.model').points.length >= 2")


def test_the_chart_has_its_numbers_as_a_table(open_page: Open, demo: DemoPage) -> None:
    page = open_page(demo)
    _until(page, "document.querySelector('polyline.model').points.length >= 2")
    page.locator("summary").first.press("Enter")
    heads = page.locator("details").first.locator("thead th").all_inner_texts()
    assert heads == ["Time", "Model", "Best-sellers", "Best possible"]
    assert page.locator("details").first.locator("tbody tr").count() >= 2


@pytest.mark.parametrize("width", [390, 320, 768, 1280])
def test_nothing_sticks_out_sideways(open_page: Open, demo: DemoPage, width: int) -> None:
    page = open_page(demo, viewport={"width": width, "height": 844})
    _told(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_pause_stops_pictures_and_numbers_and_resumes_them(open_page: Open, demo: DemoPage) -> None:
    page = open_page(demo)
    _told(page)
    button = page.get_by_role("button", name="Pause")
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "true"
    assert page.locator("#connection").inner_text() == "paused"
    before = page.locator("#customers").inner_text()
    served = demo.live.interactions
    while demo.live.interactions < served + 6:
        page.wait_for_timeout(100)
    assert page.locator("#customers").inner_text() == before
    button.press("Enter")
    _until(page, f"document.querySelector('#customers').textContent !== '{before}'")


def test_an_agent_that_ended_is_told_aloud_and_in_words(open_page: Open, own_demo: DemoPage) -> None:
    page = open_page(own_demo)
    own_demo.close_register("polar-scoop/elm-park")
    banner = page.get_by_role("alert")
    banner.wait_for()
    assert "Elm Park" in banner.inner_text()
    page.locator("#register-polar-scoop-elm-park .problem").wait_for()


def test_the_end_of_the_demo_is_told(open_page: Open, own_demo: DemoPage) -> None:
    page = open_page(own_demo)
    page.locator("#connection[data-state=live]").wait_for()
    own_demo.end()
    banner = page.get_by_role("alert")
    banner.wait_for()
    assert "has ended" in banner.inner_text()
    assert page.get_by_role("button", name="Pause").is_disabled()


def test_everything_is_reached_by_keyboard_in_reading_order(open_page: Open, demo: DemoPage) -> None:
    page = open_page(demo)
    reached = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent.trim()"))
    assert reached[0] == "Skip to the shops"
    assert reached[1] == "Pause"
    assert sum("Display" in text for text in reached) == 6
    assert sum("Numbers of the chart" in text for text in reached) == 2


def test_links_lead_to_the_displays_in_a_new_tab(open_page: Open, demo: DemoPage) -> None:
    page = open_page(demo)
    link = page.locator(".register a").first
    assert link.get_attribute("href") == "http://127.0.0.1:9/display"
    assert (link.get_attribute("target"), link.get_attribute("rel")) == ("_blank", "noopener")
    assert "Display of Lido" in link.text_content()


def test_reduced_motion_shows_a_still_now_and_then(open_page: Open, demo: DemoPage) -> None:
    """No more than one picture in two seconds per register, and nothing slides."""
    page = open_page(demo, reduced_motion="reduce")
    _told(page)
    drawn, elapsed_ms = page.evaluate(
        """async () => {
          let drawn = 0;
          const begin = performance.now();
          const draw = CanvasRenderingContext2D.prototype.drawImage;
          CanvasRenderingContext2D.prototype.drawImage = function (...rest) {
            drawn += 1;
            return draw.apply(this, rest);
          };
          await new Promise((resolve) => setTimeout(resolve, 3000));
          return [drawn, performance.now() - begin];
        }"""
    )
    assert 0 < drawn <= 6 * (elapsed_ms // 2000 + 1)
    assert page.evaluate("getComputedStyle(document.querySelector('.bar i')).transitionDuration") == "0s"


def test_dark_mode_is_dark_and_readable(open_page: Open, demo: DemoPage) -> None:
    page = open_page(demo, color_scheme="dark")
    colours = page.evaluate(
        """() => {
          const card = getComputedStyle(document.querySelector(".register"));
          const parts = (colour) => colour.match(/\\d+/g).slice(0, 3).map(Number);
          return [parts(card.backgroundColor), parts(card.color)];
        }"""
    )
    ground, ink = (sum(colour) / 3 for colour in colours)
    assert ground < 60
    assert ink > 200


def test_what_reaches_the_cloud_is_told_as_it_happens(open_page: Open, cloud_demo: DemoPage) -> None:
    """Frames are listed without their pictures; a refusal has its reason; steps are said aloud."""
    page = open_page(cloud_demo)
    panel = page.locator("section.cloud")
    panel.wait_for()
    stored = Arrival("polar-scoop/elm-park-1", Up.FRAME, "stored", "aa", 31_400, 12, "")
    cloud_demo.tell(lambda story: story.arrived(stored))
    panel.locator(".arrivals li").first.wait_for()
    assert panel.locator(".arrivals li").first.inner_text().split() == ["Elm", "Park", "frame,", "31", "kB"]
    assert panel.locator("img, canvas").count() == 0
    cloud_demo.tell(lambda story: story.forged("f0"))
    refused = Arrival("polar-scoop/elm-park-1", Up.FRAME, "refused", "f0", 30_000, 2, "bad-signature")
    cloud_demo.tell(lambda story: story.arrived(refused))
    panel.locator(".arrivals li.bad").wait_for()
    assert "bad-signature" in panel.locator(".arrivals li.bad").inner_text()
    panel.locator(".tales li.done").wait_for()
    _until(
        page, "document.querySelector('.cloud [aria-live]').textContent.includes('A forged frame: Refused')"
    )
    assert panel.locator(".arrivals").get_attribute("aria-live") is None
    cloud_demo.tell(
        lambda story: story.tell(
            erasure=Erasure.ERASED, erasure_at="polar-scoop/elm-park", versions_deleted=1
        )
    )
    _until(page, "document.querySelectorAll('.tales li.done').length === 2")
    assert "1 version deleted" in panel.locator(".tales li.done").last.inner_text()


def _status(state: str, members: dict[str, str], *gates: tuple[str, str, str]) -> dict[str, Any]:
    """A rollout in its first stage, as `topscoop rollout status --json` prints it."""
    counts = {state: list(members.values()).count(state) for state in members.values()}
    return {
        "rollout": "ab" * 16,
        "state": state,
        "stage": 0,
        "started_at_ms": 0,
        "ended_at_ms": 9000,
        "stages": [
            {"name": name, "registers": 1, "counts": counts} for name in ("first till", "half", "all")
        ],
        "gates": [dict(zip(("kind", "outcome", "words"), gate, strict=True)) for gate in gates],
        "waiting": ["1 register has no outcome yet", "waiting for 8 more answers"],
        "members": [{"register": register, "state": at} for register, at in members.items()],
    }


def test_a_release_that_is_stopped_is_told_with_its_gate_and_who_never_ran_it(
    open_page: Open, cloud_demo: DemoPage
) -> None:
    page = open_page(cloud_demo)
    strip = page.locator("section.releases")
    worse = strip.locator(".passages > li").last
    assert "its report flatters" in worse.inner_text()
    assert strip.get_by_role("link").get_attribute("href") == "http://localhost:9"
    members = {"lido-1": "told", "giardino-1": "waiting", "centrale-1": "waiting"}

    def runs(story: Story) -> None:
        assert story.releases is not None
        story.releases.running("lido-1", "2026.11.22+demo.3")
        story.releases.worse.saw(_status("running", members, ("labels", "not-enough", "waiting")))

    cloud_demo.tell(runs)
    worse.get_by_text("waiting for 8 more answers").wait_for()
    assert strip.locator("dd").all_inner_texts() == ["release 3", "release 1", "release 1"]

    def stopped(story: Story) -> None:
        assert story.releases is not None
        gates = (("errors", "pass", "no answer failed"), ("labels", "fail", "labels drift 3.92 of 2.1"))
        story.releases.worse.saw(_status("returned", members | {"lido-1": "returned"}, *gates))

    cloud_demo.tell(stopped)
    worse.get_by_text("Lido is back on release 2; Centrale and Giardino never ran it.").wait_for()
    assert "labels drift 3.92 of 2.1" in worse.inner_text()
    assert worse.locator(".gates li").all_inner_texts() == ["✓ errors", "✗ flavours"]
    assert worse.locator("[data-state=stopped]").inner_text().split("\n") == ["first till", "1 back"]
    _until(page, "document.querySelector('.releases [aria-live]').textContent.includes('Release 3: stopped')")


def test_uploads_and_scanned_codes_are_counted_and_the_pages_for_phones_open_once_they_are_there(
    open_page: Open, cloud_demo: DemoPage
) -> None:
    page = open_page(cloud_demo)
    strip = page.locator("section.phones")
    links = strip.get_by_role("link")
    assert [link.get_attribute("href") for link in links.all()] == [
        "http://gelateria-sole.localhost:9/try",
        "http://polar-scoop.localhost:9/try",
    ]
    assert strip.locator("a[data-ready]").count() == 0
    assert strip.locator("dd").all_inner_texts() == ["0"] * 5 + ["\N{EN DASH}", "0 / 0"]

    def goes_on(story: Story) -> None:
        assert story.phones is not None
        story.phones.ready, story.phones.uploads = True, UploadCounts(arrived=9, answered=7, failed=1, kept=3)
        story.phones.handovers = Handovers(scanned=4, yes=3, kept=2)
        story.phones.answer.add(41.5)
        story.phones.record({"event": "person.erased", "uploads": 2, "consents": 1})

    cloud_demo.tell(goes_on)
    strip.locator("a[data-ready]").first.wait_for()
    assert strip.locator("dd").all_inner_texts() == ["9", "7", "1", "3", "2", "41.5 / 41.5 ms", "4 / 2"]


def test_a_register_is_unplugged_and_plugged_in_by_keyboard(open_page: Open, cloud_demo: DemoPage) -> None:
    page = open_page(cloud_demo)
    button = page.get_by_role("button", name="Unplug Elm Park")
    button.press("Enter")
    plug_in = page.get_by_role("button", name="Plug in Elm Park")
    plug_in.wait_for()
    assert cloud_demo.story is not None
    assert not cloud_demo.story.lines["polar-scoop/elm-park"].plugged
    plug_in.press("Enter")
    page.get_by_role("button", name="Unplug Elm Park").wait_for()
    assert cloud_demo.story.lines["polar-scoop/elm-park"].plugged


def test_answers_of_customers_are_counted_on_the_cards(open_page: Open, cloud_demo: DemoPage) -> None:
    page = open_page(cloud_demo)
    _until(
        page,
        "[...document.querySelectorAll('.answers')].some((one) => /[1-9] (yes|no)/.test(one.textContent))",
    )


@pytest.mark.parametrize("width", [390, 320, 800, 1280])
def test_with_a_cloud_nothing_sticks_out_sideways_either(
    open_page: Open, cloud_demo: DemoPage, width: int
) -> None:
    page = open_page(cloud_demo, viewport={"width": width, "height": 844})
    _told(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_without_a_cloud_there_is_no_panel_and_no_button(open_page: Open, demo: DemoPage) -> None:
    page = open_page(demo)
    assert page.locator("section.cloud, section.releases, .line-up").count() == 0
