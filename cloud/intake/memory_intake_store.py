"""An intake bucket in memory, for tests and simulations; it checks no signature."""

from collections.abc import Callable, Iterator

from cloud.intake.intake_store import ListedObject, LongerThanAllowed, ObjectHead
from cloud.objects.ports import ObjectMissing


class MemoryIntakeStore:
    """Objects by key.

    Args:
        now_ms: The store's clock.
    """

    def __init__(self, now_ms: Callable[[], int]) -> None:
        self._now_ms = now_ms
        self._kept: dict[str, tuple[bytes, str, int]] = {}

    def put(self, key: str, body: bytes, content_type: str) -> bool:
        """What a client's PUT does; False, as `If-None-Match: *` asks, where something is there."""
        if key in self._kept:
            return False
        self._kept[key] = (bytes(body), content_type, self._now_ms())
        return True

    def head(self, key: str) -> ObjectHead | None:
        """As the port says."""
        if key not in self._kept:
            return None
        body, content_type, put_at_ms = self._kept[key]
        return ObjectHead(len(body), content_type, self._age_ms(put_at_ms))

    def get(self, key: str, most_bytes: int) -> bytes:
        """As the port says."""
        if key not in self._kept:
            raise ObjectMissing(f"{key} is not there")
        body, _, _ = self._kept[key]
        if len(body) > most_bytes:
            raise LongerThanAllowed(f"{key} holds more than {most_bytes} bytes")
        return body

    def delete(self, key: str) -> None:
        """As the port says."""
        self._kept.pop(key, None)

    def listed(self) -> Iterator[ListedObject]:
        """As the port says."""
        for key, (body, _, put_at_ms) in sorted(self._kept.items()):
            yield ListedObject(key, len(body), self._age_ms(put_at_ms))

    def _age_ms(self, put_at_ms: int) -> int:
        return max(0, self._now_ms() - put_at_ms)
