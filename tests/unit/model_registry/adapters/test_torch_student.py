import numpy as np
import onnxruntime as ort
import pytest

from tests.builders.torch_needed import require_torch

require_torch()

import torch

from model_registry.adapters.torch_student import Student
from model_registry.graph import student_network
from model_registry.network import StudentShape

pytestmark = pytest.mark.train


@pytest.fixture
def student(shape: StudentShape) -> Student:
    """A student whose normalisation layers have seen something, so that folding them is no identity."""
    torch.manual_seed(1)
    made = Student(shape, {"one": 4, "two": 5})
    made.train()
    for _ in range(5):
        made.features(torch.randint(0, 256, (8, 3, shape.size, shape.size)))
    with torch.no_grad():
        for name, parameter in made.trunk.named_parameters():
            if "norm" in name:
                parameter.add_(0.2 * torch.randn_like(parameter))
    return made.eval()


@pytest.mark.parametrize(("tenant", "flavours"), [("one", 4), ("two", 5)])
def test_plain_weights_compute_what_torch_computes(student: Student, tenant: str, flavours: int) -> None:
    """Folded, transposed and rebuilt as ONNX, trunk and head give the same scores and the same `nobody`."""
    shape = student.shape
    model = student_network(shape, student.plain_weights(tenant), flavours, temperature=1.0)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    rng = np.random.default_rng(2)
    frame = rng.integers(0, 256, (1, shape.size, shape.size, 3), dtype=np.uint8)
    context = rng.standard_normal((1, shape.context)).astype(np.float32)
    inputs = {"frame": frame, "context": context, "in_stock": np.ones((1, flavours), np.bool_)}
    scores, nobody = session.run(["scores", "nobody"], inputs)
    with torch.no_grad():
        features = student.features(torch.from_numpy(frame).permute(0, 3, 1, 2))
        expected, logit = student.heads[tenant](features, torch.from_numpy(context))
    np.testing.assert_allclose(scores, expected.numpy(), atol=2e-4)
    np.testing.assert_allclose(nobody, torch.sigmoid(logit).numpy(), atol=1e-4)


def test_plain_weights_have_the_names_of_the_shape(student: Student) -> None:
    names = set(student.plain_weights("one"))
    expected = set(student.shape.head_shapes(4))
    for spec in student.shape.convolutions():
        expected |= {f"{spec.name}.weight", f"{spec.name}.bias"}
    assert names == expected
