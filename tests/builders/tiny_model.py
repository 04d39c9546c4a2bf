"""A model directory of contract v1 that needs no training, for every test that wants a model.

The network compares the mean colour of the frame with the colour of each flavour, so its answers can be
told in advance:

- a frame painted in a flavour's colour puts that flavour first,
- a black frame says `nobody` (probability above 0.99), every bright one says somebody (below 0.01),
- the context moves scores a little, never enough to turn over a frame painted in one colour.

Needs the `onnx` package, which is in the `dev` extra only.
"""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

CATALOGUE: tuple[tuple[str, str, str, str, str], ...] = (
    ("vanilla", "Vanilla", "Vanille", "Vaniglia", "#f3e5ab"),
    ("chocolate", "Chocolate", "Schokolade", "Cioccolato", "#5b3a29"),
    ("strawberry", "Strawberry", "Erdbeere", "Fragola", "#e0526a"),
    ("pistachio", "Pistachio", "Pistazie", "Pistacchio", "#93c572"),
    ("lemon", "Lemon", "Zitrone", "Limone", "#fff44f"),
    ("hazelnut", "Hazelnut", "Haselnuss", "Nocciola", "#a47551"),
    ("mango", "Mango", "Mango", "Mango", "#ff9a1f"),
    ("blueberry", "Blueberry", "Heidelbeere", "Mirtillo", "#4f60b5"),
    ("mint", "Mint", "Minze", "Menta", "#5fe0c0"),
    ("coconut", "Coconut", "Kokos", "Cocco", "#fdfdfd"),
    ("coffee", "Coffee", "Kaffee", "Caffè", "#8a6a50"),
    ("raspberry", "Raspberry", "Himbeere", "Lampone", "#b01040"),
    ("caramel", "Caramel", "Karamell", "Caramello", "#c98a2b"),
    ("yoghurt", "Yoghurt", "Joghurt", "Yogurt", "#d8d8f0"),
    ("blackcurrant", "Blackcurrant", "Cassis", "Ribes nero", "#46166b"),
    ("cherry", "Cherry", "Kirsche", "Ciliegia", "#8c0f22"),
)
CONTEXT: tuple[dict[str, Any], ...] = (
    {"name": "hour", "encoding": "cyclic", "period": 24},
    {"name": "weekday", "encoding": "cyclic", "period": 7},
    {"name": "temperature_c", "encoding": "standard", "mean": 20, "scale": 10},
    {"name": "shop", "encoding": "one_hot", "values": ["beach", "park", "station", "mall"]},
)
CONTEXT_LENGTH = 9


def flavour_bgr(flavour_id: str) -> tuple[int, int, int]:
    """The blue, green and red byte of a flavour of the catalogue above."""
    colour = next(row[4] for row in CATALOGUE if row[0] == flavour_id)
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return blue, green, red


def painted_frame(flavour_id: str, *, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
    """A frame of one colour, uint8 [height, width, 3] BGR: the model above answers with this flavour."""
    frame = np.empty((height, width, 3), np.uint8)
    frame[:] = flavour_bgr(flavour_id)
    return frame


def build_model_dir(
    directory: Path,
    *,
    tenant: str = "gelateria-sole",
    version: str = "2026.11.22",
    flavours: int = 16,
    size: int = 160,
    golden: bool = True,
    nan_scores: bool = False,
    fails: bool = False,
    seed: int = 0,
) -> Path:
    """Write `model.onnx`, `manifest.json` and, if asked, `golden/` into `directory`, and return it.

    `flavours` is 3 to 16 and takes the first rows of `CATALOGUE`; best-sellers are in catalogue order.
    Another `seed` or `version` gives another digest with the same behaviour. `nan_scores` makes a model
    that loads and then answers NaN for every frame, `fails` one that cannot be run on any.
    """
    directory.mkdir(parents=True, exist_ok=True)
    data = build_onnx(
        flavours=flavours,
        size=size,
        nan_scores=nan_scores,
        fails=fails,
        seed=seed,
        name=f"{tenant} {version}",
    )
    (directory / "model.onnx").write_bytes(data)
    manifest = build_manifest(data, tenant=tenant, version=version, flavours=flavours, size=size)
    (directory / "manifest.json").write_text(
        json.dumps(manifest, indent=1, ensure_ascii=False), encoding="utf-8"
    )
    if golden:
        _write_golden(directory, data, [row[0] for row in CATALOGUE[:flavours]], size)
    return directory


def build_manifest(
    data: bytes,
    *,
    tenant: str = "gelateria-sole",
    version: str = "2026.11.22",
    flavours: int = 16,
    size: int = 160,
) -> dict[str, Any]:
    """The manifest of the ONNX bytes `data` as plain JSON values, so that a test may spoil it."""
    return {
        "contract": "topscoop.recommend/1",
        "tenant": tenant,
        "name": f"{tenant}-tiny",
        "version": version,
        "created": "2026-11-22T09:00:00Z",
        "model": {
            "file": "model.onnx",
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "precision": "fp32",
        },
        "frame": {"size": size, "colour": "bgr", "resize": "linear"},
        "context": [dict(feature) for feature in CONTEXT],
        "flavours": [
            {"id": flavour_id, "names": {"en": english, "de": german, "it": italian}, "colour": colour}
            for flavour_id, english, german, italian, colour in CATALOGUE[:flavours]
        ],
        "bestsellers": [row[0] for row in CATALOGUE[:flavours]],
        "nobody_threshold": 0.5,
        "dataset": {"digest": "sha256:" + "0" * 64, "interactions": 0},
        "latency_budget_ms": {"p99": 1.0},
        "minimum_agent": "0.1.0",
    }


def build_onnx(
    *,
    flavours: int = 16,
    size: int = 160,
    nan_scores: bool = False,
    fails: bool = False,
    seed: int = 0,
    name: str = "tiny",
) -> bytes:
    """The serialized network of contract v1 described at the top of this file."""
    colours = np.array([flavour_bgr(row[0]) for row in CATALOGUE[:flavours]], np.float32) / 255
    # -|m - c|^2 is 2 m.c - |c|^2, less |m|^2 which is the same for every flavour and left out.
    gain = np.float32(60)
    weights = {
        "zero": np.zeros((), np.float32),
        "byte": np.array(255, np.float32),
        "pixels": np.array([1, 2], np.int64),
        "colour_weight": (2 * gain * colours.T).astype(np.float32),
        "colour_bias": (-gain * (colours**2).sum(axis=1))[None, :].astype(np.float32),
        "context_weight": np.random.default_rng(seed)
        .normal(0, 0.005, (CONTEXT_LENGTH, flavours))
        .astype(np.float32),
        "dark": np.array(-200, np.float32),
        "dark_bias": np.array(10, np.float32),
        "out_of_stock": np.array(-1e9, np.float32),
        "three": np.array([3], np.int64),
        "padding": np.array(-1, np.int64),
        "none": np.array(0, np.int64),
        "beyond": np.array(flavours, np.int64),
        "channels": np.array([1], np.int64),
    }
    nodes = [
        helper.make_node("Cast", ["frame"], ["float_frame"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["float_frame", "pixels"], ["mean_byte"], keepdims=0),
        helper.make_node("Div", ["mean_byte", "byte"], ["mean"]),
        helper.make_node("Gemm", ["mean", "colour_weight", "colour_bias"], ["by_colour"]),
        helper.make_node("MatMul", ["context", "context_weight"], ["by_context"]),
        helper.make_node("Add", ["by_colour", "by_context"], ["clean_scores"]),
        helper.make_node("ReduceMean", ["mean", "channels"], ["light"], keepdims=0),
        helper.make_node("Mul", ["light", "dark"], ["darkness"]),
        helper.make_node("Add", ["darkness", "dark_bias"], ["nobody_logit"]),
        helper.make_node("Sigmoid", ["nobody_logit"], ["nobody"]),
        # 0 / 0: how a calibration with a temperature of zero would show.
        helper.make_node("Div", ["zero", "zero"], ["nan"])
        if nan_scores
        else helper.make_node("Identity", ["zero"], ["nan"]),
        helper.make_node("Add", ["clean_scores", "nan"], ["scores"]),
        helper.make_node("Where", ["in_stock", "scores", "out_of_stock"], ["masked"]),
        helper.make_node("Softmax", ["masked"], ["chance"], axis=1),
        helper.make_node("TopK", ["masked", "three"], ["_best", "best"], axis=1),
        # Which flavours are best is only known when it runs, so the index is too large only then.
        helper.make_node("Add", ["best", "beyond" if fails else "none"], ["best_index"]),
        helper.make_node("GatherElements", ["chance", "best_index"], ["best_chance"], axis=1),
        helper.make_node("GatherElements", ["in_stock", "best"], ["sold"], axis=1),
        helper.make_node("Where", ["sold", "best", "padding"], ["top3"]),
        helper.make_node("Where", ["sold", "best_chance", "zero"], ["probability"]),
    ]
    graph = helper.make_graph(
        nodes,
        name,
        [
            helper.make_tensor_value_info("frame", TensorProto.UINT8, [1, size, size, 3]),
            helper.make_tensor_value_info("context", TensorProto.FLOAT, [1, CONTEXT_LENGTH]),
            helper.make_tensor_value_info("in_stock", TensorProto.BOOL, [1, flavours]),
        ],
        [
            helper.make_tensor_value_info("top3", TensorProto.INT64, [1, 3]),
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, [1, 3]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, flavours]),
            helper.make_tensor_value_info("nobody", TensorProto.FLOAT, [1]),
        ],
        [numpy_helper.from_array(value, key) for key, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model, full_check=True)
    return model.SerializeToString()


def _write_golden(directory: Path, data: bytes, flavour_ids: list[str], size: int) -> None:
    """Three frames with somebody (one flavour's colour each) and one with nobody, and what must come out."""
    folder = directory / "golden"
    folder.mkdir(exist_ok=True)
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    frames = [(flavour_id, painted_frame(flavour_id)) for flavour_id in flavour_ids[:3]]
    frames.append(("nobody", np.zeros((480, 640, 3), np.uint8)))
    rows = []
    for name, frame in frames:
        cv2.imwrite(str(folder / f"{name}.png"), frame)
        small = cv2.resize(frame, (size, size), interpolation=cv2.INTER_LINEAR)
        feeds = {
            "frame": small[None],
            "context": np.zeros((1, CONTEXT_LENGTH), np.float32),
            "in_stock": np.ones((1, len(flavour_ids)), bool),
        }
        top3, scores, nobody = session.run(["top3", "scores", "nobody"], feeds)
        rows.append(
            {
                "file": f"{name}.png",
                "context": {"hour": None, "weekday": None, "temperature_c": None, "shop": None},
                "in_stock": flavour_ids,
                "top3": [flavour_ids[index] for index in top3[0]],
                "scores": [float(score) for score in scores[0]],
                "nobody": float(nobody[0]),
            }
        )
    (folder / "golden.json").write_text(json.dumps({"frames": rows}, indent=1), encoding="utf-8")
