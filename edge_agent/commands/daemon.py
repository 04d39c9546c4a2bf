"""The running agent: its parts are made here, watched as one task group, and taken apart in reverse."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Awaitable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson
import uvloop

from daemon import event_log as logs
from daemon.log_fields import fields
from edge_agent.adapters.cameras import open_camera
from edge_agent.adapters.clock import SystemClock
from edge_agent.adapters.data_folder import DataFolder
from edge_agent.adapters.durable import write_durably
from edge_agent.adapters.http.access import LOOPBACK_NAMES, AccessRules
from edge_agent.adapters.http.app import create_app
from edge_agent.adapters.http.listening import bind_tcp, bind_unix, host_name
from edge_agent.adapters.http.pairing import kept_token
from edge_agent.adapters.http.server import ApiServer
from edge_agent.adapters.http.services import Services
from edge_agent.adapters.journal_sqlite import SqliteJournal, limits
from edge_agent.adapters.memory import settle
from edge_agent.adapters.metrics import Metrics
from edge_agent.adapters.randomness import system_randomness
from edge_agent.adapters.systemd import ServiceManager
from edge_agent.adapters.version import agent_version
from edge_agent.agent import Agent
from edge_agent.camera_spec import parse_camera_spec
from edge_agent.commands.first_model import (
    begin_with_releases,
    ended_in_order,
    floor_of,
    load_installed,
    take_releases,
    with_something_to_show,
)
from edge_agent.config import EdgeConfig
from edge_agent.events import EventHub
from edge_agent.heartbeat import Heartbeat
from edge_agent.model_slot import ModelSlot
from edge_agent.ports import Camera
from edge_agent.presence_loop import PresenceWatch, watch_presence
from edge_agent.updates.steps import Stepped, unheard
from edge_agent.upkeep_loop import BEAT_EVERY_S, upkeep
from inference import FlavourModel

if TYPE_CHECKING:
    from edge_agent.adapters.updates.beginning import Beginning
    from edge_agent.adapters.uplink.assembly import Uplink

log = logging.getLogger(__name__)

ADDRESS_FILE: Final = "api.json"
"""In the data folder while the agent runs: {"url", "pid"}, for tools that do not know the port."""
_EXIT_OK: Final = 0
_EXIT_FAILED: Final = 1


class TaskEndedError(RuntimeError):
    """A task that must live as long as the agent returned."""


@dataclass(frozen=True)
class Running:
    """What the task group needs."""

    config: EdgeConfig
    agent: Agent
    events: EventHub
    heartbeat: Heartbeat
    clock: SystemClock
    metrics: Metrics
    server: ApiServer
    url: str
    manager: ServiceManager
    uplink: "Uplink | None"
    beginning: "Beginning | None"


def start(config: EdgeConfig, stepped: Stepped = unheard) -> int:
    """Run one agent until a signal ends it.

    Args:
        config: What it is told.
        stepped: Told after every step of an update of the model; tests end the process there.

    Raises:
        PortBusyError, ConfigError, DataFolderError, IdentityError: Nothing was started.
    """
    logs.set_up(config.log.format, config.log.level)
    with ExitStack() as parts:
        running = _assemble(config, parts, stepped)
        status = uvloop.run(_live(running))
        if status == _EXIT_OK:
            ended_in_order(running.uplink, running.beginning)
        return status


def _assemble(config: EdgeConfig, parts: ExitStack, stepped: Stepped) -> Running:
    """Make every part; `parts` takes them apart in reverse: uplink, camera, journal, folder, sockets."""
    camera_spec = parse_camera_spec(config.camera.source)
    sockets = _listen(config, parts)
    port = sockets[0].getsockname()[1]
    clock = SystemClock()
    folder = parts.enter_context(DataFolder(config.data_dir, system_randomness))
    store, writer = limits(config.journal)
    journal = SqliteJournal(
        folder.journal_path, clock=clock, randomness=system_randomness, store=store, writer=writer
    )
    parts.callback(journal.close)
    slot = ModelSlot(FlavourModel.load, tenant=config.tenant)
    beginning = begin_with_releases(slot, config, clock)
    if beginning is None:
        model_dir = load_installed(slot, config)
    else:
        model_dir = beginning.installed or config.model_dir
        config = with_something_to_show(config, slot, beginning.installed)
    camera = open_camera(camera_spec, settings=config.camera, clock=clock, model_dir=model_dir)
    parts.callback(camera.close)
    events = EventHub(first_id=clock.now_ms())
    metrics = Metrics()
    uplink = None
    if config.uplink.enabled:
        around = _Around(config, folder, clock, events, slot, camera, beginning, stepped)
        uplink = _open_uplink(around)
    if uplink is not None:
        parts.callback(uplink.close)
    agent = Agent(
        config=config,
        camera=camera,
        model_slot=slot,
        journal=journal,
        clock=clock,
        events=events,
        randomness=system_randomness,
        receipt_key=folder.receipt_key,
        observe=metrics.recommended,
        keep=None if uplink is None else uplink.consents.keep,
        watch=None if uplink is None else uplink.watched,
        signed_only=lambda: floor_of(uplink, beginning) > 0,
    )
    if uplink is not None:
        take_releases(uplink, agent, slot)
    heartbeat = Heartbeat(clock.monotonic_ns())
    metrics.watch(agent.status, events, lambda: heartbeat.age_s(clock.monotonic_ns()))
    services = Services(agent, events, heartbeat, clock, metrics.registry, agent_version(), uplink)
    if uplink is not None:
        metrics.registry.register(uplink.metrics)
        if uplink.releases is not None:
            metrics.registry.register(uplink.releases.metrics)
    rules = AccessRules(LOOPBACK_NAMES, port, config.api.allowed_origins, _tokens(config))
    return Running(
        config=config,
        agent=agent,
        events=events,
        heartbeat=heartbeat,
        clock=clock,
        metrics=metrics,
        server=ApiServer(create_app(services, rules, metrics.answered), sockets),
        url=f"http://{host_name(config.api.host)}:{port}",
        manager=ServiceManager(os.environ, os.getpid()),
        uplink=uplink,
        beginning=beginning,
    )


@dataclass(frozen=True)
class _Around:
    """What the uplink shares."""

    config: EdgeConfig
    folder: DataFolder
    clock: SystemClock
    events: EventHub
    slot: ModelSlot
    camera: Camera
    beginning: "Beginning | None"
    stepped: Stepped


def _open_uplink(around: _Around) -> "Uplink | None":
    """The way to the cloud; imported here, so that its libraries cost nobody else a start."""
    from edge_agent.adapters.uplink.assembly import Surroundings, open_uplink

    slot, camera = around.slot, around.camera

    def model() -> tuple[str, str] | None:
        return None if slot.current is None else (slot.current.digest, slot.current.manifest.version)

    return open_uplink(
        Surroundings(
            around.config,
            around.folder,
            around.clock,
            around.events,
            system_randomness,
            model,
            agent_version(),
            camera=lambda: camera.state().value,
            beginning=around.beginning,
            stepped=around.stepped,
        )
    )


def _listen(config: EdgeConfig, parts: ExitStack) -> list[socket.socket]:
    """The TCP socket first; a busy port is found before anything else was touched."""
    sockets = [parts.enter_context(contextlib.closing(bind_tcp(config.api)))]
    if (path := config.api.unix_socket) is not None:
        sockets.append(parts.enter_context(contextlib.closing(bind_unix(path))))
        parts.callback(path.unlink, missing_ok=True)
    return sockets


def _tokens(config: EdgeConfig) -> tuple[str, ...]:
    if config.api.pairing_tokens:
        return config.api.pairing_tokens
    token, path = kept_token(config.data_dir, system_randomness)
    log.info("pairing.ready", extra=fields(file=str(path)))
    return (token,)


async def _live(running: Running) -> int:
    """All tasks, until a signal; any task's death ends the agent."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        async with asyncio.TaskGroup() as group:
            serving = group.create_task(_until(stop, running.server.serve(), "api"), name="api")
            loops = _start_loops(running, stop, group)
            await running.server.started.wait()
            _announce(running)
            await stop.wait()
            await _shut_down(running, serving, loops)
    except ExceptionGroup as deaths:
        # Whatever a task died of: the parts are still closed in order, and the service manager starts anew.
        for death in deaths.exceptions:
            log.critical("agent.failed", exc_info=death, extra=fields(error=str(death)))
        return _EXIT_FAILED
    return _EXIT_OK


def _start_loops(running: Running, stop: asyncio.Event, group: asyncio.TaskGroup) -> list[asyncio.Task[None]]:
    loops = [
        group.create_task(
            _until(
                stop,
                upkeep(
                    running.agent,
                    running.heartbeat,
                    running.clock,
                    late=running.metrics.ticked,
                    alive=running.manager.alive,
                    beat_every_s=min(BEAT_EVERY_S, running.manager.watchdog_interval_s or BEAT_EVERY_S),
                ),
                "upkeep",
            ),
            name="upkeep",
        )
    ]
    presence = running.config.presence
    if presence.enabled:
        watch = PresenceWatch(running.agent, config=presence, clock=running.clock, events=running.events)
        loops.append(
            group.create_task(
                _until(stop, watch_presence(watch, check_every_ms=presence.check_every_ms), "presence"),
                name="presence",
            )
        )
    if running.uplink is not None:
        loops += [
            group.create_task(_until(stop, work, name), name=name) for name, work in running.uplink.loops()
        ]
    return loops


async def _until(stop: asyncio.Event, work: Awaitable[None], name: str) -> None:
    """Run `work`; its end before `stop` is a death."""
    await work
    if not stop.is_set():
        raise TaskEndedError(f"the task {name} ended although nobody stopped it")


def _announce(running: Running) -> None:
    """Tell everybody that the agent answers."""
    settle()
    address = orjson.dumps({"url": running.url, "pid": os.getpid()})
    write_durably(running.config.data_dir / ADDRESS_FILE, address)
    running.manager.ready(f"answering at {running.url}")
    log.info("agent.ready", extra=fields(url=running.url, display=f"{running.url}/display", pid=os.getpid()))


async def _shut_down(running: Running, serving: asyncio.Task[None], loops: list[asyncio.Task[None]]) -> None:
    """The one order: streams, requests, loops; `_assemble`'s parts follow when the loop is gone."""
    log.info("agent.stopping", extra=fields(url=running.url))
    running.manager.stopping()
    (running.config.data_dir / ADDRESS_FILE).unlink(missing_ok=True)
    running.events.close()
    running.server.stop()
    await serving
    if running.uplink is not None:
        await running.uplink.settle()
    for task in loops:
        task.cancel()
