from enum import StrEnum


class RecommendationAnswerSource(StrEnum):
    BESTSELLERS = "bestsellers"
    MODEL = "model"

    def __str__(self) -> str:
        return str(self.value)
