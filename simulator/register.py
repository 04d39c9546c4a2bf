"""A whole simulated register: an agent of its own that enrols by itself, a camera, a till, customers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator.bank import CharacterBank
from simulator.chains import Chain, Shop
from simulator.demo.agent_process import AgentProcess, Settings
from simulator.demo.errors import AgentFailedError
from simulator.demo.live_state import LiveState
from simulator.demo.one_shop import OneShop, serve_one_shop

TRY_AGAIN_S = 2.0
ENROLS_WITHIN_S = 120.0
"""A stack that has just been started takes its time until the enrolment service answers."""


@dataclass(frozen=True, slots=True)
class SimulatedRegister:
    """Which register, and where it lives."""

    chain: Chain
    shop: Shop
    register: str
    folder: Path
    """Kept: a register that is started again goes on with its keys, its spool and its journal."""
    ring: Path
    model: Path
    enrol_url: str | None
    """Enrolment service; None: the register keeps to itself."""
    code_file: Path | None
    """Where the one-time code lies, or will lie soon."""
    seed: int
    seconds: float | None


async def run_register(
    options: SimulatedRegister, bank: CharacterBank, say: Callable[[str], None]
) -> LiveState:
    """Enrol if need be, then serve customers until the time is over, SIGINT or SIGTERM.

    Raises:
        AgentFailedError: It could not enrol, or its agent did not get ready.
    """
    agent = AgentProcess(f"{options.chain.tenant}/{options.register}", options.folder)
    settings: Settings = {
        "tenant": options.chain.tenant,
        "store": options.shop.id,
        "register": options.register,
        "shop_kind": options.shop.kind,
        "model_dir": str(options.model.resolve()),
        "camera": {"source": f"synthetic:{options.ring}"},
        "api": {"port": 0},
        "log": {"format": "json"},
        "uplink": {"enabled": options.enrol_url is not None},
    }
    try:
        if options.enrol_url is not None and not (agent.data_dir / "uplink" / "identity.json").is_file():
            agent.configure(settings)
            await _enrol(agent, options, say)
        await agent.start(settings)
        await agent.wait_ready()
        say(f"{agent.name} answers at {agent.url}")
        shop = OneShop(
            chain=options.chain,
            shop=options.shop,
            url=agent.url,
            token=agent.token,
            ring=options.ring,
            seed=options.seed,
            seconds=options.seconds,
        )
        return await serve_one_shop(shop, bank)
    finally:
        await agent.stop()


async def _enrol(agent: AgentProcess, options: SimulatedRegister, say: Callable[[str], None]) -> None:
    """Wait for the code, then use it; the service may still be starting."""
    assert options.enrol_url is not None, "there is a service to enrol at"
    assert options.code_file is not None, "and a code"
    said = ["there was no code"]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ENROLS_WITHIN_S):
            while True:
                if options.code_file.is_file() and (code := options.code_file.read_text().strip()):
                    status, words = await agent.command("enrol", "--url", options.enrol_url, "--code", code)
                    if status == 0:
                        say(f"{agent.name} is enrolled")
                        return
                    if words != said[-1]:
                        # The first one counts: it may have used the code, and then that is all that is told.
                        said.append(words)
                        say(words)
                await asyncio.sleep(TRY_AGAIN_S)
    raise AgentFailedError(
        f"{agent.name} could not enrol within {ENROLS_WITHIN_S:g} s",
        remedy=f"Its code should lie in {options.code_file}. What was tried:\n" + "\n".join(said[1:] or said),
    )
