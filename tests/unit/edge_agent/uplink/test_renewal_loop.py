"""The certificate's life, moved by hand."""

import logging

import pytest

from edge_agent.uplink.certificate_life import MS_PER_DAY, CertificateLife
from edge_agent.uplink.renewal_loop import Certificate
from wire_protocol.errors import OperatorError


class Shop:
    """A certificate of ninety days and a server that may be away."""

    def __init__(self) -> None:
        self.now_ms = 0
        self.away = False
        self.asked = self.reconnected = 0
        self.certificate = Certificate(
            CertificateLife(0, 90 * MS_PER_DAY), self.renew, self.reconnect, lambda: self.now_ms
        )

    def renew(self) -> CertificateLife:
        self.asked += 1
        if self.away:
            raise OperatorError("the server is away", remedy="Wait.")
        return CertificateLife(self.now_ms, self.now_ms + 90 * MS_PER_DAY)

    def reconnect(self) -> None:
        self.reconnected += 1

    async def on_day(self, day: float) -> None:
        self.now_ms = round(day * MS_PER_DAY)
        await self.certificate.look()


async def test_it_is_renewed_at_two_thirds_and_used_at_once_t20() -> None:
    """T20: asked once, connected anew, and then all is well for another sixty days."""
    shop = Shop()
    for day in (0, 59, 60, 61, 119):
        await shop.on_day(day)
    assert (shop.asked, shop.reconnected) == (1, 1)
    await shop.on_day(120)
    assert shop.asked == 2


async def test_alarms_come_once_each_and_expiry_asks_for_a_new_enrolment_t20(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """T20: 30, 14, 3 days and the end; the loop lives on through all of them."""
    caplog.set_level(logging.ERROR)
    shop = Shop()
    shop.away = True
    for day in range(60, 95):
        await shop.on_day(day)
    assert [record.getMessage() for record in caplog.records] == ["certificate.ends"] * 3 + [
        "certificate.expired"
    ]
    assert "edge enrol --again" in caplog.records[-1].topscoop_fields["remedy"]  # type: ignore[attr-defined]
    assert shop.reconnected == 0
