"""The console's pages of rollouts, frames and audit in a real browser, over the real desk and tick."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Route, expect

from cloud.principal import Role
from cloud.rollout.values import Plan, Stage, State
from tests.builders.console_stage import ConsoleStage, build_stage, serving
from tests.builders.paper_fleet import PaperFleet, paper_fleet

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

CHAINS = ("calm", "planning", "living", "failing", "stopping", "looking", "fresh", "hostile")
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
QUICK = Plan((Stage("one", count=1, hold_s=0), Stage("all", share=1.0, hold_s=0)))
BY_HAND = Plan((Stage("pilots", count=2, hold_s=0, approval=True), Stage("all", share=1.0)))


class Visitor:
    """Somebody's browser; what their pages complain of fails the test."""

    def __init__(self, browser: Browser, stage: ConsoleStage, url: str, tenant: str) -> None:
        self._browser, self._stage, self._tenant = browser, stage, tenant
        self.url = url
        self.fleet = PaperFleet(stage, tenant)
        self.problems: list[str] = []
        self._contexts: list[Any] = []

    def open(self, path: str, role: Role = Role.OPERATOR, **options: Any) -> Page:
        """A page, as somebody of this role sees it."""
        chosen = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"} | options
        context = self._browser.new_context(**chosen)
        self._contexts.append(context)
        name = self._stage.desk.cookies.session
        cookie = self._stage.cookie(role, tenant=self._tenant)
        context.add_cookies([{"name": name, "value": cookie, "url": self.url}])
        page: Page = context.new_page()
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda told: self.problems.append(told.text) if told.type == "error" else None)
        page.goto(self.url + path)
        return page

    def cookies(self, role: Role = Role.VIEWER) -> dict[str, str]:
        """For a client without pages."""
        return {self._stage.desk.cookies.session: self._stage.cookie(role, tenant=self._tenant)}

    def close(self) -> None:
        """Every window."""
        for context in self._contexts:
            context.close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ConsoleStage, str]]:
    """One console for all tests of this file; each has a chain of its own."""
    stage = build_stage(Path(tmp_path_factory.mktemp("console")), *CHAINS)
    for chain in CHAINS:
        if chain != "fresh":
            paper_fleet(stage, chain, 12, flavour=HOSTILE if chain == "hostile" else None)
    with serving(stage) as url:
        yield stage, url


@pytest.fixture
def enter(browser: Browser, place: tuple[ConsoleStage, str]) -> Iterator[Callable[[str], Visitor]]:
    """Gives a visitor of the chain that the test names."""
    visitors: list[Visitor] = []

    def visitor(chain: str) -> Visitor:
        visitors.append(Visitor(browser, *place, chain))
        return visitors[-1]

    yield visitor
    for one in visitors:
        one.close()
    assert [problem for one in visitors for problem in one.problems] == []


def path_of(rollout: bytes) -> str:
    """Its page."""
    return f"/rollouts/{rollout.hex()}"


def test_a_rollout_is_planned_and_started_without_a_script(enter: Callable[[str], Visitor]) -> None:
    """Release, stages, limits, times, dry run, draft, start: by form alone, and what was typed stays."""
    visit = enter("planning")
    page = visit.open("/rollouts", java_script_enabled=False)
    page.get_by_role("link", name="Plan a rollout").first.click()
    page.get_by_label("Release 8").check()
    page.get_by_role("button", name="Stages").click()
    page.locator("#s0_name").fill("our pilots")
    page.locator("#s0_size").fill("lots")
    page.get_by_role("button", name="Limits").click()
    expect(page.locator("#p-s0_size")).to_contain_text("Write a whole number")
    expect(page.locator("#s0_size")).to_have_value("lots")
    page.locator("#s0_size").fill("2")
    page.get_by_role("button", name="Limits").click()
    page.get_by_label("Failed registers, at most").fill("25")
    page.get_by_role("button", name="Pace and times").click()
    page.get_by_role("button", name="Check and plan").click()
    expect(page.locator(".reach")).to_contain_text("would reach 12 registers in 3 stores")
    expect(page.get_by_role("row", name="our pilots")).to_contain_text("2 registers")
    page.get_by_role("button", name="Keep this plan").click()
    expect(page.locator(".sentence")).to_have_text("Planned; nothing was told to any register yet.")
    page.locator("summary", has_text="Start").click()
    page.get_by_label("Reason, for the timeline").first.fill("the new season")
    page.get_by_role("button", name="Start it").click()
    expect(page.locator(".sentence")).to_contain_text("Running stage 1 of 3, our pilots")
    expect(page.locator(".timeline")).to_contain_text("the new season")
    (found,) = visit.fleet.desk.rollouts(visit.fleet.principal())
    assert found.state is State.RUNNING


def test_a_rollout_is_live_and_its_buttons_follow(enter: Callable[[str], Visitor]) -> None:
    """Registers turn good before one's eyes; somebody else's pause changes the buttons; keys suffice."""
    visit = enter("living")
    fleet = visit.fleet
    rollout = fleet.begin(8, BY_HAND)
    page = visit.open(path_of(rollout))
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    fleet.turn(ticks=3)
    expect(page.locator(".sentence")).to_contain_text("2 of 12 registers run it")
    expect(page.locator(".sentence")).to_contain_text("A person has to promote it.")
    expect(page.locator(".stage.now .bar-of")).to_contain_text("2 of 2 registers run it")
    expect(page.locator('[data-live-list="members"] tr').first).to_contain_text("good")
    fleet.desk.pause(fleet.principal(name="olga"), rollout, "lunch")
    expect(page.locator("summary", has_text="Resume")).to_be_visible()
    expect(page.locator(".sentence")).to_contain_text("Paused in stage 1 of 2, pilots. Lunch.")
    page.locator("summary", has_text="Resume").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.type("lunch is over")
    page.keyboard.press("Enter")
    expect(page.locator("summary", has_text="Promote")).to_be_visible()
    page.locator("summary", has_text="Promote").click()
    page.get_by_label("Reason, for the timeline").first.fill("they look good")
    page.get_by_role("button", name="Begin the next stage").click()
    expect(page.locator(".sentence")).to_contain_text("Running stage 2 of 2, all")


def test_a_worse_release_goes_back_before_ones_eyes(enter: Callable[[str], Visitor]) -> None:
    """T28: a slow release stops in its first stage; page, overview and list say why in plain words."""
    visit = enter("failing")
    fleet = visit.fleet
    rollout = fleet.begin(9, QUICK)
    page = visit.open(path_of(rollout))
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    fleet.turn(ticks=2, p99_ms=31)
    fleet.turn(ticks=3)
    expect(page.locator(".sentence")).to_contain_text("every register that had it is back. p99 31.0 of 10 ms")
    expect(page.locator(".timeline")).to_contain_text("Stopped by its gates")
    expect(page.locator(".gate.fail h3")).to_have_text("Latency")
    expect(page.get_by_role("button")).to_have_count(page.get_by_role("button").count())
    assert page.locator("details.confirm").count() == 0
    expect(page.locator(".stage.stopped h3")).to_contain_text("stopped here")
    page.reload()
    expect(page.locator("#chart-latency img")).to_have_attribute("alt", re.compile("31.0 ms slowest"))
    page.goto(visit.url + "/rollouts")
    expect(page.locator(".rollout-line").first).to_contain_text("1 of 1 register is back")
    members = fleet.desk.rollout(fleet.principal(), rollout).members
    assert sum(member.told_at_ms is not None for member in members) == 1


def test_the_emergency_stop_is_two_clicks_and_a_reason(enter: Callable[[str], Visitor]) -> None:
    """An admin stops the chain; every page says who and why; the running rollout goes back."""
    visit = enter("stopping")
    fleet = visit.fleet
    rollout = fleet.begin(8, QUICK)
    fleet.turn(ticks=2)
    page = visit.open("/rollouts", Role.ADMIN)
    page.locator("summary", has_text="Emergency stop").click()
    page.get_by_role("button", name="Stop and return everything").click()
    assert page.locator("input[name=reason]:invalid").count() > 0, "a reason is required"
    page.locator("details[open] input[name=reason]").fill("queer answers everywhere")
    page.get_by_role("button", name="Stop and return everything").click()
    expect(page.locator(".alarm")).to_contain_text("queer answers everywhere")
    fleet.turn(ticks=3)
    page.goto(visit.url + path_of(rollout))
    expect(page.locator(".sentence")).to_contain_text("Returned")
    expect(page.locator(".alarm")).to_contain_text("Emergency stop by Admin Person")


@pytest.fixture(scope="module")
def looked_at(place: tuple[ConsoleStage, str]) -> bytes:
    """A rollout with everything on its page."""
    fleet = PaperFleet(place[0], "looking")
    rollout = fleet.begin(8, BY_HAND)
    fleet.turn(ticks=3)
    fleet.desk.plan(fleet.principal(), 9, QUICK)
    return rollout


def test_charts_are_drawn_for_both_themes_and_do_not_shift_the_page(
    enter: Callable[[str], Visitor], looked_at: bytes
) -> None:
    """Each picture has its size before it comes, words for who cannot see it, and a table beside it."""
    visit = enter("looking")
    page = visit.open(path_of(looked_at), Role.VIEWER)
    pictures = page.locator("figure.chart img")
    expect(pictures).to_have_count(5)
    for index in range(5):
        pictures.nth(index).scroll_into_view_if_needed()
    sizes = page.evaluate(
        "Promise.all([...document.querySelectorAll('figure.chart img')].map(async (one) => {"
        "await one.decode(); return [one.naturalWidth, one.naturalHeight, +one.width > 0, one.alt.length]}))"
    )
    assert all(width == 640 and shown and words > 20 for width, _, shown, words in sizes)
    shift = page.evaluate(
        "new Promise((done) => new PerformanceObserver((list) => done("
        "list.getEntries().reduce((sum, one) => sum + one.value, 0)))"
        ".observe({type: 'layout-shift', buffered: true}) || setTimeout(() => done(0), 500))"
    )
    assert shift < 0.05
    page.locator("figure.chart summary").first.click()
    expect(page.locator("figure.chart table").first).to_be_visible()
    base = f"{visit.url}{path_of(looked_at)}/charts"
    with httpx.Client(cookies=visit.cookies()) as client:
        drawn = client.get(f"{base}/latency.svg?theme=dark")
        assert drawn.headers["content-type"] == "image/svg+xml"
        assert "script-src" not in drawn.headers["content-security-policy"]
        again = client.get(f"{base}/latency.svg?theme=dark", headers={"If-None-Match": drawn.headers["etag"]})
        light = client.get(f"{base}/latency.svg?theme=light")
        assert (again.status_code, light.text == drawn.text) == (304, False)
        assert client.get(f"{base}/nothing.svg").status_code == 404
    with httpx.Client() as stranger:
        assert stranger.get(f"{base}/latency.svg").status_code in {303, 401}


def test_a_chart_that_takes_long_says_so(enter: Callable[[str], Visitor], looked_at: bytes) -> None:
    """A word in its place, which is as large as the picture that comes."""
    visit = enter("looking")
    page = visit.open("/overview", Role.VIEWER)
    held: list[Route] = []
    page.route("**/charts/latency.svg*", lambda route: held.append(route))  # noqa: PLW0108 - it is marked
    picture = page.locator("#chart-latency picture")
    with page.expect_request("**/charts/latency.svg*"):
        page.goto(visit.url + path_of(looked_at), wait_until="domcontentloaded")
        picture.scroll_into_view_if_needed()
    expect(picture).to_have_class(re.compile("drawn-soon"))
    assert picture.evaluate("(one) => getComputedStyle(one, '::before').content") == '"drawing …"'
    before = picture.bounding_box()
    held[0].continue_()
    expect(picture).not_to_have_class(re.compile("drawn-soon"))
    after = picture.bounding_box()
    assert before is not None
    assert after is not None
    assert (before["width"], before["height"]) == (after["width"], after["height"])


def pages_of(rollout: bytes) -> list[str]:
    """Every page of this file, with everything on it."""
    wrong = "release=8&s0_name=&s0_size=x&s0_kind=share&s0_hold=y&from=stages&step=limits"
    steps = [f"/rollouts/new?release=8&step={step}" for step in ("times", "check")]
    return [
        *("/overview", "/rollouts", path_of(rollout), "/frames", "/audit?since=never"),
        *(f"/rollouts/new?{wrong}", *steps),
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(enter: Callable[[str], Visitor], looked_at: bytes, theme: str) -> None:
    """Every page, in both themes: names, roles, contrast, order."""
    visit = enter("looking")
    axe = Axe()
    # What a theme can change is contrast; all else is looked at once.
    rules = {"runOnly": ["color-contrast"]} if theme == "dark" else {}
    page = visit.open("/overview", Role.ADMIN, color_scheme=theme)
    for path in pages_of(looked_at):
        page.goto(visit.url + path)
        found = axe.run(page, options={"resultTypes": ["violations"]} | rules).response["violations"]
        serious = [
            (one["id"], [node["html"][:160] for node in one["nodes"][:3]])
            for one in found
            if one["impact"] in {"serious", "critical"}
        ]
        assert serious == [], path


def test_every_page_fits_a_phone(enter: Callable[[str], Visitor], looked_at: bytes) -> None:
    """390 pixels: nothing sticks out sideways, buttons are large enough for a thumb."""
    visit = enter("looking")
    page = visit.open("/overview", Role.ADMIN, viewport={"width": 390, "height": 844})
    for path in pages_of(looked_at):
        page.goto(visit.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, path
        heights = page.evaluate(
            "[...document.querySelectorAll('main .button')].map((one) => one.getBoundingClientRect().height)"
        )
        assert all(height >= 32 for height in heights), path


def test_hostile_names_are_text_in_a_real_browser(enter: Callable[[str], Visitor]) -> None:
    """T24: flavours, stages, people and reasons run nowhere, live parts and charts included."""
    visit = enter("hostile")
    fleet = visit.fleet
    otto = fleet.principal(name=HOSTILE)
    rollout = fleet.desk.plan(
        otto, 8, Plan((Stage(HOSTILE[:60], count=2, hold_s=0), Stage("all", share=1.0)))
    )
    fleet.desk.start(otto, rollout, HOSTILE)
    page = visit.open(path_of(rollout), Role.ADMIN)
    expect(page.locator("[data-live-state]")).to_have_text("Live")
    fleet.turn(ticks=2)
    expect(page.locator(".sentence")).to_contain_text("2 of 12 registers run it")
    expect(page.locator(".timeline")).to_contain_text(HOSTILE)
    page.locator("figure.chart img").last.scroll_into_view_if_needed()
    page.evaluate(
        "Promise.all([...document.querySelectorAll('figure.chart img')].map((one) => one.decode()))"
    )
    for path in (path_of(rollout), "/rollouts", "/overview", "/audit"):
        page.goto(visit.url + path)
        expect(page).to_have_title(re.compile("Topscoop"))
        assert page.locator("main img[src=x], main script").count() == 0


def test_a_fresh_chain_is_told_the_next_step_on_every_page(enter: Callable[[str], Visitor]) -> None:
    """No registers, no releases: words and a command."""
    visit = enter("fresh")
    page = visit.open("/overview", Role.ADMIN)
    expect(page.locator(".empty")).to_contain_text("topscoop cloud register add --tenant fresh")
    for path in ("/rollouts", "/rollouts/new", "/audit?actor=nobody"):
        page.goto(visit.url + path)
        expect(page.locator(".empty")).to_be_visible()
    page.goto(visit.url + "/frames")
    expect(page.locator("main")).to_contain_text("Nothing was refused")
