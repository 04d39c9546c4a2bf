"""A client of the public API: a picture in, three flavours out.

`Chain` does what most clients want; `api_client.generated` has every route, made from the API's description.
"""

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from api_client.chain import Chain
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
    "Purpose",
    "Recommendation",
]

_OURS: Final = {
    "ApiError": ("api_client.errors", "ApiError"),
    "Chain": ("api_client.chain", "Chain"),
    "Recommendation": ("api_client.generated.models", "RecommendationAnswer"),
}


def __getattr__(name: str) -> Any:
    """Imported when it is asked for: the command line's help needs none of it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _OURS.get(name, ("api_client.generated.models", name))
    return getattr(importlib.import_module(module), attribute)
