"""The console in a real browser: what hostile pages and names can do, and what everybody can reach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect
from sqlalchemy import insert, update

from cloud.database.schema import register_health, rollout_members, rollouts, tenants
from cloud.principal import Role
from tests.builders.console_stage import NOW_MS, TENANT, ConsoleStage, build_stage, serving
from tests.builders.fleet_rows import add_fleet, add_releases

pytestmark = pytest.mark.service

SCRIPT = "<script>document.title='owned'</script>"
IMAGE = "<img src=x onerror=\"document.title='owned'\">"
BIDI = "\u202egnp.exe\u202c\u2066"
LONG = "Straciatella" * 60
_SERIOUS = {"serious", "critical"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> ConsoleStage:
    """A chain whose every name is hostile."""
    made = build_stage(tmp_path_factory.mktemp("console"))
    add_releases(made.desk.database, TENANT, NOW_MS, 6, 7, 8, withdrawn=6, flavour=SCRIPT)
    add_fleet(made.desk.database, TENANT, NOW_MS, 60)
    key = {"tenant": TENANT, "rollout": bytes(16)}
    with made.desk.database.tenant(TENANT) as connection:
        connection.execute(
            insert(rollouts).values(
                **key,
                revision=1,
                release=8,
                previous=7,
                state="returned",
                stage=0,
                plan={"format": "topscoop.plan/1"},
                baseline={},
                created_by=BIDI,
                created_at_ms=NOW_MS - 9,
                reason=LONG[:500],
            )
        )
        connection.execute(
            insert(rollout_members).values(
                **key,
                register="till-00002",
                stage=0,
                state="failed",
                changed_at_ms=NOW_MS - 7,
                reason=IMAGE,
            )
        )
        connection.execute(update(tenants).values(name=f"Sole {IMAGE}"))
    return made


@pytest.fixture(scope="module")
def url(stage: ConsoleStage) -> Iterator[str]:
    with serving(stage) as address:
        yield address


Open = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser, stage: ConsoleStage, url: str) -> Iterator[Open]:
    """Opens pages as somebody; script errors and breaches of the policy fail the test."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def told(message: Any) -> None:
        if message.type == "error" and "404" not in message.text:
            complaints.append(message.text)

    def open_page(path: str, role: Role = Role.OPERATOR, *, complain: bool = True, **options: Any) -> Page:
        chosen = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB", "reduced_motion": "reduce"}
        context = browser.new_context(**(chosen | options))
        contexts.append(context)
        context.add_cookies(
            [{"name": stage.desk.cookies.session, "value": stage.cookie(role), "url": url, "sameSite": "Lax"}]
        )
        page = context.new_page()
        if complain:
            page.on("console", told)
            page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(url + path)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


PAGES = (
    "/fleet?q=0001",
    "/fleet?q=nothing-like-that",
    "/fleet/till-00002",
    "/releases",
    "/releases/8",
    "/chains",
    "/no-page",
)


@pytest.mark.parametrize("look", ["light-wide", "dark-narrow"])
def test_everybody_can_read_every_page(open_page: Open, url: str, look: str) -> None:
    """No serious finding of axe, in light and dark, at a desk and on a phone; nothing sticks out sideways."""
    scheme, width = look.split("-")
    size = {"width": 1280, "height": 800} if width == "wide" else {"width": 390, "height": 844}
    # What colours and width can change; all else is looked at once.
    only = {"runOnly": ["color-contrast", "target-size", "scrollable-region-focusable"]}
    rules = only if look == "dark-narrow" else {}
    page = open_page("/fleet", color_scheme=scheme, viewport=size, bypass_csp=True)
    for path in PAGES:
        page.goto(url + path)
        page.locator("h1").wait_for()
        for menu in page.locator("details").all():
            menu.evaluate("one => { one.open = true }")
        found = Axe().run(page, options={"resultTypes": ["violations"]} | rules)
        serious = [
            (violation["id"], [node["html"][:160] for node in violation["nodes"]][:3])
            for violation in found.response["violations"]
            if violation["impact"] in _SERIOUS
        ]
        assert serious == [], path
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], path


def test_hostile_names_are_inert(open_page: Open, url: str) -> None:
    """T24: flavours, reasons and a chain called `<script>` or `<img onerror>` are text; nothing runs."""
    page = open_page("/releases/8")
    assert SCRIPT in page.locator(".flavours li").first.inner_text()
    assert page.locator("main script, main img[src=x]").count() == 0
    page.goto(url + "/fleet/till-00002")
    expect(page.get_by_text(IMAGE).first).to_be_visible()
    assert page.locator("img[src=x]").count() == 0
    assert "owned" not in page.title()
    page.goto(url + "/fleet?q=" + "%3Cscript%3Ealert(1)%3C/script%3E")
    assert page.locator("input[name=q]").input_value() == "<script>alert(1)</script>"


def test_right_to_left_and_very_long_names_stay_in_their_place(open_page: Open) -> None:
    """T24: a name that turns the reading direction round turns nothing but itself."""
    page = open_page("/releases/8", viewport={"width": 390, "height": 844})
    cell = page.locator("bdi", has_text="gnp.exe").first
    expect(cell).to_be_visible()
    assert cell.evaluate("one => getComputedStyle(one).unicodeBidi") == "isolate"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_even_injected_html_would_not_run(open_page: Open) -> None:
    """T24: were a name written as HTML by mistake, the policy stops its script."""
    page = open_page("/fleet", complain=False)
    page.evaluate(
        """() => {
          const inner = document.createElement("script");
          inner.append("document.title = 'owned'");
          try { document.body.append(inner); } catch { /* Trusted Types */ }
          const image = "<img src=x onerror=\\"document.title='owned'\\">";
          try { document.body.innerHTML += image; } catch { /* the same */ }
          try { document.body.setAttribute("onclick", "document.title = 'owned'"); } catch { /* the same */ }
          document.body.click();
        }"""
    )
    page.wait_for_timeout(100)
    assert "owned" not in page.title()


def test_a_page_of_another_origin_can_neither_send_forms_nor_frame_nor_read(
    open_page: Open, url: str
) -> None:
    """T24: cross-origin forms, frames and reads with the victim's own cookies come to nothing."""
    page = open_page("/fleet", complain=False)
    # Another port of the same host: the browser counts it as the same site and sends the cookie along.
    evil = "http://127.0.0.1:1/"
    body = f"""<!doctype html><title>evil</title>
      <form id=f method=post action="{url}/fleet/till-00007/groups">
        <input name=group value=planted><input name=csrf value=x>
      </form>
      <iframe src="{url}/fleet"></iframe>"""
    page.context.route(evil, lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(evil)
    read = "address => fetch(address, {credentials: 'include'}).then(() => 'read', () => 'refused')"
    assert page.evaluate(read, url + "/fleet") == "refused"
    assert all("till-00001" not in frame.content() for frame in page.frames[1:])
    with page.expect_navigation():
        page.evaluate("document.getElementById('f').submit()")
    expect(page.get_by_role("heading", name="Not accepted")).to_be_visible()
    page.goto(url + "/fleet/till-00007")
    assert page.get_by_text("planted").count() == 0


def test_an_operator_groups_a_register_by_keyboard(open_page: Open) -> None:
    page = open_page("/fleet/till-00005")
    field = page.get_by_label("Put it into")
    field.focus()
    page.keyboard.type("window-shops")
    page.keyboard.press("Enter")
    leave = page.get_by_role("button", name="Leave the group window-shops")
    leave.wait_for()
    leave.press("Enter")
    expect(leave).to_have_count(0)


def test_the_fleet_is_reached_in_reading_order(open_page: Open) -> None:
    """Skip link, brand, pages, menu, then the content; Escape closes the menu and gives the focus back."""
    page = open_page("/fleet")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "To the content"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
    menu = page.locator(".menu > summary")
    menu.press("Enter")
    expect(page.get_by_role("button", name="Log out")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("button", name="Log out")).to_be_hidden()
    assert menu.evaluate("one => one === document.activeElement")


def test_filters_apply_at_once_and_pages_turn(open_page: Open) -> None:
    page = open_page("/fleet")
    page.get_by_role("link", name="Next").click()
    page.get_by_role("link", name="Before").click()
    expect(page.locator("tbody tr")).to_have_count(50)
    page.get_by_label("Runs").select_option("7")
    page.wait_for_url("**release=7*")
    assert page.locator("tbody tr").count() > 0
    page.get_by_role("link", name="Show all").click()
    page.get_by_label("Search").fill("till-00012")
    page.keyboard.press("Enter")
    expect(page.locator("tbody tr")).to_have_count(1)


def test_a_report_that_comes_in_is_seen_without_a_click(open_page: Open, stage: ConsoleStage) -> None:
    """Only what changed moves, and the focus stays where it was."""
    page = open_page("/fleet")
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    link = page.get_by_role("link", name="till-00002", exact=True)
    link.focus()
    untouched = page.locator("[data-live-key='till-00003']").element_handle()
    with stage.desk.database.tenant(TENANT) as connection:
        connection.execute(
            update(register_health)
            .where(register_health.c.tenant == TENANT, register_health.c.register == "till-00002")
            .values(spooled_messages=77, received_at_ms=NOW_MS)
        )
    row = page.locator("[data-live-key='till-00002']")
    expect(row.locator("td[data-label=Unsent]")).to_have_text("77")
    assert page.evaluate("document.activeElement.textContent") == "till-00002"
    assert untouched is not None
    assert untouched.evaluate("one => one.isConnected")


def test_pages_work_without_scripts(open_page: Open) -> None:
    """Filters, pages, menu and forms are plain HTML."""
    page = open_page("/fleet", java_script_enabled=False)
    page.get_by_label("Search").fill("store-0003")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("tbody tr")).to_have_count(4)
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.locator(".menu > summary").click()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", name="You are logged out")).to_be_visible()
