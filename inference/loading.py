"""From a model directory to a session that provably is what its manifest says."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import onnxruntime as ort
from onnxruntime.capi import onnxruntime_pybind11_state as ort_errors

from inference.errors import DigestMismatch, ManifestError, ModelFileMissing, NotAModel, WrongContract
from inference.manifest import MAX_MANIFEST_BYTES, SLATE, Manifest
from inference.onnx_scan import check_onnx

MANIFEST_FILE = "manifest.json"

ORT_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoModel,
    ort_errors.NotImplemented,
    ort_errors.RuntimeException,
    RuntimeError,
    ValueError,
)
"""ONNX Runtime's errors have no common root of their own."""
_FATAL_ONLY = 4
"""Errors are raised and told in our words; ONNX Runtime would write each to standard error as well."""
_TAKE_AGAIN = "Take the whole model directory again from where it was published."


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A manifest and the session that was checked against it."""

    manifest: Manifest
    session: ort.InferenceSession


def load(directory: Path) -> LoadedModel:
    """Read, check and load the model in `directory`.

    Raises:
        ModelFileMissing: The directory, the manifest or the network is not there.
        ManifestError: The manifest breaks its contract.
        DigestMismatch: The network's bytes are others than the manifest's.
        NotAModel: The bytes are no ONNX network, reach outside of themselves, or do not load.
        WrongContract: Inputs or outputs differ from the manifest's contract.
    """
    manifest = read_manifest(directory)
    return load_bytes(manifest, _read(directory / manifest.model.file, manifest.model.bytes))


def load_bytes(manifest: Manifest, data: bytes) -> LoadedModel:
    """Check and load a network that is in memory.

    Raises:
        DigestMismatch: The bytes are others than the manifest's.
        NotAModel: As `load`.
        WrongContract: As `load`.
    """
    _check_digest(data, manifest)
    check_onnx(data)
    session = _session(data)
    _check_contract(session, manifest)
    return LoadedModel(manifest, session)


def read_manifest(directory: Path) -> Manifest:
    """The manifest of a model directory, without loading its network.

    Raises:
        ModelFileMissing: There is none.
        ManifestError: It breaks its contract.
    """
    if not directory.is_dir():
        raise ModelFileMissing(
            f"there is no model directory {directory}",
            remedy="Name a directory that holds manifest.json and model.onnx.",
        )
    data = _read(directory / MANIFEST_FILE, MAX_MANIFEST_BYTES)
    try:
        return Manifest.from_json(data)
    except ManifestError as error:
        raise ManifestError(f"{directory}: {error}", remedy=error.remedy) from error


def _read(path: Path, limit_bytes: int) -> bytes:
    """The file, but never much more of it than anybody could want."""
    try:
        with path.open("rb") as file:
            return file.read(limit_bytes + 1)
    except OSError as error:
        raise ModelFileMissing(
            f"cannot read {path}: {(error.strerror or str(error)).lower()}",
            remedy="A model directory holds manifest.json and its network; check path and permissions.",
        ) from error


def _check_digest(data: bytes, manifest: Manifest) -> None:
    expected = manifest.model
    if len(data) != expected.bytes:
        found = f"{len(data)} bytes" if len(data) < expected.bytes else f"more than {expected.bytes} bytes"
        raise DigestMismatch(
            f"{expected.file} has {found}, its manifest says {expected.bytes}", remedy=_TAKE_AGAIN
        )
    digest = hashlib.sha256(data).hexdigest()
    if digest != expected.sha256:
        raise DigestMismatch(
            f"{expected.file} has SHA-256 {digest[:16]}…, its manifest says {expected.sha256[:16]}…",
            remedy=_TAKE_AGAIN,
        )


def _session(data: bytes) -> ort.InferenceSession:
    options = ort.SessionOptions()
    # One thread that sleeps when idle: more gain nothing on nets this small, and spinning steals CPU.
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _FATAL_ONLY
    try:
        return ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except ORT_ERRORS as error:
        reason = " ".join(str(error).split())[:300]
        raise NotAModel(f"ONNX Runtime cannot load the network: {reason}", remedy=_TAKE_AGAIN) from error


def _check_contract(session: ort.InferenceSession, manifest: Manifest) -> None:
    size, flavours = manifest.frame.size, len(manifest.flavours)
    _compare(
        "input",
        {node.name: (node.type, tuple(node.shape)) for node in session.get_inputs()},
        {
            "frame": ("tensor(uint8)", (1, size, size, 3)),
            "context": ("tensor(float)", (1, manifest.context_length)),
            "in_stock": ("tensor(bool)", (1, flavours)),
        },
    )
    _compare(
        "output",
        {node.name: (node.type, tuple(node.shape)) for node in session.get_outputs()},
        {
            "top3": ("tensor(int64)", (1, SLATE)),
            "probability": ("tensor(float)", (1, SLATE)),
            "scores": ("tensor(float)", (1, flavours)),
            "nobody": ("tensor(float)", (1,)),
        },
    )


_Signature = dict[str, tuple[str, tuple[int | str | None, ...]]]


def _compare(role: str, found: _Signature, expected: _Signature) -> None:
    """Names, types and shapes, each difference in one sentence."""
    problems = [f"{role} {name!r} is missing" for name in expected if name not in found]
    problems += [f"{role} {name!r} is unknown" for name in found if name not in expected]
    problems += [
        f"{role} {name!r} is {found[name][0]} {list(found[name][1])}, the manifest needs {kind} {list(shape)}"
        for name, (kind, shape) in expected.items()
        if name in found and found[name] != (kind, shape)
    ]
    if problems:
        raise WrongContract(
            f"the network does not keep its contract: {'; '.join(problems)}",
            remedy="Take a model and the manifest that was made with it, both for this version of Topscoop.",
        )
