"""Threat T29 in a real browser: a page of another origin, opened on the till."""

import functools
import http.server
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import Shop

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

_PAGE = """<!doctype html><title>foreign</title><ul></ul><script>
const agent = AGENT;
const tell = (name, outcome) => {
  const item = document.createElement("li");
  item.textContent = `${name}: ${outcome}`;
  document.querySelector("ul").append(item);
};
const attempt = async (name, path, options) => {
  try {
    const answer = await fetch(agent + path, options);
    tell(name, answer.type === "opaque" ? "opaque" : `read ${answer.status}`);
  } catch { tell(name, "blocked"); }
};
(async () => {
  await attempt("read the menu", "/v1/menu", {});
  await attempt("open", "/v1/interactions", { method: "POST" });
  await attempt("open blindly", "/v1/interactions", { method: "POST", mode: "no-cors", body: "{}" });
  await attempt("empty the menu", "/v1/menu", { method: "PUT", body: '{"in_stock": []}' });
  const stream = new EventSource(agent + "/v1/events");
  stream.onopen = () => tell("listen", "connected");
  stream.onerror = () => { stream.close(); tell("listen", "blocked"); tell("done", "done"); };
})();
</script>"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@pytest.fixture
def foreign_page(shop: Shop, tmp_path: Path) -> Iterator[str]:
    """The address of a page on another port, which is another origin."""
    folder = tmp_path / "foreign"
    folder.mkdir()
    (folder / "index.html").write_text(_PAGE.replace("AGENT", f'"{shop.agent.url}"'), "utf-8")
    handler = functools.partial(_Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_foreign_page_reads_nothing_and_changes_nothing_t29(
    shop: Shop, browser: Browser, foreign_page: str
) -> None:
    """T29: not by reading, not by writing, not blindly, not by listening."""
    context = browser.new_context()
    try:
        page = context.new_page()
        page.goto(foreign_page)
        expect(page.get_by_text("done: done")).to_be_visible(timeout=20_000)
        told = dict(item.split(": ") for item in page.locator("li").all_inner_texts())
    finally:
        context.close()
    assert told["read the menu"] == told["open"] == told["empty the menu"] == told["listen"] == "blocked"
    assert told["open blindly"] in {"opaque", "blocked"}
    assert len(shop.till.get("/v1/menu").json()["in_stock"]) == 16
    shop.agent.stop()
    journal = sqlite3.connect(shop.agent.data_dir / "journal.db")
    try:
        assert journal.execute("SELECT count(*) FROM impression").fetchone() == (0,)
    finally:
        journal.close()
