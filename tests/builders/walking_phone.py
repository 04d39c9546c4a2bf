"""A person with a phone at the real pages: logs in, sends pictures, reads the answer, has all erased."""

from __future__ import annotations

import base64
import contextlib
import re
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect, sync_playwright

from tests.services import require_program

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--use-fake-device-for-media-stream",
)
_WITHIN_MS = 60_000
_HEX = re.compile("^[0-9a-f]{32}$")
_KEEP_WHAT_IS_PUT = """
window.put = [];
const send = XMLHttpRequest.prototype.send;
XMLHttpRequest.prototype.send = function (body) { window.put.push(body); send.call(this, body); };
"""
_LAST_PUT = """
async () => {
  const bytes = new Uint8Array(await window.put.at(-1).arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
"""


@contextlib.contextmanager
def phone_browser() -> Iterator[Browser]:
    """A Chromium with a camera that shows a test picture."""
    program = str(require_program("chromium"))
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        yield started
        started.close()


class WalkingPhone:
    """One person's page of one chain.

    Args:
        browser: With a camera.
        url: Of the chain's host.
    """

    def __init__(self, browser: Browser, url: str) -> None:
        self.url = url
        self.complaints: list[str] = []
        self._context = browser.new_context(
            permissions=["camera"], viewport={"width": 390, "height": 844}, locale="en-GB"
        )
        self._context.set_default_timeout(_WITHIN_MS)
        self.page: Page = self._context.new_page()
        self.page.add_init_script(_KEEP_WHAT_IS_PUT)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("console", self._told)

    def open(self) -> None:
        """`/try`, logged in or not."""
        self.page.goto(f"{self.url}/try")

    def log_in_strictly(self, label: str, name: str) -> None:
        """By a button of ours, at npm's `oidc-provider`, and back."""
        self.page.get_by_role("link", name=label).or_(self.page.get_by_role("button", name=label)).click()
        self.page.locator("input[name=login]").fill(name)
        self.page.locator("input[name=password]").fill("any")
        self.page.locator("button[type=submit]").click()
        self.page.get_by_role("button", name="Continue").click()
        self.page.wait_for_url(f"{self.url}/try")

    def log_in_without_password(self, name: str) -> None:
        """By the only button, at the provider for development, and back."""
        self.page.locator("#welcome .issuers a").click()
        self.page.locator("input[name=sub]").fill(name)
        self.page.get_by_role("button", name="Authorize").click()
        self.page.wait_for_url(f"{self.url}/try")

    def take_picture(self) -> None:
        """By the camera."""
        self.page.get_by_role("button", name="Take a picture").click()
        self.page.get_by_role("button", name="Take the picture").click()

    def choose(self, photo: Path) -> None:
        """A photo out of the phone."""
        with self.page.expect_file_chooser() as chooser:
            self.page.get_by_role("button", name="Choose a photo").click()
        chooser.value.set_files(photo)

    def send(self, *, improve: bool) -> bytes:
        """What was taken or chosen; returns the bytes that went to the store."""
        if improve:
            self.page.get_by_label("Also make suggestions better").check()
        self.page.get_by_role("button", name="Send", exact=True).click()
        expect(self.page.locator(".card:visible")).to_have_count(3, timeout=_WITHIN_MS)
        return base64.b64decode(self.page.evaluate(_LAST_PUT))

    def names(self) -> list[str]:
        """The flavours on the page."""
        return self.page.locator(".card:visible .name").all_inner_texts()

    def another(self) -> None:
        """Begin again."""
        self.page.get_by_role("button", name="Another picture").click()

    def erase_everything(self) -> str:
        """Of this person; returns the proof."""
        self.page.get_by_role("button", name="My suggestions").click()
        self.page.get_by_role("button", name="Erase everything of mine").click()
        self.page.get_by_role("button", name="Erase everything", exact=True).click()
        proof = self.page.locator("#proof-id")
        expect(proof).to_have_text(_HEX, timeout=_WITHIN_MS)
        return proof.inner_text()

    def wait_until_erased(self) -> None:
        """Until the page itself says when the last copy goes."""
        for one in ("#proof-online", "#proof-backup"):
            expect(self.page.locator(one)).to_contain_text("20", timeout=_WITHIN_MS)

    def asks(self, path: str) -> Any:
        """A JSON document of the chain's, fetched by the page."""
        return self.page.evaluate("path => fetch(path).then((answer) => answer.json())", path)

    def close(self) -> None:
        """Put it away."""
        self._context.close()

    def _told(self, message: Any) -> None:
        ours = self.page.url.startswith(f"{self.url}/")
        if ours and any(word in message.text for word in ("Content Security", "Trusted", "CORS")):
            self.complaints.append(message.text)
