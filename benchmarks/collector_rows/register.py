"""What the uplink costs the till: making and spooling a frame, and requests while a backlog drains."""

import contextlib
import gc
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from benchmarks import cloud_stack, register_identity, servers
from benchmarks.http_client import time_requests
from benchmarks.measure import spread
from benchmarks.pictures import camera_frames
from benchmarks.processes import ProgramError, running, wait_until
from benchmarks.servers import Server, new_folder
from benchmarks.setting import ROOT, NotRunError, Outcome, Setting
from benchmarks.till import PICTURE_BYTES
from benchmarks.verdict import Figure, Goal
from edge_agent.adapters.uplink.assembly import spool_path
from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.uplink.consent_desk import ConsentDesk, Yes
from edge_agent.uplink.packaging import JpegFrame, Packager, Stamp
from edge_agent.uplink.spool_rules import SpoolBounds
from edge_agent.uplink.spooled import Outgoing, Write
from inference import jpeg
from tests.builders.frame_sender import Sender
from tests.builders.wire_messages import PAYLOADS
from wire_protocol.consent import Method, Purpose, verify_receipt
from wire_protocol.envelope import KeyRecord
from wire_protocol.identifiers import uuid7
from wire_protocol.keys import SigningKey
from wire_protocol.messages import InteractionUp
from wire_protocol.topics import Up

_STORE: Final = "bench"
_DAY_MS: Final = 86_400_000
_FRAME_PERIOD_S: Final = 0.02
_SIZE: Final = (640, 480)
_CAMERA: Final = (1280, 720, 30.0)
_BACKLOG: Final = {Up.CONSENT: 1_000, Up.INTERACTION: 1_000, Up.FRAME: 8_000}
_AT_ONCE: Final = 100
_REQUEST_PERIOD_S: Final = 0.01
_PHASE_S: Final = 4.0
_SETTLE_S: Final = 1.0
_UPLINK = """
[uplink]
enabled = true
"""


class _Clock:
    """The machine's."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        return time.monotonic_ns()

    def local(self) -> tuple[float, int]:
        return 12.0, 0


def seal_and_spool(setting: Setting) -> Outcome:
    """`ConsentDesk.file_frame` on the register's own spool: HPKE, COSE, SQLite; one per 20 ms.

    As in the agent, the spool is flushed after each frame, when nobody waits; its own line tells of that.
    """
    outcome = Outcome()
    sender, receipts = cloud_stack.new_sender(), SigningKey.generate()
    anchors = register_identity.anchors(sender, receipts)
    count, warm_up = setting.count(1500, 100), 20
    folder = setting.work_dir / "seal"
    folder.mkdir()
    spool = SqliteSpool(folder / "spool.db", _Clock())
    spool.add_blanks(register_identity.blanks(sender, anchors, count + warm_up))
    desk = ConsentDesk(
        packager=Packager(sender.identity, sender.key, _STORE),
        anchors=anchors,
        spool=spool,
        secret=os.urandom(32),
        valid_ms=365 * _DAY_MS,
        randomness=_random,
    )
    yes = Yes((Purpose.TRAINING,), os.urandom(32), "en", Method.TOUCH)
    pictures = [
        jpeg.encode(pixels, max_height=_SIZE[1]).jpeg.tobytes()
        for pixels in camera_frames(setting.model_dir, *_SIZE, 20)
    ]
    samples, flushes = [], []
    setting.say(f"{count} frames, one per {_FRAME_PERIOD_S * 1000:g} ms")
    gc.collect()
    gc.freeze()
    for number in range(count + warm_up):
        now_ms = time.time_ns() // 1_000_000
        granted = desk.grant(uuid7(now_ms, os.urandom(10)), yes, now_ms)
        picture = JpegFrame(bytearray(pictures[number % len(pictures)]), *_SIZE, now_ms)
        begun = time.perf_counter()
        kept = desk.file_frame(granted, picture, now_ms, dict)
        took_s = time.perf_counter() - begun
        if not kept:
            raise ProgramError("the spool did not keep a frame")
        flushing = time.perf_counter()
        spool.flush()
        flush_s = time.perf_counter() - flushing
        if number >= warm_up:
            samples.append(took_s * 1000)
            flushes.append(flush_s * 1000)
        time.sleep(max(0.0, _FRAME_PERIOD_S - (time.perf_counter() - begun)))
    spool.close()
    found, after = spread(samples), spread(flushes)
    size = sum(map(len, pictures)) / len(pictures)
    outcome.details |= {
        "ms": found.as_json(),
        "flush_afterwards_ms": after.as_json(),
        "mean_jpeg_bytes": round(size),
    }
    outcome.figures += [
        Figure("seal + sign + spool of a frame on the register: p99", found.p99, "ms", Goal(2.0)),
        Figure("  p50", found.p50, "ms", note=f"JPEG of {size / 1000:.0f} KB on average"),
        Figure("  flush afterwards, nobody waits: p99", after.p99, "ms"),
    ]
    return outcome


def backlog(setting: Setting) -> Outcome:
    """A till's requests while 10,000 messages drain at the default pace, over those while none do.

    Draining is switched on and off every few seconds by stopping the collector (SIGSTOP): no receipt comes,
    so the window is full and the agent waits. Agent and client share one core, all else has the others.
    """
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        raise NotRunError("it needs two cores: one for agent and client, one for the far end")
    outcome = Outcome()
    tenant = json.loads((setting.model_dir / "manifest.json").read_text(encoding="utf-8"))["tenant"]
    sender = cloud_stack.new_sender(tenant, "bench-1")
    try:
        os.sched_setaffinity(0, cores[1:])  # what is started from here on inherits it
        with (
            cloud_stack.stand_in(setting.work_dir / "sink-backlog") as s3,
            cloud_stack.stack(setting, "backlog", s3, sender) as cloud,
            cloud.collector() as collector,
            servers.camera(setting, width=_CAMERA[0], height=_CAMERA[1], fps=_CAMERA[2]) as lens,
        ):
            folder = new_folder(setting.work_dir, "agent-backlog")
            data_dir = folder / "data"
            register_identity.install(data_dir, cloud, sender, _STORE)
            waiting = {kind: setting.count(many, many // 10) for kind, many in _BACKLOG.items()}
            setting.say(f"writing {sum(waiting.values())} messages into the spool")
            _fill(spool_path(data_dir), sender, waiting)
            os.sched_setaffinity(0, cores[:1])
            with _agent(setting, folder, lens) as till:
                found = _measure(setting, till, collector)
    finally:
        os.sched_setaffinity(0, cores)
    return _told(outcome, found)


def _random(length: int) -> bytes:
    return os.urandom(length)


def _measure(
    setting: Setting, till: Server, collector: "subprocess.Popen[bytes]"
) -> dict[str, list[float] | int]:
    request = till.request("POST", "/v1/interactions", b"{}")
    count = round(_PHASE_S / _REQUEST_PERIOD_S)
    idle: list[float] = []
    draining: list[float] = []
    spooled = _spooled(till)
    setting.say(f"{spooled} messages wait; phases of {_PHASE_S:g} s with and without draining")
    with till.connect() as client:
        time_requests(client, request, 200, expect=201, period_s=_REQUEST_PERIOD_S)
        for _ in range(setting.count(25, 2)):
            for samples, number in ((idle, signal.SIGSTOP), (draining, signal.SIGCONT)):
                collector.send_signal(number)
                time.sleep(_SETTLE_S)
                samples.extend(time_requests(client, request, count, expect=201, period_s=_REQUEST_PERIOD_S))
    left = _spooled(till)
    if left >= spooled:
        raise ProgramError(f"nothing drained: {spooled} messages waited before, {left} after")
    return {"idle": idle, "draining": draining, "before": spooled, "after": left}


def _told(outcome: Outcome, found: dict[str, list[float] | int]) -> Outcome:
    idle, draining = found["idle"], found["draining"]
    assert isinstance(idle, list)
    assert isinstance(draining, list)
    without, during = spread(idle), spread(draining)
    outcome.details |= {
        "ms": {"without": without.as_json(), "while_draining": during.as_json()},
        "spooled_before": found["before"],
        "spooled_after": found["after"],
    }
    drained = f"{found['before']} messages waited, {found['after']} at the end"
    note = f"{during.p99:.2f} over {without.p99:.2f} ms; {drained}"
    outcome.figures += [
        Figure(
            "POST /v1/interactions while a backlog drains, p99 over that without",
            during.p99 / without.p99,
            "x",
            Goal(1.1),
            note,
        ),
        Figure("  p50 over that without", during.p50 / without.p50, "x"),
    ]
    return outcome


def _fill(path: Path, sender: Sender, waiting: dict[Up, int]) -> None:
    """Real messages, packaged by the register's own code, straight into its spool."""
    packager = Packager(sender.identity, sender.key, _STORE)
    spool = SqliteSpool(path, _Clock(), SpoolBounds(max_bytes=2 << 30))
    keys = {sender.key.kid: KeyRecord(sender.key.verification_key)}.get
    consent_keys = {sender.consent_key.kid: KeyRecord(sender.consent_key.verification_key)}.get
    noise = os.urandom(PICTURE_BYTES)
    sender.now_ms = time.time_ns() // 1_000_000
    batch: list[Outgoing] = []
    for kind, many in waiting.items():
        for number in range(many):
            stamp = Stamp(os.urandom(16), spool.next_sequence(), sender.now_ms)
            interaction = sender.interaction()
            if kind is Up.INTERACTION:
                batch.append(_interaction(packager, sender, stamp))
            else:
                blank = sender.blank()
                receipt = sender.receipt(blank, interaction)
                if kind is Up.CONSENT:
                    batch.append(packager.consent(stamp, receipt, blank.blank, interaction))
                else:
                    agreed = verify_receipt(receipt, keys, consent_keys)
                    picture = JpegFrame(noise, *_SIZE, sender.now_ms)
                    batch.append(packager.frame(stamp, picture, receipt, agreed))
            if len(batch) == _AT_ONCE or number == many - 1:
                spool.write(Write(messages=tuple(batch)))
                batch.clear()
    spool.close()


def _interaction(packager: Packager, sender: Sender, stamp: Stamp) -> Outgoing:
    plain = PAYLOADS[Up.INTERACTION]
    assert isinstance(plain, InteractionUp)
    payload = replace(plain, interaction=sender.interaction(), shown_at=stamp.at_ms)
    return packager.interaction(stamp.sequence, stamp.at_ms, payload)


@contextlib.contextmanager
def _agent(setting: Setting, folder: Path, lens: Server) -> Iterator[Server]:
    """The real agent with its uplink, ready, and connected to the broker."""
    config, log = folder / "edge.toml", folder / "log"
    text = servers.agent_config(
        setting.model_dir, folder / "data", camera_source=lens.url, fps=_CAMERA[2], always_model=False
    )
    config.write_text(text + _UPLINK, encoding="utf-8")
    with running(servers.agent_command(config), log=log, cwd=ROOT) as process:
        how = {"process": process, "log": log, "timeout_s": 60.0}
        server = wait_until(lambda: servers.reachable(folder / "data", process, log), what="agent", **how)  # type: ignore[arg-type]
        wait_until(lambda: servers.recommended(server), what="agent's first model answer", **how)  # type: ignore[arg-type]
        wait_until(lambda: True if _online(server) else None, what="agent's connection", **how)  # type: ignore[arg-type]
        yield server


def _online(till: Server) -> bool:
    return bool(_uplink(till)["connected"])


def _spooled(till: Server) -> int:
    lanes = _uplink(till)["lanes"]
    return sum(int(lane["spooled"]) for lane in lanes.values())


def _uplink(till: Server) -> dict[str, Any]:
    status, body = till.ask("GET", "/v1/uplink", b"")
    if status != 200:
        raise ProgramError(f"the agent refuses to tell of its uplink: {status} {body[:200]!r}")
    said: dict[str, Any] = json.loads(body)
    return said
