from enum import StrEnum


class PendingAnswerState(StrEnum):
    ARRIVED = "arrived"
    ISSUED = "issued"

    def __str__(self) -> str:
        return str(self.value)
