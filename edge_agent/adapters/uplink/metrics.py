"""The uplink's metrics: what was counted durably, and how things stand; read when somebody scrapes."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from edge_agent.uplink.handover_desk import Result
from edge_agent.uplink.spooled import SpoolStats

if TYPE_CHECKING:
    from edge_agent.adapters.uplink.assembly import Uplink

_RECEIPT_BUCKETS_S: Final = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300)
_ACCOUNT: Final = {
    "captured": "Messages that were captured, by lane.",
    "stored": "Ended by the cloud's receipt.",
    "refused": "Ended by the cloud's refusal.",
    "gone": "Ended because their consent did.",
    "without_consent": "Pictures that nobody consented to; overwritten in memory.",
}


class UplinkMetrics:
    """Collects from an `Uplink`."""

    def __init__(self, uplink: "Uplink") -> None:
        self._uplink = uplink
        # Its own registry is never scraped: `collect` hands its samples on.
        self._receipt = Histogram(
            "topscoop_uplink_receipt_seconds",
            "From publishing a message to the cloud's signed receipt.",
            buckets=_RECEIPT_BUCKETS_S,
            registry=CollectorRegistry(),
        )

    def receipt_after(self, seconds: float) -> None:
        """A receipt came so long after its message was published."""
        self._receipt.observe(seconds)

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment; asks neither disk nor network."""
        uplink = self._uplink
        figures, deliverer = uplink.care.figures, uplink.deliverer
        yield from self._receipt.collect()
        now = {
            "connected": ("1 while the broker has accepted the register.", deliverer.is_connected),
            "blanks_left": ("Consent blanks that can be used.", figures.blanks_left),
            "held_frames": ("Pictures in memory that wait for an answer.", uplink.consents.held),
            "spool_refuses": ("1 while the disk refuses the spool.", figures.spool_refuses),
            "clock_behind": ("1 while the till's clock is behind the cloud's.", figures.clock_behind),
            "certificate_days_left": (
                "Days until the certificate ends.",
                uplink.certificate.life.days_left(uplink.now_ms()),
            ),
        }
        for name, (meaning, value) in now.items():
            yield GaugeMetricFamily(f"topscoop_uplink_{name}", meaning, value=float(value))
        refusals = CounterMetricFamily(
            "topscoop_uplink_refusals", "The cloud's refusals since the start.", labels=["lane", "reason"]
        )
        for (lane, reason), count in deliverer.refused.items():
            refusals.add_metric([lane.label, reason], count)
        yield refusals
        not_believed = CounterMetricFamily(
            "topscoop_uplink_downlink_refused",
            "Messages from above that were not believed.",
            labels=["reason"],
        )
        for reason, count in deliverer.not_believed.items():
            not_believed.add_metric([reason], count)
        yield not_believed
        if uplink.handovers is not None:
            answers = CounterMetricFamily(
                "topscoop_uplink_handovers",
                "Answers of customers' phones, by what became of them.",
                labels=["result"],
            )
            for result in Result:
                answers.add_metric([result.value], uplink.handovers.results[result])
            yield answers
        if figures.stats is not None:
            yield from _of_spool(figures.stats)

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask an uplink that is not complete yet."""
        return ()


def _of_spool(stats: SpoolStats) -> Iterator[Metric]:
    accounts = {lane.label: of_lane.account for lane, of_lane in stats.lanes.items()}
    for name, meaning in _ACCOUNT.items():
        family = CounterMetricFamily(f"topscoop_uplink_{name}", meaning, labels=["lane"])
        for lane, account in accounts.items():
            family.add_metric([lane], getattr(account, name))
        yield family
    dropped = CounterMetricFamily(
        "topscoop_uplink_dropped", "Given up by the register itself.", labels=["lane", "reason"]
    )
    for lane, account in accounts.items():
        for reason, count in account.dropped.items():
            dropped.add_metric([lane, reason.value], count)
    yield dropped
    waiting = {
        "spooled": ("Messages that wait.", {lane: one.spooled for lane, one in accounts.items()}),
        "lost": ("What the account lacks; always 0.", {lane: one.lost for lane, one in accounts.items()}),
        "spooled_bytes": (
            "Bytes that wait.",
            {lane.label: one.size_bytes for lane, one in stats.lanes.items()},
        ),
        "set_aside": (
            "Messages that cannot be delivered as things are.",
            {lane.label: sum(one.set_aside.values()) for lane, one in stats.lanes.items()},
        ),
    }
    for name, (meaning, values) in waiting.items():
        gauge = GaugeMetricFamily(f"topscoop_uplink_{name}", meaning, labels=["lane"])
        for lane, value in values.items():
            gauge.add_metric([lane], value)
        yield gauge
