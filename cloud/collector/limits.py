"""What bounds a collector; the operator sets it."""

from dataclasses import dataclass, field

from cloud.collector.acceptance import Terms


@dataclass(frozen=True, slots=True)
class Limits:
    """What bounds a collector."""

    in_flight: int = 256
    """Messages in work; the broker holds the rest (MQTT's receive maximum)."""
    in_flight_bytes: int = 32 * 1024 * 1024
    batch_max: int = 64
    batch_ms: int = 250
    """A batch waits so long at most, and no longer than an eighth of what messages take (`batches.Pace`)."""
    workers: int = 2
    """Transactions at once, of each of the two steps."""
    attempts_max: int = 3
    """Unexpected failures of one message before it is set aside."""
    retry_after_ms: int = 15_000
    """When a register tries again while database or objects are away."""
    sweep_after_ms: int = 600_000
    terms: Terms = field(default_factory=Terms)
