"""What can go wrong with pictures that are to be kept."""

from wire_protocol.errors import TopscoopError


class NoBlankLeft(TopscoopError):
    """The stock of consent blanks for the public API is empty; without one nothing can be sealed."""


class PromotionLater(TopscoopError):
    """The sealed picture is durable but not deposited: quota, or another attempt holds its claim."""
