from enum import StrEnum


class Purpose(StrEnum):
    RECOMMEND = "recommend"
    RECOMMEND_AND_IMPROVE = "recommend_and_improve"

    def __str__(self) -> str:
        return str(self.value)
