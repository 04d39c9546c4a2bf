"""What a customer may allow: one closed list for notices, consents and hand-overs."""

from enum import StrEnum


class Purpose(StrEnum):
    """What a customer may allow."""

    TRAINING = "training"  # pictures may be used to make better recommendations
    EVALUATION = "evaluation"  # pictures may be used to measure recommendations
