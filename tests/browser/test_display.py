"""The customer's display in a real browser, fed by a real agent."""

import json
import re
import sqlite3
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Shop
from tests.builders.agent_process import TOKEN, running_agent, write_config
from tests.builders.scripted_cloud import PaperCloud
from tests.builders.tiny_model import build_model_dir

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


def connected(page: Page) -> Page:
    """Wait until the page listens and knows the menu."""
    expect(page.locator("#idle .cone").first).to_have_attribute("style", re.compile("--flavour"))
    return page


def cards(page: Page) -> list[str]:
    """Names on the cards, best first."""
    expect(page.locator("#offer")).to_be_visible()
    return page.locator(".card .name").all_inner_texts()


def displayed_ids(shop: Shop) -> set[str]:
    """What the journal says was on a display."""
    journal = sqlite3.connect(f"file:{shop.agent.data_dir / 'journal.db'}?mode=ro", uri=True)
    try:
        return {row[0] for row in journal.execute("SELECT interaction_id FROM displayed")}
    finally:
        journal.close()


def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something that nobody announces."""
    deadline = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def test_a_customer_sees_three_flavours_and_then_thanks(shop: Shop) -> None:
    """From the resting screen to the slate, to thanks."""
    page = connected(shop.open_page())
    expect(page.get_by_role("heading", name="Welcome!")).to_be_visible()
    interaction = shop.recommend()
    assert cards(page) == [offer["name"] for offer in interaction["top3"]]
    expect(page.get_by_role("heading", level=1)).to_have_text(
        "For you today" if interaction["source"] == "model" else "Our best-sellers"
    )
    assert page.locator(".position").all_inner_texts() == ["1", "2", "3"]
    shop.sell(interaction)
    expect(page.get_by_role("heading", name="Enjoy your ice cream!")).to_be_visible()


def test_a_slate_that_was_painted_is_confirmed(shop: Shop) -> None:
    """The journal learns that it was on the display."""
    connected(shop.open_page())
    interaction = shop.recommend()
    eventually(lambda: interaction["interaction_id"] in displayed_ids(shop))


def test_a_hidden_page_confirms_nothing(shop: Shop) -> None:
    """A display that nobody can see has displayed nothing, until it comes to the front."""
    page = shop.open_page()
    page.add_init_script(
        "window.shown = 'hidden';"
        "Object.defineProperty(document, 'visibilityState', {get: () => window.shown});"
    )
    page.reload()
    connected(page)
    interaction = shop.recommend()
    cards(page)
    page.wait_for_timeout(700)
    assert displayed_ids(shop) == set()
    page.evaluate("window.shown = 'visible'; document.dispatchEvent(new Event('visibilitychange'))")
    eventually(lambda: displayed_ids(shop) == {interaction["interaction_id"]})


def test_best_sellers_are_called_so(shop: Shop) -> None:
    """A slate without the model never claims to be personal."""
    page = connected(shop.open_page())
    for _ in range(200):
        if shop.recommend()["source"] == "bestsellers":  # the golden frame with nobody on it comes round
            break
        time.sleep(0.1)
    else:
        pytest.fail("no frame without a person came")
    expect(page.get_by_role("heading", level=1)).to_have_text("Our best-sellers")


def test_the_customer_chooses_the_language(shop: Shop) -> None:
    """Every word changes, names too; the next customer finds the shop's own again."""
    page = connected(shop.open_page(locale="de-DE"))
    expect(page.get_by_role("heading", name="Herzlich willkommen!")).to_be_visible()
    interaction = shop.recommend()
    cards(page)
    page.get_by_role("radio", name="Italiano").click()
    menu = shop.till.get("/v1/menu").json()
    names = {flavour["id"]: flavour["names"]["it"] for flavour in menu["flavours"]}
    assert cards(page) == [names[offer["flavour"]] for offer in interaction["top3"]]
    assert page.locator("html").get_attribute("lang") == "it"
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Herzlich willkommen!")).to_be_visible()


def test_a_slate_survives_neither_sale_nor_expiry_of_its_interaction(shop: Shop) -> None:
    """The next recommendation replaces it at once."""
    page = connected(shop.open_page())
    first, second = shop.recommend(), shop.recommend()
    expect(page.locator(".card .name").first).to_have_text(second["top3"][0]["name"])
    shop.sell(first)
    page.wait_for_timeout(300)
    expect(page.locator("#offer")).to_be_visible()


def test_everything_works_from_the_keyboard(shop: Shop) -> None:
    """Tab into the groups, arrows within, Enter chooses, Escape puts everything back."""
    page = connected(shop.open_page())
    shop.recommend()
    cards(page)
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the flavours")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("radio", name="English")).to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="Deutsch")).to_be_focused()
    expect(page.get_by_role("radio", name="Deutsch")).to_be_checked()
    page.keyboard.press("Tab")
    expect(page.locator("#contrast")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.locator("html").get_attribute("data-contrast") == "high"
    page.keyboard.press("Tab")
    expect(page.locator(".card").first).to_be_focused()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(page.locator(".card").nth(1)).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Escape")
    expect(page.locator("#idle")).to_be_visible()
    assert page.locator("html").get_attribute("data-contrast") == "normal"


def test_a_screen_reader_hears_the_slate(shop: Shop) -> None:
    """One polite announcement, landmarks, and names on everything that can be pressed."""
    page = connected(shop.open_page())
    interaction = shop.recommend()
    cards(page)
    expect(page.locator("#announcement")).to_have_attribute("aria-live", "polite")
    for offer in interaction["top3"]:
        expect(page.locator("#announcement")).to_contain_text(offer["name"])
    for landmark in ("banner", "main", "contentinfo", "navigation"):
        expect(page.get_by_role(landmark)).to_have_count(1)
    first = interaction["top3"][0]["name"]
    expect(page.get_by_role("button", name=re.compile(rf"1\. {first}"))).to_be_visible()
    nameless = page.eval_on_selector_all(
        "button, img",
        "all => all.filter(e => e.alt === undefined && !e.ariaLabel && !e.textContent.trim()).length",
    )
    assert nameless == 0


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (1024, 600), (768, 1024), (390, 844), (360, 640)])
def test_it_fits_every_screen(shop: Shop, width: int, height: int) -> None:
    """Nothing is cut off sideways, everything to be touched is 44 px or more, nothing overlaps."""
    page = connected(shop.open_page(viewport={"width": width, "height": height}))
    shop.recommend()
    cards(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    boxes = [button.bounding_box() for button in page.locator("button:visible").all()]
    assert len(boxes) == 7
    for box in boxes:
        assert box is not None
        assert min(box["width"], box["height"]) >= 44
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width + 1
    for one, other in pairwise(boxes):
        assert one is not None
        assert other is not None
        apart = one["x"] + one["width"] <= other["x"] + 1 or one["y"] + one["height"] <= other["y"] + 1
        assert apart, f"{one} lies over {other}"
    if (width, height) in {(1280, 800), (390, 844)}:
        assert page.evaluate("document.documentElement.scrollHeight") <= height, (
            "these show it without scrolling"
        )


def _luminance(colour: str) -> float:
    channels = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("high", [False, True])
def test_text_is_readable(shop: Shop, scheme: str, high: bool) -> None:  # noqa: FBT001 - a table of two switches
    """WCAG contrast of 4.5 everywhere, 7 with high contrast, in both colour schemes."""
    page = connected(shop.open_page(f"/display?contrast={'high' if high else ''}", color_scheme=scheme))
    shop.recommend()
    cards(page)
    ground = page.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--card')")
    probe = (
        "ground => { const e = document.createElement('i'); e.style.color = ground; document.body.append(e);"
        " const c = getComputedStyle(e).color; e.remove(); return c }"
    )
    behind = _luminance(page.evaluate(probe, ground))
    for selector in (".card .name", "#offer-text", ".privacy", "#offer-title"):
        text = _luminance(page.eval_on_selector(selector, "e => getComputedStyle(e).color"))
        contrast = (max(text, behind) + 0.05) / (min(text, behind) + 0.05)
        assert contrast >= (7 if high else 4.5), selector


def test_nothing_moves_for_who_wants_no_motion(shop: Shop) -> None:
    """And something does for the others."""
    for motion, expected in (("reduce", "none"), ("no-preference", "arrive")):
        page = connected(shop.open_page(reduced_motion=motion))
        shop.recommend()
        cards(page)
        name = page.eval_on_selector("#cards li", "e => getComputedStyle(e).animationName")
        assert name == expected


def test_a_hostile_name_is_only_text(shop: Shop, tmp_path: Path) -> None:
    """Markup in a menu that others wrote is shown, not run, and so are odd colours."""
    model_dir = build_model_dir(tmp_path / "hostile", version="2027.1.1")
    manifest = json.loads((model_dir / "manifest.json").read_text("utf-8"))
    for flavour in manifest["flavours"]:
        flavour["names"] = {"en": HOSTILE}
    (model_dir / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    page = connected(shop.open_page())
    answer = shop.till.put("/v1/model", json={"model_dir": str(model_dir)})
    assert answer.status_code == 200, answer.text
    shop.recommend()
    eventually(lambda: cards(page) == [HOSTILE] * 3)
    assert page.locator("#cards img").count() == 0
    assert page.title() == "Topscoop"


def test_losing_the_agent_is_said_in_words_and_healed(shop: Shop) -> None:
    """The page stays and says so; when the agent is back it goes on without anybody touching it."""
    page = connected(shop.open_page())
    expect(page.locator("#connection")).to_be_hidden()
    port = shop.agent.url.rsplit(":", 1)[1]
    shop.agent.stop()
    expect(page.locator("#connection")).to_have_text("No connection to the till. We keep trying …")
    expect(page.locator("#connection")).to_be_visible()
    with running_agent(shop.config, TOPSCOOP_EDGE_API_PORT=port) as agent, agent.client() as till:
        expect(page.locator("#connection")).to_be_hidden(timeout=30_000)
        till.post("/v1/interactions")
        expect(page.locator(".card")).to_have_count(3)


def test_sold_out_sends_the_customer_to_the_staff(shop: Shop) -> None:
    """An empty slate is no empty page."""
    page = connected(shop.open_page())
    assert shop.till.put("/v1/menu", json={"in_stock": []}).status_code == 200
    shop.recommend()
    expect(page.get_by_role("heading", name="Just ask us")).to_be_visible()
    expect(page.locator(".card")).to_have_count(0)


def test_the_api_documentation_renders(shop: Shop) -> None:
    """Our own page, our own script, every operation."""
    page = shop.open_page("/docs")
    expect(page.locator("summary")).to_have_count(11)
    page.get_by_text("/v1/interactions", exact=True).click()
    expect(page.get_by_text("interaction_id").first).to_be_visible()


def test_the_customer_is_asked_and_both_answers_weigh_the_same(browser: Browser, tmp_path: Path) -> None:
    """A yes shows its code, a no takes the question away, the language changes the notice."""
    PaperCloud().enrol(tmp_path / "data", port=1)
    more = f'[api]\npairing_tokens = ["{TOKEN}"]\n[uplink]\nenabled = true\n'
    config = write_config(tmp_path, model_dir=build_model_dir(tmp_path / "model"), more=more)
    with (
        running_agent(config) as agent,
        agent.client() as till,
        browser.new_context(locale="en-GB") as context,
    ):
        page = context.new_page()
        page.goto(f"{agent.url}/display")
        connected(page)
        question = page.locator("#consent")

        def customer() -> str:
            answer = till.post("/v1/interactions").raise_for_status().json()
            expect(question).to_be_visible()
            return str(answer["interaction_id"])

        customer()
        buttons = [question.get_by_role("button", name=name) for name in ("Yes, you may", "No, thank you")]
        boxes = [button.bounding_box() for button in buttons]
        assert boxes[0] is not None
        assert boxes[1] is not None
        assert boxes[0]["width"] == boxes[1]["width"]
        assert boxes[0]["height"] == boxes[1]["height"] >= 44
        looks = [
            button.evaluate(
                "e => { const s = getComputedStyle(e); return s.color + s.backgroundColor + s.font }"
            )
            for button in buttons
        ]
        assert looks[0] == looks[1]
        page.locator('[data-language="de"]').click()
        expect(question).to_contain_text("Dürfen wir das Bild behalten")
        question.get_by_role("button", name="Nein, danke").click()
        expect(question).to_be_hidden()
        page.keyboard.press("Escape")
        interaction = customer()
        question.get_by_role("button", name="Yes, you may").click()
        expect(page.locator("#consent-code")).to_have_text(re.compile(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){3}"))
        slip = till.get(f"/v1/interactions/{interaction}/consent").raise_for_status().json()
        expect(page.locator("#consent-code")).to_contain_text(slip["withdrawal_code"])
