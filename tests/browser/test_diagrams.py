"""Every diagram of the documentation is drawn by Mermaid itself, in a real browser."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.builders.npm_package import npm_package

_ROOT = Path(__file__).parents[2]
_DIAGRAM = re.compile(r"^```mermaid\n(.*?)^```", re.MULTILINE | re.DOTALL)
_DRAW = """async source => {
    mermaid.initialize({startOnLoad: false, securityLevel: "strict"});
    try { return {svg: (await mermaid.render("drawn", source)).svg}; }
    catch (error) { return {error: String(error)}; }
}"""

pytestmark = pytest.mark.service


def _diagrams() -> list[tuple[str, str]]:
    pages = [*_ROOT.glob("*.md"), *_ROOT.glob("docs/**/*.md")]
    return [
        (f"{page.relative_to(_ROOT)}:{number}", source)
        for page in sorted(pages)
        for number, source in enumerate(_DIAGRAM.findall(page.read_text("utf-8")), 1)
    ]


def test_every_diagram_is_drawn(browser: Browser) -> None:
    """None has a mistake in its text, and each has boxes or lanes with the words of its text."""
    script = npm_package("mermaid", "11.12.1") / "mermaid" / "dist" / "mermaid.min.js"
    diagrams = _diagrams()
    assert len(diagrams) >= 7
    page = browser.new_page()
    try:
        page.set_content("<!doctype html><title>diagrams</title>")
        page.add_script_tag(path=script)
        for name, source in diagrams:
            drawn = page.evaluate(_DRAW, source)
            assert "error" not in drawn, f"{name}: {drawn.get('error')}"
            assert drawn["svg"].startswith("<svg"), name
            assert "Syntax error" not in drawn["svg"], name
    finally:
        page.close()
