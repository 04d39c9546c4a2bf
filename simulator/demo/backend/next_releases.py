"""The demo's second and third release, made of a bundled model: one as good, one worse than it says."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from inference import Manifest
from simulator.network_edit import with_note, with_raised

FIRST, AS_GOOD, WORSE = 1, 2, 3
"""Numbers of the releases; the first is the model that the registers were installed with."""
BUDGET_P99_MS: Final = 150.0
"""Of both later releases: the whole demo shares one machine, so 10 ms would judge the machine."""
_LAST_BIAS: Final = "out.bias"
_FAVOURED: Final = (60.0, 40.0, 20.0)
"""What is added to the scores of the flavours that sell least, so that one of them always comes first."""


def make_as_good(model: Path, to: Path) -> Path:
    """A model directory that answers as `model` does; only its digest is another."""
    network = with_note((model / "model.onnx").read_bytes(), "topscoop-demo", f"release {AS_GOOD}")
    return _write(model, to, network, release=AS_GOOD)


def make_worse(model: Path, to: Path) -> Path:
    """A model directory whose network puts flavours first that hardly anybody buys.

    Its report is the good model's, with another digest written in: it flatters, and the release gate, which
    can only read, lets it pass. What stops it is what registers see.
    """
    manifest = Manifest.from_json((model / "manifest.json").read_bytes())
    unloved = [manifest.index_of(flavour) for flavour in manifest.bestsellers[: -len(_FAVOURED) - 1 : -1]]
    raised = dict(zip(unloved, _FAVOURED, strict=True))
    network = with_raised((model / "model.onnx").read_bytes(), _LAST_BIAS, raised)
    return _write(model, to, network, release=WORSE)


def _write(model: Path, to: Path, network: bytes, *, release: int) -> Path:
    to.mkdir(parents=True)
    shutil.copytree(model / "golden", to / "golden")
    digest = hashlib.sha256(network).hexdigest()
    manifest = json.loads((model / "manifest.json").read_bytes())
    manifest["version"] += f"+demo.{release}"
    manifest["model"] |= {"sha256": digest, "bytes": len(network)}
    manifest["latency_budget_ms"]["p99"] = BUDGET_P99_MS
    report = json.loads((model / "report.json").read_bytes())
    report["model"] |= {"version": manifest["version"], "sha256": digest, "bytes": len(network)}
    report["not_checked"] = "Everything: the demo copied the figures of the model that this one was made of."
    (to / str(manifest["model"]["file"])).write_bytes(network)
    _write_json(to / "manifest.json", manifest)
    _write_json(to / "report.json", report)
    return to


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False))
