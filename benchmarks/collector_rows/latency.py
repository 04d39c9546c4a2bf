"""What a register waits for: the broker's PUBACK, the collector's signed receipt; one message at a time."""

import contextlib
import sys
import time
from collections.abc import Iterator
from unittest import mock

from benchmarks import cloud_stack
from benchmarks.baselines.lean_publisher import LeanPublisher
from benchmarks.cloud_stack import CloudStack
from benchmarks.measure import spread
from benchmarks.processes import ProgramError, running, wait_until
from benchmarks.register_link import TimedLink, linked
from benchmarks.servers import new_folder
from benchmarks.setting import ROOT, Outcome, Setting
from benchmarks.till import frames
from benchmarks.verdict import Figure, Goal
from cloud.config import S3Config
from edge_agent.adapters.uplink import mqtt_link
from tests.builders.frame_sender import Sender
from wire_protocol import envelope
from wire_protocol.envelope import KeyRecord
from wire_protocol.messages import ReceiptDown, Verdict
from wire_protocol.topics import Down, Topic

_PAUSE_S = 0.01
_RECEIPT_PAUSE_S = 0.05
_WARM_UP = 20


def puback(setting: Setting) -> Outcome:
    """With the link as it is, and with its TCP_NODELAY taken away; somebody takes the messages.

    Beside it the same link without a pause, and a client that does nothing else, with the pause.
    """
    outcome = Outcome()
    sender = cloud_stack.new_sender()
    own: list[float] = []
    without: list[float] = []
    hot: list[float] = []
    lean: list[float] = []
    with (
        cloud_stack.stand_in(setting.work_dir / "sink-puback") as s3,
        cloud_stack.stack(setting, "puback", s3, sender) as cloud,
        _taker(setting, cloud),
    ):
        for _ in range(setting.count(5, 2)):
            with linked(cloud, sender) as link:
                own += _paced(link, sender, setting.count(300, 50))
                hot += _paced(link, sender, setting.count(300, 50), pause_s=0.0)
            with LeanPublisher.connected(cloud, sender) as client:
                lean += _paced(client, sender, setting.count(300, 50))
            with (
                mock.patch.object(mqtt_link, "_without_delay", return_value=None),
                linked(cloud, sender) as link,
            ):
                without += _paced(link, sender, setting.count(60, 20))
    found = {
        "as it is": spread(own),
        "back to back": spread(hot),
        "lean client": spread(lean),
        "without TCP_NODELAY": spread(without),
    }
    outcome.details["ms"] = {name: values.as_json() for name, values in found.items()}
    outcome.figures += [
        Figure("publish → PUBACK of 30 KB over TLS: p99", found["as it is"].p99, "ms", Goal(0.5)),
        Figure("  p50", found["as it is"].p50, "ms"),
        Figure("  a client that does nothing else: p99", found["lean client"].p99, "ms"),
        Figure("  p50", found["lean client"].p50, "ms", note="broker, TLS, and cores that were at rest"),
        Figure("  back to back: p99", found["back to back"].p99, "ms"),
        Figure("  p50", found["back to back"].p50, "ms"),
        Figure(
            "  without TCP_NODELAY: p50",
            found["without TCP_NODELAY"].p50,
            "ms",
            note="what the goal guards against",
        ),
    ]
    return outcome


def receipt(setting: Setting) -> Outcome:
    """Nothing else is sent; over a real S3 server, then over one that only answers."""
    outcome = Outcome()
    with cloud_stack.ceph(setting.work_dir / "ceph-receipt") as s3:
        real = _receipts(setting, s3)
    with cloud_stack.stand_in(setting.work_dir / "sink-receipt") as s3:
        sink = _receipts(setting, s3)
    outcome.details["ms"] = {
        "real S3": spread(real).as_json(),
        "store that only answers": spread(sink).as_json(),
    }
    name = "publish → signed receipt over TLS, idle system"
    outcome.figures += [
        Figure(f"{name}, real S3: p50", spread(real).p50, "ms", Goal(10.0)),
        Figure("  p99", spread(real).p99, "ms"),
        Figure("  store that only answers: p50", spread(sink).p50, "ms"),
    ]
    return outcome


def _receipts(setting: Setting, s3: S3Config) -> list[float]:
    sender = cloud_stack.new_sender()
    topic = Topic(sender.identity, Down.RECEIPT)
    samples = []
    with (
        cloud_stack.stack(setting, "receipt", s3, sender) as cloud,
        cloud.collector(),
        linked(cloud, sender) as link,
    ):
        key = cloud.receipts_key(sender.tenant)
        keys = {key.kid: KeyRecord(key.verification_key)}
        for number, sent in enumerate(frames(sender, _WARM_UP + setting.count(400, 40))):
            took_ms, answer = link.answered_after_ms(sent)
            believed = envelope.verify(envelope.parse(answer.message, topic), keys.get).payload
            if not isinstance(believed, ReceiptDown) or believed.verdict is not Verdict.STORED:
                raise ProgramError(f"a frame was not stored: {believed}")
            if number >= _WARM_UP:
                samples.append(took_ms)
            time.sleep(_RECEIPT_PAUSE_S)
    return samples


def _paced(
    link: TimedLink | LeanPublisher, sender: Sender, count: int, pause_s: float = _PAUSE_S
) -> list[float]:
    samples = []
    for number, sent in enumerate(frames(sender, _WARM_UP + count)):
        took_ms = link.acknowledged_after_ms(sent)
        if number >= _WARM_UP:
            samples.append(took_ms)
        time.sleep(pause_s)
    return samples


@contextlib.contextmanager
def _taker(setting: Setting, cloud: CloudStack) -> Iterator[None]:
    """A process that takes messages and throws them away: the broker delivers, and little else happens."""
    folder = new_folder(setting.work_dir, "taker")
    announcement, log = folder / "announced", folder / "log"
    options = [str(cloud.state_dir), str(cloud.broker.services_port), str(announcement)]
    with running([sys.executable, "-m", "benchmarks.taker", *options], log=log, cwd=ROOT) as process:
        wait_until(
            lambda: True if announcement.exists() else None,
            process=process,
            log=log,
            timeout_s=60,
            what="taker",
        )
        yield
