"""A headless Chromium, and a real agent whose display it opens."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from tests.builders.agent_process import TOKEN, AgentProcess, running_agent, write_config
from tests.builders.tiny_model import build_model_dir
from tests.services import require_program

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-dev-shm-usage"]

# No claim is about time: a busy machine may take longer than Playwright's five seconds.
expect.set_options(timeout=30_000)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; missing is a loud skip, or a failure where services are promised."""
    program = require_program("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(program), args=ARGUMENTS)
        yield started
        started.close()


@dataclass
class Shop:
    """A running agent, a till, and the pages that look at it."""

    agent: AgentProcess
    config: Path
    till: httpx.Client
    contexts: list[BrowserContext] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    open_page: Callable[..., Page] = lambda: pytest.fail("not ready")

    def recommend(self) -> dict[str, Any]:
        answer = self.till.post("/v1/interactions")
        assert answer.status_code == 201
        return dict(answer.json())

    def sell(self, interaction: dict[str, Any]) -> None:
        sale = {"receipt_id": "1", "lines": [{"flavour": interaction["top3"][0]["flavour"], "quantity": 1}]}
        path = f"/v1/interactions/{interaction['interaction_id']}/outcome"
        key = {"Idempotency-Key": interaction["interaction_id"]}
        assert self.till.post(path, json=sale, headers=key).status_code == 201


@pytest.fixture
def shop(browser: Browser, tmp_path: Path) -> Iterator[Shop]:
    """An agent with a tiny model and its golden frames as camera; the page's errors fail the test."""
    model_dir = build_model_dir(tmp_path / "model")
    more = f'[api]\npairing_tokens = ["{TOKEN}"]\n[arms]\nexplore = 0.0\nbestsellers = 0.0\n'
    config = write_config(tmp_path, model_dir=model_dir, more=more)
    with running_agent(config) as agent, agent.client() as till:
        running = Shop(agent, config, till)

        def open_page(path: str = "/display", **options: Any) -> Page:
            chosen = {
                "viewport": {"width": 1280, "height": 800},
                "locale": "en-GB",
                "reduced_motion": "reduce",
            }
            context = browser.new_context(**(chosen | options))
            running.contexts.append(context)
            page = context.new_page()
            page.on("pageerror", lambda error: running.problems.append(str(error)))
            page.on(
                "console",
                lambda told: running.problems.append(told.text) if "Content Security" in told.text else None,
            )
            page.on(
                "request",
                lambda request: (
                    None if request.url.startswith(agent.url) else running.foreign.append(request.url)
                ),
            )
            page.goto(agent.url + path)
            return page

        running.open_page = open_page
        try:
            yield running
        finally:
            for context in running.contexts:
                context.close()
    assert running.problems == []
    assert running.foreign == [], "the page asked somebody else"
