from enum import StrEnum


class CodeState(StrEnum):
    GIVEN = "given"
    KEPT = "kept"
    OPEN = "open"
    OVER = "over"
    REFUSED = "refused"
    SENT = "sent"
    WITHDRAWN = "withdrawn"

    def __str__(self) -> str:
        return str(self.value)
