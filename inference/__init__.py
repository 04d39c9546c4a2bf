"""Frame in, three flavours out.

Names are imported when they are first used: who only parses a manifest loads neither ONNX Runtime nor OpenCV.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

# ONNX Runtime 1.32 keeps a device id and a database below the home folder, and sends what it gathers to its
# maker. It looks here once, when it is imported, and nothing of it is imported before this line.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

if TYPE_CHECKING:
    from inference.context import Context
    from inference.errors import (
        BrokenAnswer,
        ContextError,
        DigestMismatch,
        FrameError,
        InferenceError,
        ManifestError,
        ModelError,
        ModelFileMissing,
        ModelInUse,
        NotAModel,
        PictureFileError,
        PictureWorkerUnavailable,
        RefusedPicture,
        StockError,
        WrongContract,
    )
    from inference.frame import fit_frame
    from inference.manifest import Flavour, Manifest
    from inference.model import FlavourModel
    from inference.recommendation import Recommendation

__all__ = [
    "BrokenAnswer",
    "Context",
    "ContextError",
    "DigestMismatch",
    "Flavour",
    "FlavourModel",
    "FrameError",
    "InferenceError",
    "Manifest",
    "ManifestError",
    "ModelError",
    "ModelFileMissing",
    "ModelInUse",
    "NotAModel",
    "PictureFileError",
    "PictureWorkerUnavailable",
    "Recommendation",
    "RefusedPicture",
    "StockError",
    "WrongContract",
    "fit_frame",
]

_HOMES = {
    "Context": "context",
    "Flavour": "manifest",
    "FlavourModel": "model",
    "Manifest": "manifest",
    "Recommendation": "recommendation",
    "fit_frame": "frame",
}
"""Name -> its module; every other name is an error of `inference.errors`."""


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'inference' has no attribute {name!r}")
    return getattr(importlib.import_module(f"inference.{_HOMES.get(name, 'errors')}"), name)
