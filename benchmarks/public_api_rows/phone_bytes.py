"""What the page of /try sends for a photo of twelve megapixels: a real browser, as small as a phone."""

import contextlib
import shutil
from collections.abc import Iterator
from typing import TYPE_CHECKING

from benchmarks.servers import new_folder
from benchmarks.setting import NotRunError, Outcome, Setting
from benchmarks.verdict import Figure, Goal
from tests.builders.phone_stage import SESSION, Phone, phone_stage
from tests.builders.photos import twelve_megapixels

if TYPE_CHECKING:
    from playwright.sync_api import Page

_GOAL_KB = 150.0
_ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]


def phone_bytes(setting: Setting) -> Outcome:
    """Pages, scripts and headers are the product's; API and store answer what they are told to."""
    outcome = Outcome()
    photo = twelve_megapixels(new_folder(setting.work_dir, "photo") / "photo.jpg")
    with phone_stage(new_folder(setting.work_dir, "phone")) as phone, _page(phone) as page:
        page.goto(f"{phone.url}/try")
        page.locator('#notice [data-do="file"]:enabled').wait_for()
        phone.sent_bytes = 0
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Choose a photo").click()
        chooser.value.set_files(photo)
        page.get_by_role("button", name="Send", exact=True).click()
        page.locator("#result .card .name").first.wait_for()
        (picture,), sent = phone.puts, phone.sent_bytes
    size = photo.stat().st_size
    outcome.figures += [
        Figure(
            "bytes that a phone sends for a photo of 12 megapixels",
            sent / 1e3,
            "kB",
            Goal(_GOAL_KB),
            f"every request of its way, heads included; the photo has {size / 1e6:.1f} MB",
        ),
        Figure("  of which the picture itself", len(picture) / 1e3, "kB"),
    ]
    outcome.details["bytes"] = {"photo": size, "picture": len(picture), "sent": sent}
    return outcome


@contextlib.contextmanager
def _page(phone: Phone) -> Iterator["Page"]:
    """A page of somebody who is logged in."""
    program = shutil.which("chromium")
    if program is None:
        raise NotRunError("Chromium is missing; `tests/install-services` as root installs it")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_ARGUMENTS)
        context = browser.new_context(
            viewport={"width": 390, "height": 844}, locale="en-GB", reduced_motion="reduce"
        )
        context.add_cookies([{"name": SESSION, "value": phone.cookie, "url": phone.url}])
        yield context.new_page()
        browser.close()
