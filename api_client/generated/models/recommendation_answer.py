from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, BinaryIO, TextIO, TYPE_CHECKING, Generator

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

from ..models.recommendation_answer_source import RecommendationAnswerSource
from typing import cast
from typing import Literal, cast

if TYPE_CHECKING:
    from ..models.model_used import ModelUsed
    from ..models.offer import Offer
    from ..models.outcome_kept import OutcomeKept
    from ..models.picture_used import PictureUsed


T = TypeVar("T", bound="RecommendationAnswer")


@_attrs_define
class RecommendationAnswer:
    """Three flavours.

    Attributes:
        request_id (str): UUID version 7, of the upload
        state (Literal['done']):
        created_at (str): RFC 3339, UTC
        expires_at (str): when it is forgotten
        source (RecommendationAnswerSource): say to the customer what it is
        slate (list[Offer]): best first; at most three
        nobody (float | None): how likely the picture shows nobody
        model (ModelUsed | None):
        inference_ms (float | None):
        latency_ms (float): from the picture's arrival to the recommendation
        picture (PictureUsed): What was looked at.
        outcome (None | OutcomeKept):
    """

    request_id: str
    state: Literal["done"]
    created_at: str
    expires_at: str
    source: RecommendationAnswerSource
    slate: list[Offer]
    nobody: float | None
    model: ModelUsed | None
    inference_ms: float | None
    latency_ms: float
    picture: PictureUsed
    outcome: None | OutcomeKept

    def to_dict(self) -> dict[str, Any]:
        from ..models.model_used import ModelUsed  # noqa: PLC0415
        from ..models.offer import Offer  # noqa: PLC0415
        from ..models.outcome_kept import OutcomeKept  # noqa: PLC0415
        from ..models.picture_used import PictureUsed  # noqa: PLC0415

        request_id = self.request_id

        state = self.state

        created_at = self.created_at

        expires_at = self.expires_at

        source = self.source.value

        slate = []
        for slate_item_data in self.slate:
            slate_item = slate_item_data.to_dict()
            slate.append(slate_item)

        nobody: float | None
        nobody = self.nobody

        model: dict[str, Any] | None
        if isinstance(self.model, ModelUsed):
            model = self.model.to_dict()
        else:
            model = self.model

        inference_ms: float | None
        inference_ms = self.inference_ms

        latency_ms = self.latency_ms

        picture = self.picture.to_dict()

        outcome: dict[str, Any] | None
        if isinstance(self.outcome, OutcomeKept):
            outcome = self.outcome.to_dict()
        else:
            outcome = self.outcome

        field_dict: dict[str, Any] = {}

        field_dict.update(
            {
                "request_id": request_id,
                "state": state,
                "created_at": created_at,
                "expires_at": expires_at,
                "source": source,
                "slate": slate,
                "nobody": nobody,
                "model": model,
                "inference_ms": inference_ms,
                "latency_ms": latency_ms,
                "picture": picture,
                "outcome": outcome,
            }
        )

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.model_used import ModelUsed  # noqa: PLC0415
        from ..models.offer import Offer  # noqa: PLC0415
        from ..models.outcome_kept import OutcomeKept  # noqa: PLC0415
        from ..models.picture_used import PictureUsed  # noqa: PLC0415

        d = dict(src_dict)
        request_id = d.pop("request_id")

        state = cast(Literal["done"], d.pop("state"))
        if state != "done":
            raise ValueError(f"state must match const 'done', got '{state}'")

        created_at = d.pop("created_at")

        expires_at = d.pop("expires_at")

        source = RecommendationAnswerSource(d.pop("source"))

        slate = []
        _slate = d.pop("slate")
        for slate_item_data in _slate:
            slate_item = Offer.from_dict(slate_item_data)

            slate.append(slate_item)

        def _parse_nobody(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        nobody = _parse_nobody(d.pop("nobody"))

        def _parse_model(data: object) -> ModelUsed | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                model_type_0 = ModelUsed.from_dict(data)

                return model_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(ModelUsed | None, data)

        model = _parse_model(d.pop("model"))

        def _parse_inference_ms(data: object) -> float | None:
            if data is None:
                return data
            return cast(float | None, data)

        inference_ms = _parse_inference_ms(d.pop("inference_ms"))

        latency_ms = d.pop("latency_ms")

        picture = PictureUsed.from_dict(d.pop("picture"))

        def _parse_outcome(data: object) -> None | OutcomeKept:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                outcome_type_0 = OutcomeKept.from_dict(data)

                return outcome_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | OutcomeKept, data)

        outcome = _parse_outcome(d.pop("outcome"))

        recommendation_answer = cls(
            request_id=request_id,
            state=state,
            created_at=created_at,
            expires_at=expires_at,
            source=source,
            slate=slate,
            nobody=nobody,
            model=model,
            inference_ms=inference_ms,
            latency_ms=latency_ms,
            picture=picture,
            outcome=outcome,
        )

        return recommendation_answer
