"""Everything `inference` refuses, by whose fault it is: the model, the frame, the context, the picture."""

from wire_protocol.errors import TopscoopError


class InferenceError(TopscoopError):
    """The root of this package's errors."""


class ModelError(InferenceError):
    """The model cannot be used: the directory is wrong, or the network answered nonsense."""


class ModelFileMissing(ModelError):
    """The model directory, its manifest or its network is not there or cannot be read."""


class ManifestError(ModelError):
    """`manifest.json` breaks the contract `topscoop.recommend/1`."""


class NotAModel(ModelError):
    """The file that the manifest names is no ONNX network, or not one that may be loaded."""


class WrongContract(ModelError):
    """The network loads, but its inputs or outputs are not those of its manifest."""


class DigestMismatch(ModelError):
    """The network's bytes are not the ones its manifest was written for."""


class BrokenAnswer(ModelError):
    """The network failed, or answered something impossible such as NaN; nothing of it may be shown."""


class GoldenMismatch(ModelError):
    """The model answers its golden frames otherwise than where it was made; nothing of it may be shown."""


class UnusableGolden(ModelError):
    """The golden frames are missing, broken or of another model; the model cannot be checked by them."""


class ModelInUse(ModelError):
    """Two threads called one `FlavourModel` at once."""


class FrameError(InferenceError):
    """The array is no frame: other type, shape or size."""


class StockError(InferenceError):
    """The stock mask does not fit the model's catalogue."""


class ContextError(InferenceError):
    """A context value is outside of its range."""


class RefusedPicture(InferenceError):
    """A picture is unreadable, too large or hostile, and was not decoded.

    Args:
        reason: Short stable word, fit for a counter: see `inference.picture.limits.REASONS`.
        message: One sentence for a person.
        remedy: What to do next.
    """

    def __init__(self, reason: str, message: str, *, remedy: str) -> None:
        super().__init__(message, remedy=remedy)
        self.reason = reason


class PictureFileError(InferenceError):
    """A picture's file is not there or cannot be read."""


class PictureWorkerUnavailable(InferenceError):
    """The process that decodes pictures cannot be started; this says nothing about the picture."""
