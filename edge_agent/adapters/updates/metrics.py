"""The metrics of the register's releases; read when somebody scrapes."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from edge_agent.updates.figures import UpdateFigures
from wire_protocol.fleet_messages import UpdateState

if TYPE_CHECKING:
    from edge_agent.adapters.updates.assembly import UpdateService


class UpdateMetrics:
    """Collects from an `UpdateService`."""

    def __init__(self, service: "UpdateService") -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        """The metrics of this moment; asks neither disk nor network."""
        courier, updates = self._service.courier, self._service.updates
        found = updates.figures()
        yield _gauge(
            "topscoop_model_release",
            "Release in use; 0 for a model without a number, or none.",
            found.release,
        )
        yield _gauge("topscoop_model_floor", "No release below this is run.", updates.facts.floor)
        yield _gauge("topscoop_model_generation", "Newest desired state that is known.", found.generation)
        yield _state(found)
        yield CounterMetricFamily(
            "topscoop_model_fetched_bytes", "Of files of releases.", value=courier.fetched_bytes
        )
        yield CounterMetricFamily(
            "topscoop_model_file_requests", "Sent to the file service.", value=courier.requests
        )
        yield CounterMetricFamily("topscoop_model_errands", "Starts of the updater.", value=updates.errands)
        yield _gauge(
            "topscoop_model_trial_progress",
            "0 to 1 while a release is on trial, else 1.",
            1.0 if found.trial_progress is None else found.trial_progress,
        )
        if found.metadata is not None:
            yield _gauge(
                "topscoop_model_metadata_expires_seconds",
                "Unix time at which the signed metadata ends; what runs goes on.",
                found.metadata.expires_at / 1000,
            )
        yield from _shadow(found)

    def describe(self) -> Iterable[Metric]:
        """Nothing: registering must not ask what is not complete yet."""
        return ()


def _gauge(name: str, meaning: str, value: float | None) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value or 0)


def _state(found: UpdateFigures) -> Metric:
    family = GaugeMetricFamily(
        "topscoop_model_update_state", "1 for the state that the newest update is in.", labels=["state"]
    )
    present = UpdateState.IDLE if found.update is None else found.update.state
    for state in UpdateState:
        family.add_metric([state.value], float(state is present))
    return family


def _shadow(found: UpdateFigures) -> Iterator[Metric]:
    shadow = found.shadow
    compared = 0 if shadow is None else shadow.compared
    yield _gauge("topscoop_model_shadow_compared", "Pictures that the shadow has seen, too.", compared)
    agreement = GaugeMetricFamily(
        "topscoop_model_shadow_agreement", "Share of them with the same flavours.", labels=["flavours"]
    )
    if shadow is not None and shadow.compared:
        agreement.add_metric(["first"], shadow.same_first / shadow.compared)
        agreement.add_metric(["three"], shadow.same_three / shadow.compared)
    yield agreement
