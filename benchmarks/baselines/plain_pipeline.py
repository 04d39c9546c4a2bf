"""JPEG in, three flavours out, as somebody builds it who knows numpy, OpenCV and ONNX Runtime well.

Both servers use it. It is the product's job without the product: the same crop, the same resize, the same
network with the same session options; no checks beyond what decoding tells by itself, nothing recorded, the
context left neutral. All of that is in the baseline's favour.
"""

import gc
import json
from pathlib import Path

import cv2
import numpy as np

from benchmarks.baselines.bare_session import tuned_session

_OUTPUTS = ["top3", "probability", "nobody"]


class PlainPipeline:
    """A loaded model."""

    def __init__(self, model_dir: Path) -> None:
        manifest = json.loads((model_dir / "manifest.json").read_text(encoding="utf-8"))
        self._size = manifest["frame"]["size"]
        self._flavours = [(flavour["id"], flavour["names"]["en"]) for flavour in manifest["flavours"]]
        self._session = tuned_session(model_dir / manifest["model"]["file"])
        shapes = {entry.name: entry.shape for entry in self._session.get_inputs()}
        self._context = np.zeros(shapes["context"], np.float32)
        self._in_stock = np.ones(shapes["in_stock"], np.bool_)
        self.recommend(cv2.imencode(".jpg", np.zeros((480, 640, 3), np.uint8))[1].tobytes())
        # What is loaded now stays: the collector need not look at it again.
        gc.collect()
        gc.freeze()

    def recommend(self, jpeg: bytes) -> dict[str, object]:
        """The answer as plain values.

        Raises:
            ValueError: The bytes are no picture.
        """
        frame = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        if frame is None:
            raise ValueError("not a picture")
        height, width = frame.shape[:2]
        crop = min(width, height * 4 // 3)
        left = (width - crop) // 2
        small = cv2.resize(
            frame[:, left : left + crop], (self._size, self._size), interpolation=cv2.INTER_LINEAR
        )
        feeds = {"frame": small[None], "context": self._context, "in_stock": self._in_stock}
        top3, probability, nobody = self._session.run(_OUTPUTS, feeds)
        offers = [
            {"flavour": self._flavours[index][0], "name": self._flavours[index][1], "probability": chance}
            for index, chance in zip(top3[0].tolist(), probability[0].tolist(), strict=True)
            if index >= 0
        ]
        return {"top3": offers, "nobody": float(nobody[0])}
