"""What Prometheus sees of the looks at repositories."""

from prometheus_client import CollectorRegistry, Counter


class ReleaseMetrics:
    """As `loop.Watch`; add it to the registry of the process that runs the loop."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._looks = Counter(
            "topscoop_releases_looks",
            "Looks at chains' release repositories, by whether they could be verified",
            ["verified"],
            registry=registry,
        )
        self._changed = Counter(
            "topscoop_releases_changed",
            "Releases that were listed or withdrawn by their chain's keys",
            ["what"],
            registry=registry,
        )

    def looked(self, *, well: bool) -> None:
        """As the port says."""
        self._looks.labels("yes" if well else "no").inc()

    def changed(self, what: str, count: int) -> None:
        """As the port says."""
        self._changed.labels(what).inc(count)
