from enum import StrEnum


class UploadState(StrEnum):
    ARRIVED = "arrived"
    DONE = "done"
    ERASED = "erased"
    EXPIRED = "expired"
    FAILED = "failed"
    ISSUED = "issued"

    def __str__(self) -> str:
        return str(self.value)
