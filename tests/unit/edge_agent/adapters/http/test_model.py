"""Exchanging the model over HTTP."""

from pathlib import Path

from tests.builders.local_api import LocalApi
from tests.builders.tiny_model import build_model_dir


def test_the_answer_comes_when_the_model_is_in_use(api: LocalApi, tmp_path: Path) -> None:
    """The next interaction is the new model's."""
    directory = build_model_dir(tmp_path / "new", version="2027.1.1", seed=3, golden=False)
    answer = api.client.put("/v1/model", json={"model_dir": str(directory)})
    assert answer.status_code == 200
    assert answer.json()["model"] == "2027.1.1"
    assert len(answer.json()["digest"]) == 64
    assert api.client.post("/v1/interactions").json()["model"] == "2027.1.1"


def test_a_refused_model_says_why_and_the_old_one_goes_on(api: LocalApi, tmp_path: Path) -> None:
    """A changed file, another chain's model, and nothing at all."""
    spoilt = build_model_dir(tmp_path / "spoilt", golden=False)
    (spoilt / "model.onnx").write_bytes(b"no model")
    foreign = build_model_dir(tmp_path / "foreign", tenant="polar-scoop", golden=False)
    for directory, word in ((spoilt, "model.onnx"), (foreign, "polar-scoop"), (tmp_path / "none", "none")):
        answer = api.client.put("/v1/model", json={"model_dir": str(directory)})
        assert answer.status_code == 422
        assert answer.json()["type"].endswith("model-refused")
        assert word in answer.json()["detail"]
        assert answer.json()["remedy"]
    assert api.client.post("/v1/interactions").json()["model"] == "2026.11.22"
