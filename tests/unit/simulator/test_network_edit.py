import hashlib

import numpy as np
import pytest
from numpy.typing import NDArray

from inference import Context, FlavourModel
from inference.default_models import default_model_dir
from inference.onnx_scan import check_onnx
from simulator.network_edit import with_note, with_raised

_MODEL = default_model_dir("gelateria-sole")


@pytest.fixture(scope="module")
def network() -> bytes:
    return (_MODEL / "model.onnx").read_bytes()


def _scores(network: bytes) -> NDArray[np.float32]:
    """What a network answers to a grey picture."""
    import onnxruntime

    session = onnxruntime.InferenceSession(network, providers=["CPUExecutionProvider"])
    manifest = FlavourModel.load(_MODEL).manifest
    inputs = {
        "frame": np.full((1, manifest.frame.size, manifest.frame.size, 3), 128, np.uint8),
        "context": manifest.encode_context(Context())[None],
        "in_stock": np.ones((1, len(manifest.flavours)), np.bool_),
    }
    return np.asarray(session.run(["scores"], inputs)[0])[0]


def test_a_note_changes_the_digest_and_no_answer(network: bytes) -> None:
    noted = with_note(network, "topscoop-demo", "r" * 300)
    check_onnx(noted)
    assert hashlib.sha256(noted).digest() != hashlib.sha256(network).digest()
    assert noted[: len(network)] == network
    np.testing.assert_array_equal(_scores(noted), _scores(network))


def test_raised_biases_raise_their_flavours_scores_and_nothing_else(network: bytes) -> None:
    raised = with_raised(network, "out.bias", {2: 60.0, 15: 20.0})
    check_onnx(raised)
    assert len(raised) == len(network)
    difference = _scores(raised) - _scores(network)
    wanted = np.zeros(16)
    wanted[[2, 15]] = 60.0, 20.0
    np.testing.assert_allclose(difference, wanted, atol=1e-4)


@pytest.mark.parametrize(
    ("tensor", "by", "words"),
    [
        ("nobody", {0: 1.0}, "no tensor nobody"),
        ("out.bias", {16: 1.0}, "16 numbers only"),
        ("out.bias", {-1: 1.0}, "16 numbers only"),
        ("stem.bias_quantized", {0: 1.0}, "no float32 tensor"),
    ],
)
def test_what_is_not_there_is_not_raised(
    network: bytes, tensor: str, by: dict[int, float], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        with_raised(network, tensor, by)


@pytest.mark.parametrize("length", [1, 200, 5000, -700_000])
def test_a_network_that_was_cut_off_is_refused(network: bytes, length: int) -> None:
    with pytest.raises(ValueError, match=r"cut off|no ONNX network|no tensor"):
        with_raised(network[:length], "out.bias", {0: 1.0})
