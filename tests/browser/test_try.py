"""The pages for phones in a real browser: a camera, a store of another origin, and what goes wrong."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, expect

from cloud.public_api.problems import problem
from inference.picture.jpeg import check_jpeg
from inference.picture.limits import STRICT
from tests.browser.conftest import ARGUMENTS
from tests.builders.phone_stage import CSRF, HANDOVER, REQUEST, SESSION, Phone, phone_stage
from tests.builders.photos import twelve_megapixels
from tests.services import require_program

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.service

MOST_BYTES = 150_000
HOSTILE = "<img src=x onerror=\"document.title='owned'\">"
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) if (!one.hadRecentInput) window.shifts.push(one.value);
}).observe({ type: "layout-shift", buffered: true });
"""
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Phone]:
    with phone_stage(tmp_path_factory.mktemp("phone")) as running:
        yield running


@pytest.fixture
def phone(stage: Phone) -> Phone:
    stage.reset()
    return stage


@pytest.fixture(scope="module")
def with_camera(browser: Browser) -> Iterator[Browser]:
    """A browser with a camera, which shows a test picture; each page's person allows it or does not."""
    fake = ["--use-fake-device-for-media-stream"]
    program = str(require_program("chromium"))
    started = browser.browser_type.launch(executable_path=program, args=[*ARGUMENTS, *fake])
    yield started
    started.close()


@pytest.fixture
def open_page(with_camera: Browser, phone: Phone) -> Iterator[Open]:
    """Opens pages on a phone; script errors, breaches of the policy and foreign requests fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def told(message: Any) -> None:
        if "Content Security" in message.text or "Trusted" in message.text:
            complaints.append(message.text)

    def asked(request: Any) -> None:
        if not request.url.startswith((f"{phone.url}/", f"{phone.store_url}/topscoop-intake/")):
            complaints.append(f"asked {request.url}")

    def open_page(
        path: str = "/try", *, login: bool = True, browser: Browser = with_camera, **options: Any
    ) -> Page:
        chosen = {"viewport": {"width": 390, "height": 844}, "locale": "en-GB", "reduced_motion": "reduce"}
        context = browser.new_context(**({"permissions": ["camera"]} | chosen | options))
        contexts.append(context)
        if login:
            context.add_cookies([{"name": SESSION, "value": phone.cookie, "url": phone.url}])
        page = context.new_page()
        page.on("console", told)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", asked)
        page.goto(phone.url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
    assert phone.forged == []


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return twelve_megapixels(tmp_path_factory.mktemp("photos") / "photo.jpg")


@pytest.fixture(scope="module")
def small_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("photos") / "small.png"
    Image.new("RGB", (320, 240), "#c96").save(file)
    return file


def choose(page: Page, file: Path) -> None:
    """Choose a file, up to the question whether it shall be sent."""
    expect(page.locator('#notice [data-do="file"]')).to_be_enabled()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a photo").click()
    chooser.value.set_files(file)
    expect(page.get_by_role("heading", name="Send this picture?")).to_be_focused()


def send(page: Page, file: Path) -> None:
    choose(page, file)
    page.get_by_role("button", name="Send", exact=True).click()


def names(page: Page) -> list[str]:
    expect(page.locator("#result")).to_be_visible()
    return page.locator(".card .name").all_inner_texts()


def test_a_picture_from_the_camera_becomes_three_flavours(open_page: Open, phone: Phone) -> None:
    """Read, take, look, send, see; what was announced is what was put; what was bought is told."""
    page = open_page()
    page.get_by_role("button", name="Take a picture").click()
    expect(page.get_by_role("heading", name="Take a picture")).to_be_focused()
    page.get_by_role("button", name="Other camera").wait_for()
    page.get_by_role("button", name="Take the picture").click()
    expect(page.locator("#size")).to_contain_text("kB of your data plan")
    assert page.evaluate("document.getElementById('live').srcObject") is None, "the camera is off again"
    page.get_by_role("button", name="Send", exact=True).click()
    assert names(page) == ["Pistachio", "Strawberry", "Lemon"]
    assert page.locator(".likely").all_inner_texts() == [
        "Very likely your taste",
        "A good guess",
        "Worth a try",
    ]
    expect(page.locator("#announcement")).to_have_text("For you today: Pistachio, Strawberry, Lemon")
    [picture] = phone.puts
    asked = phone.bodies["POST /v1/uploads"]
    assert asked["sha256"] == hashlib.sha256(picture).hexdigest()
    assert asked["content_length"] == len(picture)
    assert asked["purpose"] == "recommend"
    assert "consent" not in asked
    assert page.locator("#size").text_content() == f"{len(picture) / 1000:.0f} kB of your data plan"
    page.get_by_role("button", name="Strawberry").click()
    expect(page.locator("#bought")).to_have_text("Thank you! We noted: Strawberry.")
    expect(page.get_by_role("button", name="Strawberry")).to_have_attribute("aria-pressed", "true")
    told = phone.bodies[f"POST /v1/recommendations/{REQUEST}/outcome"]
    assert told == {"lines": [{"flavour": "strawberry", "quantity": 1}]}
    page.get_by_label("Another flavour").select_option("Hazelnut")
    expect(page.locator("#bought")).to_have_text("Thank you! We noted: Hazelnut.")


def test_a_photo_of_12_megapixels_costs_150_kb_at_most(open_page: Open, phone: Phone, photo: Path) -> None:
    """All that leaves the phone for it, headers included; upright, without EXIF, and a strict JPEG (T11)."""
    page = open_page()
    choose(page, photo)
    assert phone.puts == [], "nothing leaves before the person says so"
    page.get_by_role("button", name="Send", exact=True).click()
    names(page)
    [picture] = phone.puts
    assert photo.stat().st_size > 3_000_000
    assert len(picture) < phone.sent_bytes <= MOST_BYTES
    assert b"Exif" not in picture
    assert Image.open(io.BytesIO(picture)).size == (480, 640)
    check_jpeg(picture, STRICT)


def test_a_yes_names_the_notice_that_was_read(open_page: Open, phone: Phone, small_photo: Path) -> None:
    """`Only answer me` is chosen beforehand; a yes shows the notice in full and carries its digest."""
    page = open_page()
    choose(page, small_photo)
    expect(page.get_by_label("Only answer me")).to_be_checked()
    expect(page.locator("#agreed")).to_be_hidden()
    page.get_by_label("Also make suggestions better").check()
    shown = page.locator("#agreed .notice-text").text_content() or ""
    assert "this one picture" in shown
    page.get_by_role("button", name="Send", exact=True).click()
    names(page)
    asked = phone.bodies["POST /v1/uploads"]
    assert asked["purpose"] == "recommend_and_improve"
    digest = hashlib.sha256(shown.encode()).hexdigest()
    assert asked["consent"] == {"notice": digest, "language": "en", "agreed": True}


@pytest.mark.parametrize("why", ["not-allowed", "not-there"])
def test_without_a_camera_there_are_the_files(
    open_page: Open, browser: Browser, phone: Phone, small_photo: Path, why: str
) -> None:
    """Who says no to the camera reads how to allow it, who has none does not; both go on with a photo."""
    if why == "not-allowed":
        page = open_page(permissions=[])
        no = {"permission": {"name": "camera"}, "setting": "denied", "origin": phone.url}
        page.context.new_cdp_session(page).send("Browser.setPermission", no)
    else:
        page = open_page(browser=browser)
    page.get_by_role("button", name="Take a picture").click()
    words = {"not-allowed": "The camera is not allowed", "not-there": "There is no camera here"}[why]
    expect(page.get_by_role("heading", name=words)).to_be_focused()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Choose a photo").click()
    chooser.value.set_files(small_photo)
    expect(page.locator("#review")).to_be_visible()


def test_everything_works_from_the_keyboard(open_page: Open) -> None:
    """Tab, arrows, Enter and Space alone, from the notice to what was bought."""
    page = open_page()
    expect(page.get_by_role("button", name="Take a picture")).to_be_enabled()
    keys = page.keyboard

    def tab_to(name: str) -> None:
        for _ in range(12):
            keys.press("Tab")
            if page.evaluate("document.activeElement.ariaLabel ?? document.activeElement.innerText") == name:
                return
        pytest.fail(f"no Tab leads to {name}")

    tab_to("Take a picture")
    keys.press("Enter")
    expect(page.get_by_role("button", name="Take the picture")).to_be_enabled()
    tab_to("Take the picture")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Send this picture?")).to_be_focused()
    keys.press("Tab")
    expect(page.get_by_label("Only answer me")).to_be_focused()
    keys.press("ArrowDown")
    expect(page.get_by_label("Also make suggestions better")).to_be_checked()
    keys.press("Tab")
    expect(page.locator("#agreed")).to_be_focused()
    tab_to("Send")
    keys.press("Enter")
    expect(page.get_by_role("heading", name="For you today")).to_be_focused()
    keys.press("Tab")
    keys.press("Space")
    expect(page.locator("#bought")).to_have_text("Thank you! We noted: Pistachio.")


def test_hostile_names_are_only_text(open_page: Open, phone: Phone, small_photo: Path) -> None:
    """T24: flavours, stores and chains called like markup are shown, not run."""
    phone.names = {one: {"en": HOSTILE} for one in phone.names}
    page = open_page()
    send(page, small_photo)
    assert names(page) == [HOSTILE] * 3
    page.get_by_role("button", name="My suggestions").click()
    expect(page.locator("#past li").first).to_contain_text("onerror")
    phone.handover = {"store": HOSTILE}
    page.goto(f"{phone.url}/c/abc")
    expect(page.locator("#where")).to_contain_text("onerror")
    assert page.locator("main img").count() == 0
    assert page.title() != "owned"


def test_an_url_whose_time_is_over_is_replaced_unasked(
    open_page: Open, phone: Phone, small_photo: Path
) -> None:
    """The store says 403, or `complete` says that it is over: a new URL, the same picture, no question."""
    phone.store_statuses = [403]
    phone.refuse(f"POST /v1/uploads/{REQUEST}/complete", "upload-expired")
    page = open_page()
    send(page, small_photo)
    names(page)
    assert phone.asked.count("POST /v1/uploads") == len(phone.puts) == 3
    assert len(set(phone.puts)) == 1


def test_a_store_that_refuses_is_said_in_words(open_page: Open, phone: Phone, small_photo: Path) -> None:
    """After three URLs the person is asked, and one touch tries it again with the same picture."""
    phone.store_statuses = [403, 403, 500]
    page = open_page()
    send(page, small_photo)
    expect(page.get_by_role("heading", name="The picture could not be sent")).to_be_focused()
    page.get_by_role("button", name="Try again").click()
    assert names(page) == ["Pistachio", "Strawberry", "Lemon"]


def test_too_many_requests_says_when(open_page: Open, phone: Phone, small_photo: Path) -> None:
    """The way on opens when Retry-After is over."""
    phone.refuse("POST /v1/uploads", "too-many-requests", headers={"Retry-After": "2"})
    page = open_page()
    send(page, small_photo)
    expect(page.locator("#trouble-text")).to_have_text("You can go on in 2 seconds.")
    again = page.locator('[data-do="resume"]')
    expect(again).to_be_disabled()
    expect(again).to_be_enabled()
    again.click()
    names(page)


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("bad-picture", "We could not read the picture"),
        ("digest-mismatch", "The picture arrived damaged"),
        ("no-model", "No suggestions yet"),
    ],
)
def test_a_failed_picture_says_why(
    open_page: Open, phone: Phone, small_photo: Path, why: str, words: str
) -> None:
    """Each end without a recommendation has words of its own and a way on."""
    phone.end = ("failed", problem("upload-failed", "x", problem=why).document())
    page = open_page()
    send(page, small_photo)
    expect(page.get_by_role("heading", name=words)).to_be_focused()
    expect(page.locator("#ways .button").first).to_be_enabled()


def test_what_is_sent_offline_goes_when_there_is_a_connection(open_page: Open, small_photo: Path) -> None:
    """Nothing is lost, and nothing has to be touched."""
    page = open_page()
    choose(page, small_photo)
    page.context.set_offline(True)
    page.get_by_role("button", name="Send", exact=True).click()
    expect(page.get_by_role("heading", name="You are offline")).to_be_focused()
    page.context.set_offline(False)
    names(page)


def test_without_the_stream_the_page_asks(open_page: Open, phone: Phone, small_photo: Path) -> None:
    """Long polls bring the same answer."""
    phone.streams = False
    page = open_page()
    send(page, small_photo)
    names(page)
    assert f"GET /v1/recommendations/{REQUEST}" in phone.asked


def test_who_was_logged_out_comes_back(open_page: Open, phone: Phone, small_photo: Path) -> None:
    """The session's end is said, with the way back to this page."""
    phone.refuse("POST /v1/uploads", "not-authenticated")
    page = open_page()
    send(page, small_photo)
    expect(page.get_by_role("heading", name="You were logged out")).to_be_focused()
    link = page.locator("#ways").get_by_role("link", name="Log in")
    expect(link).to_have_attribute("href", "/login?goal=%2Ftry")


def test_the_language_changes_where_it_stands(open_page: Open, phone: Phone, small_photo: Path) -> None:
    """The picture stays, the notice follows, and the next visit knows it."""
    page = open_page()
    choose(page, small_photo)
    page.get_by_label("Language").select_option("de")
    expect(page.get_by_role("heading", name="Dieses Bild senden?")).to_be_visible()
    expect(page.locator("#size")).to_contain_text("von Ihrem Datenvolumen")
    page.get_by_label("Auch Vorschläge verbessern").check()
    expect(page.locator("#agreed .notice-text")).to_contain_text("dieses eine Bild")
    page.get_by_role("button", name="Senden").click()
    assert names(page) == ["Pistazie", "Erdbeere", "Zitrone"]
    assert phone.bodies["POST /v1/uploads"]["consent"]["language"] == "de"
    page.reload()
    expect(page.get_by_role("heading", name="Vor dem Bild")).to_be_visible()


def test_everything_of_mine_can_be_erased(open_page: Open, phone: Phone) -> None:
    """History, pages of it, one entry, and all: the proof stays, and says what is still on its way."""
    phone.erasures = [phone.erasures[0] | {"state": "running", "last_backup_gone": None}]
    page = open_page()
    page.get_by_role("button", name="My suggestions").click()
    expect(page.locator("#past li")).to_have_count(2)
    expect(page.locator("#past li").nth(1)).to_contain_text("Bought: Lemon")
    with page.expect_response(f"**/v1/uploads/{REQUEST}"), page.expect_response("**/v1/recommendations?*"):
        page.get_by_role("button", name="Delete this picture and its answer").first.click()
    expect(page.get_by_role("heading", name="My suggestions")).to_be_focused()
    assert f"DELETE /v1/uploads/{REQUEST}" in phone.asked
    page.get_by_role("button", name="Older ones").click()
    expect(page.locator("#past li")).to_have_count(3)
    expect(page.get_by_role("button", name="Older ones")).to_be_hidden()
    page.get_by_role("button", name="Erase everything of mine").click()
    assert "DELETE /v1/me" not in phone.asked
    page.get_by_role("button", name="Erase everything", exact=True).click()
    expect(page.locator("#proof-id")).to_have_text(phone.erasures[0]["proof"])
    expect(page.locator("#proof-online")).to_contain_text("2026")
    expect(page.locator("#proof-backup")).to_have_text("in a few minutes")
    assert phone.asked.count("DELETE /v1/me") == 1


def test_a_registers_code_asks_one_question(open_page: Open, phone: Phone) -> None:
    """Yes and no weigh the same; a yes can be taken back where it was given."""
    phone.refuse("GET /v1/handovers/some-code", "not-ready", headers={"Retry-After": "1"})
    page = open_page("/c/some-code")
    expect(page.get_by_role("heading", name="May we keep the picture?")).to_be_visible()
    expect(page.locator("#where")).to_have_text("Marktplatz 3, Gelateria Sole")
    answers = [page.get_by_role("button", name=name) for name in ("Yes, you may", "No, thank you")]
    looks = "e => { const s = getComputedStyle(e); return s.color + s.backgroundColor + s.font }"
    boxes = [one.bounding_box() for one in answers]
    assert boxes[0] is not None
    assert boxes[1] is not None
    assert (boxes[0]["width"], boxes[0]["height"]) == (boxes[1]["width"], boxes[1]["height"])
    assert answers[0].evaluate(looks) == answers[1].evaluate(looks)
    assert "POST /v1/handovers/some-code" not in phone.asked
    answers[0].click()
    expect(page.get_by_role("heading", name="Thank you!")).to_be_focused()
    shown = page.locator("#question .notice-text").text_content() or ""
    assert phone.bodies["POST /v1/handovers/some-code"] == {
        "granted": True,
        "purposes": ["training"],
        "language": "en",
        "notice_sha256": hashlib.sha256(shown.encode()).hexdigest(),
    }
    page.get_by_role("button", name="Take my yes back").click()
    expect(page.get_by_role("heading", name="Taken back")).to_be_focused()
    assert f"DELETE /v1/handovers/{HANDOVER['handover_id']}" in phone.asked
    for slug in ("handover-over", "not-found"):
        phone.refuse("GET /v1/handovers/some-code", slug)
        page.reload()
        expect(page.get_by_role("heading", name="This code is over")).to_be_focused()


def checked(page: Page, rules: dict[str, Any]) -> None:
    """Readable by everybody, as it is now: axe, width, and what is to be touched."""
    what = f"{page.url} {page.locator('main > section:visible').get_attribute('id')}"
    found = Axe().run(page, options={"resultTypes": ["violations"]} | rules).response["violations"]
    assert [(one["id"], [node["html"][:200] for node in one["nodes"]]) for one in found] == [], what
    width = page.viewport_size["width"] if page.viewport_size else 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width, what
    small = page.evaluate(
        "[...document.querySelectorAll('button, select, summary, main a, label.choice, input:not([type])')]"
        ".filter(e => e.checkVisibility() && !e.classList.contains('skip'))"
        ".map(e => [e.outerHTML.slice(0, 80), e.getBoundingClientRect()])"
        ".filter(([, box]) => Math.min(box.width, box.height) < 44).map(([html]) => html)"
    )
    assert small == [], what


@pytest.mark.parametrize("look", ["light-en-390", "dark-de-1280"])
def test_everybody_can_use_every_page(open_page: Open, phone: Phone, small_photo: Path, look: str) -> None:
    """Without findings of axe; nothing sticks out or jumps, and what is to be touched has 44 pixels."""
    scheme, language, width = look.split("-")
    # What colours, words and width can change; all else is looked at once.
    only = {"runOnly": ["color-contrast", "scrollable-region-focusable"]}
    rules: dict[str, Any] = {} if scheme == "light" else only
    size = {"width": int(width), "height": 844 if width == "390" else 800}
    page = open_page(
        "/login", login=False, color_scheme=scheme, viewport=size, locale=language, bypass_csp=True
    )
    page.add_init_script(SHIFTS)
    shells = (
        "/login",
        "/try",
        "/c/abc",
        "/paper/type-wrong",
        "/paper/confirm",
        "/paper/done",
        "/paper/failure-missing",
    )
    for path in shells:
        page.goto(phone.url + path)
        page.locator("h1:visible").wait_for()
        checked(page, rules)
        # Of loading; what a touch moves may move.
        assert page.evaluate("window.shifts") == [], path
    page.context.add_cookies([{"name": SESSION, "value": phone.cookie, "url": phone.url}])
    page.goto(f"{phone.url}/try")
    page.locator('#notice [data-do="camera"]:enabled').wait_for()
    # Cumulative layout shift; up to 0.1 counts as good, ours stays far below on the slowest machine.
    assert sum(page.evaluate("window.shifts")) < 0.02
    page.locator("#notice summary").click()
    checked(page, rules)
    page.locator('#notice [data-do="camera"]').click()
    page.locator("#shutter:enabled").wait_for()
    checked(page, rules)
    page.locator("#shutter").click()
    page.locator("#improve").click()
    checked(page, rules)
    page.locator("#choice [type=submit]").click()
    page.locator(".card").nth(1).click()
    expect(page.locator('.card[aria-pressed="true"]')).to_have_count(1)
    checked(page, rules)
    page.locator('#mine [data-do="history"]').click()
    page.locator("#past li").first.wait_for()
    checked(page, rules)
    page.locator('[data-do="ask-erase"]').click()
    checked(page, rules)
    page.locator('[data-do="erase"]').click()
    expect(page.locator("#proof-online")).to_contain_text("2026")
    checked(page, rules)
    phone.refuse("GET /v1/me", "internal")
    page.goto(f"{phone.url}/try")
    page.locator("#trouble").wait_for()
    checked(page, rules)
    page.goto(f"{phone.url}/c/abc")
    page.locator("#question").wait_for()
    checked(page, rules)
    page.locator('[data-do="yes"]').click()
    page.locator("#thanks").wait_for()
    checked(page, rules)


def test_the_session_s_token_is_no_secret_of_the_page(open_page: Open, phone: Phone) -> None:
    """Every changing request carries it; nothing else than memory keeps it."""
    page = open_page()
    expect(page.get_by_role("button", name="Take a picture")).to_be_enabled()
    kept = json.dumps(page.evaluate("[Object.entries(localStorage), Object.entries(sessionStorage)]"))
    assert CSRF not in kept
