from enum import StrEnum


class CallerKind(StrEnum):
    BEARER = "bearer"
    BROWSER = "browser"
    DEVICE = "device"
    MACHINE = "machine"

    def __str__(self) -> str:
        return str(self.value)
