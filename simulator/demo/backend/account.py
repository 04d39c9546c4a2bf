"""What became of every picture, summed over registers, and how long receipts took. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from prometheus_client.parser import text_string_to_metric_families

from simulator.demo.scoreboard import Quantiles

_RECEIPT_METRIC = "topscoop_uplink_receipt_seconds"


@dataclass(frozen=True, slots=True)
class FrameAccount:
    """One register's pictures, or those of several together."""

    captured: int = 0
    stored: int = 0
    refused: int = 0
    gone: int = 0
    dropped: int = 0
    without_consent: int = 0
    spooled: int = 0

    @classmethod
    def of_lane(cls, lane: Mapping[str, Any]) -> Self:
        """From the lane `frames` of an agent's `GET /v1/uplink`."""
        return cls(
            captured=lane["captured"],
            stored=lane["stored"],
            refused=lane["refused"],
            gone=lane["gone"],
            dropped=sum(lane["dropped"].values()),
            without_consent=lane["without_consent"],
            spooled=lane["spooled"],
        )

    @property
    def lost(self) -> int:
        """What the equation lacks: worked out here, not taken from the agents."""
        ended = self.stored + self.refused + self.gone + self.dropped + self.without_consent
        return self.captured - ended - self.spooled

    def __add__(self, other: FrameAccount) -> FrameAccount:
        """Both together."""
        return FrameAccount(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))


def receipt_quantiles_ms(metrics: Iterable[str]) -> Quantiles | None:
    """From publishing to the signed receipt, estimated from the histograms of several agents' `/metrics`.

    Within a bucket values are taken to be spread evenly, as Prometheus does. None before the first receipt.
    """
    counts: dict[float, float] = {}
    for text in metrics:
        for family in text_string_to_metric_families(text):
            if family.name == _RECEIPT_METRIC:
                for sample in family.samples:
                    if sample.name.endswith("_bucket"):
                        bound = float(sample.labels["le"])
                        counts[bound] = counts.get(bound, 0.0) + sample.value
    buckets = sorted(counts.items())
    if not buckets or buckets[-1][1] == 0:
        return None
    return Quantiles(_quantile(buckets, 0.50) * 1000, _quantile(buckets, 0.99) * 1000)


def _quantile(buckets: list[tuple[float, float]], share: float) -> float:
    wanted = share * buckets[-1][1]
    low, before = 0.0, 0.0
    for high, count in buckets:
        if count >= wanted:
            # Beyond the last bound nothing is known but that it is longer.
            return low if high == float("inf") else low + (high - low) * (wanted - before) / (count - before)
        low, before = high, count
    raise AssertionError("the last bucket holds everything")
