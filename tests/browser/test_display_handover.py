"""The code on the customer's display: where it stands, what a camera reads, and the thanks after a yes."""

import re
from collections.abc import Iterator
from contextlib import closing

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, expect

from tests.builders.agent_process import AgentProcess, running_agent, write_config
from tests.builders.mosquitto import Mosquitto
from tests.builders.scripted_cloud import MTLS, PaperCloud, ScriptedCollector
from tests.builders.tiny_model import build_model_dir
from wire_protocol.handover_messages import NoticeUp
from wire_protocol.messages import FrameUp
from wire_protocol.topics import Down, Up

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

MORE = """\
[api]
pairing_tokens = ["a-token-for-tests-only"]
[uplink]
enabled = true
handover = true
handover_url = "https://{tenant}.example.com"
"""
CODE = re.compile(r"https://[a-z-]+\.example\.com/c/([A-Za-z0-9_-]+)")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[AgentProcess, ScriptedCollector]]:
    """A register that is connected to a broker, and who listens there."""
    folder, cloud = tmp_path_factory.mktemp("handover"), PaperCloud()
    cloud.authority.server(folder / "mosquitto")
    with Mosquitto(folder / "mosquitto", MTLS, listeners=2) as broker:
        cloud.enrol(folder / "data", port=broker.port, blanks=3)
        model = build_model_dir(folder / "model")
        config = write_config(folder, model_dir=model, more=MORE, camera="synthetic:")
        with (
            closing(ScriptedCollector(cloud, broker.ports[1])) as collector,
            running_agent(config) as agent,
        ):
            collector.wait_for(lambda: bool(collector.of(Up.REPORT)))
            yield agent, collector


def customer(agent: AgentProcess, page: Page) -> str:
    """Somebody stands there and is asked."""
    page.goto(f"{agent.url}/display")
    expect(page.locator("#idle .cone").first).to_have_attribute("style", re.compile("--flavour"))
    with agent.client() as till:
        for _ in range(200):
            answer = till.post("/v1/interactions").raise_for_status().json()
            if answer["reason"] != "nobody":  # the golden frame without anybody goes by
                break
            page.wait_for_timeout(100)
    expect(page.locator("#handover-code svg")).to_be_visible()
    return str(answer["interaction_id"])


def read_by_camera(page: Page) -> str:
    """What a phone sees on the glass."""
    drawing = page.locator("#handover-code").screenshot()
    picture = cv2.imdecode(np.frombuffer(drawing, np.uint8), cv2.IMREAD_GRAYSCALE)
    assert picture is not None
    large = cv2.resize(picture, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    found = CODE.fullmatch(cv2.QRCodeDetectorAruco().detectAndDecode(large)[0])
    assert found is not None, "a phone would read nothing"
    return found[1]


def test_a_yes_on_the_phone_is_thanked_for_on_the_display(
    shop: tuple[AgentProcess, ScriptedCollector], browser: Browser
) -> None:
    """The code is read off the page, dark scheme and high contrast; the yes is sealed."""
    agent, collector = shop
    dark = browser.new_context(
        locale="de-DE", color_scheme="dark", viewport={"width": 1280, "height": 800}, device_scale_factor=2
    )
    with dark as context:
        page = context.new_page()
        interaction = customer(agent, page)
        drawing = page.get_by_role("img", name="QR-Code: scannen und auf dem Telefon Ja sagen")
        expect(drawing).to_be_visible()
        box = drawing.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, "nobody scans what has to be scrolled to"
        expect(page.locator("#handover figcaption")).to_have_text("Oder scannen und auf dem Telefon Ja sagen")
        ground = page.locator("#handover-code").evaluate("e => getComputedStyle(e).backgroundColor")
        assert ground == "rgb(255, 255, 255)"
        code = read_by_camera(page)
        page.locator("#contrast").click()
        assert read_by_camera(page) == code
        page.locator('[data-language="it"]').click()
        expect(page.locator("#handover figcaption")).to_contain_text("sul telefono")
        page.locator('[data-language="de"]').click()
        collector.wait_for(lambda: any(_language(one) == "de" for one in collector.of(Up.NOTICE)))
        notice = next(one.payload for one in collector.of(Up.NOTICE) if _language(one) == "de")
        assert isinstance(notice, NoticeUp)
        expect(page.locator("#consent-title")).to_have_text(notice.text.decode().split("\n")[0])
        collector.publish(Down.HANDOVER, collector.cloud.handover_message(code, notice))
        expect(page.locator("#consent-code")).to_have_text(
            "Vielen Dank! Auf Ihrem Telefon nehmen Sie es jederzeit zurück."
        )
        expect(page.locator("#handover")).to_be_hidden()
        expect(page.locator("#consent-answers")).to_be_hidden()
        collector.wait_for(lambda: bool(collector.of(Up.FRAME)))
        (frame,) = collector.of(Up.FRAME)
        assert isinstance(frame.payload, FrameUp)
        assert frame.payload.interaction.hex() == interaction.replace("-", "")
        assert collector.cloud.open_frame(frame).startswith(b"\xff\xd8\xff")


def test_a_touch_takes_the_code_away(shop: tuple[AgentProcess, ScriptedCollector], browser: Browser) -> None:
    """Who says no on the display is not asked on the phone; the code fits on a small screen."""
    agent, _ = shop
    with browser.new_context(locale="en-GB", viewport={"width": 390, "height": 844}) as context:
        page = context.new_page()
        customer(agent, page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="No, thank you").click()
        expect(page.locator("#consent")).to_be_hidden()
        expect(page.locator("#handover-code svg")).to_have_count(0)


def _language(message: object) -> str:
    payload = getattr(message, "payload", None)
    assert isinstance(payload, NoticeUp)
    return payload.language
