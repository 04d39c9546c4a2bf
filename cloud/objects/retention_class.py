"""Classes of retention: the tag of an object that the store's own rules go by.

The keeper erases each frame at its time. These rules are the backstop on ciphertext, so few are enough: the
class is the next longer one.
"""

from typing import Final

CLASSES: Final = {"d30": 30, "d90": 90, "d180": 180, "d365": 365, "d730": 730, "d1098": 1098}
"""Days by class; no consent is longer than the last (`wire_protocol.limits.CONSENT_MAX_MS`)."""
BACKSTOP_DAYS: Final = 7
"""So much later than the keeper the store deletes by itself."""


def retention_class(days: int) -> str:
    """The class of a tenant that keeps frames for so many days."""
    return next((name for name, longest in CLASSES.items() if days <= longest), "d1098")
