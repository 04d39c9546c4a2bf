"""A client of the public API: a picture in, three flavours out.

`Chain` does what most clients want; `api_client.generated` has every route, made from the API's description.
"""

from api_client.chain import Chain, Picture
from api_client.errors import ApiError
from api_client.generated.models import (
    Circumstances,
    DeviceAnswer,
    Erasure,
    ErasureBegun,
    NoticeAnswer,
    OutcomeKept,
    Purpose,
)
from api_client.generated.models import RecommendationAnswer as Recommendation

__all__ = [
    "ApiError",
    "Chain",
    "Circumstances",
    "DeviceAnswer",
    "Erasure",
    "ErasureBegun",
    "NoticeAnswer",
    "OutcomeKept",
    "Picture",
    "Purpose",
    "Recommendation",
]
