import pytest

from tests.builders.torch_needed import require_torch

require_torch()

import torch

from model_registry.adapters.torch_teacher import FEATURES, Teacher, _FixedDepthwise, pretrained_file

pytestmark = pytest.mark.train


@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])
def test_gradient_of_a_fixed_depthwise_convolution(kernel: int, stride: int) -> None:
    """Written as a forward convolution, it is the derivative still."""
    torch.manual_seed(kernel + stride)
    x = torch.randn(2, 3, 8, 8, dtype=torch.double, requires_grad=True)
    weight = torch.randn(3, 1, kernel, kernel, dtype=torch.double)
    assert torch.autograd.gradcheck(lambda one: _FixedDepthwise.apply(one, weight, stride), (x,))


def test_with_and_without_gradients_the_answer_is_the_same() -> None:
    """Training takes another way through the depthwise layers than asking does."""
    torch.manual_seed(1)
    teacher = Teacher(64, 9, {"one": 4}, pretrained_file())
    frames = torch.randint(0, 256, (2, 3, 64, 64))
    with torch.no_grad():
        asked = teacher.features(frames)
    assert torch.allclose(teacher.features(frames), asked, atol=1e-4)
    assert asked.shape == (2, FEATURES)


def test_imagenet_weights_see_something() -> None:
    """Loaded rightly, features differ between pictures and are neither dead nor exploding."""
    teacher = Teacher(64, 9, {"one": 4}, pretrained_file())
    torch.manual_seed(2)
    smooth = torch.nn.functional.interpolate(torch.rand(4, 3, 5, 5) * 255, (64, 64), mode="bilinear")
    with torch.no_grad():
        features = teacher.features(smooth)
    assert 0.01 < float(features.mean()) < 6
    assert float(features.std(dim=0).mean()) > 0.01


def test_first_layers_and_depthwise_filters_stay() -> None:
    teacher = Teacher(64, 9, {"one": 4}, pretrained_file())
    frozen = {name for name, one in teacher.named_parameters() if not one.requires_grad}
    assert "stem.weight" in frozen
    assert all(name in frozen for name, _ in teacher.named_parameters() if name.endswith("depthwise.weight"))
    assert "blocks.9.project.weight" not in frozen
    trained = {id(one) for one in teacher.body()} | {id(one) for one in teacher.heads.parameters()}
    assert len(trained) == len([one for one in teacher.parameters() if one.requires_grad])


def test_the_teacher_answers_the_same_from_onnx() -> None:
    """Shrinking, convolutions and head: the exported graph gives what torch gives."""
    import numpy as np
    import onnxruntime as ort

    from model_registry.adapters.teacher_graph import teacher_network

    torch.manual_seed(3)
    teacher = Teacher(64, 9, {"one": 4}, pretrained_file())
    frames = torch.randint(0, 256, (2, 96, 96, 3), dtype=torch.uint8)
    context = torch.randn(2, 9)
    session = ort.InferenceSession(
        teacher_network(teacher, "one", 96).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    (found,) = session.run(["scores"], {"frames": frames.numpy(), "context": context.numpy()})
    with torch.no_grad():
        expected, _ = teacher.heads["one"](teacher.features(frames.permute(0, 3, 1, 2)), context)
    np.testing.assert_allclose(found, expected.numpy(), atol=1e-3)
