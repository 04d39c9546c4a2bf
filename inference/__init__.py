"""Frame in, three flavours out."""

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
    "PictureWorkerUnavailable",
    "Recommendation",
    "RefusedPicture",
    "StockError",
    "WrongContract",
    "fit_frame",
]
