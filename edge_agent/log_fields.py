"""As `daemon.log_fields`."""

from daemon.log_fields import FIELDS_ATTRIBUTE, fields

__all__ = ["FIELDS_ATTRIBUTE", "fields"]
