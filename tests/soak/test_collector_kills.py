"""A minute of load over real services while everything is killed, again and again, in an order by chance."""

from __future__ import annotations

import os
import random
import threading
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from cloud.database import schema
from tests.builders.collector_stack import CollectorStack, Register, now_ms, registers
from tests.builders.frame_sender import Sender, Sent
from wire_protocol.messages import Verdict

if TYPE_CHECKING:
    from pathlib import Path

    from tests.builders.ceph_s3 import CephS3
    from tests.builders.mosquitto import Mosquitto

pytestmark = [pytest.mark.soak, pytest.mark.service, pytest.mark.timeout(900)]

LOAD_S = 60
TILLS = 4
FRAMES_A_SECOND = 5
"""Of each till."""


class Shop:
    """A till that consents and sells until it is told to stop; the process that sends is cut off as well."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.sent: list[Sent] = []
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._open, name=register.sender.register, daemon=True)

    def _open(self) -> None:
        while not self.ended.wait(1 / FRAMES_A_SECOND):
            sender = self.register.sender
            batch = [sender.frame(sealed=os.urandom(20_000)), sender.interaction_record(), sender.outcome()]
            self.sent += batch
            self.register.send(*batch)


@pytest.mark.parametrize("seed", [3, 41])
def test_a_minute_of_everything(tmp_path: Path, mosquitto: Mosquitto, real_s3: CephS3, seed: int) -> None:
    """Two collectors, four tills, kills every few seconds: nothing lost, one row and version a message.

    T3, T4, T17, T18; the tills themselves are cut off at random and go on from what has no receipt.
    """
    chance = random.Random(seed)
    with ExitStack() as stack:
        first = stack.enter_context(CollectorStack(tmp_path / "cloud", mosquitto, real_s3, lease_s=3))
        second = first.beside(tmp_path / "second")
        stack.callback(second.stop)
        key = Sender(now_ms=now_ms())
        senders = [
            Sender(
                tenant=f"chain-{number % 2}",
                register=f"till-{number}",
                consent_key=key.consent_key,
                now_ms=now_ms(),
            )
            for number in range(TILLS)
        ]
        first.enrol(*senders)
        first.start()
        second.start()
        shops = [Shop(stack.enter_context(register)) for register in registers(first, senders)]
        for shop in shops:
            shop.thread.start()
        ends_at = time.monotonic() + LOAD_S
        while time.monotonic() < ends_at:
            time.sleep(chance.uniform(0.5, 3))  # load between the kills, not something to wait for
            kill, restart = chance.choice(
                [
                    (first.kill, first.start),
                    (second.kill, second.start),
                    (mosquitto.kill, mosquitto.start),
                    (real_s3.kill_gateway, real_s3.start_gateway),
                    (real_s3.kill_store, real_s3.start_store),
                    (chance.choice(shops).register.cut, lambda: None),
                ]
            )
            kill()
            time.sleep(chance.uniform(0, 1))
            restart()
        for shop in shops:
            shop.ended.set()
            shop.thread.join()
        for shop in shops:
            receipts = shop.register.answers(*shop.sent, timeout_s=180)
            assert {(one.verdict, one.reason) for one in receipts} == {(Verdict.STORED, None)}, f"seed {seed}"
        first.terminate()
        second.terminate()
        first.sweep(after_ms=11 * 60_000)
        for tenant in ("chain-0", "chain-1"):
            sent = [one for shop in shops for one in shop.sent if one.topic.identity.tenant == tenant]
            frames = first.rows(schema.frames, tenant)
            named = sorted((row.object_key, row.version) for row in frames)
            assert sorted(first.versions(tenant)) == named, f"seed {seed}"
            ids = sorted(one.message_id for one in sent)
            assert sorted(row.message_id for row in first.rows(schema.messages, tenant)) == ids
            assert len(frames) == sum(bool(one.consent) for one in sent)
            assert len(first.rows(schema.outcomes, tenant)) == sum(
                one.topic.kind == "outcome" for one in sent
            )
