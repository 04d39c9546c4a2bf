"""The manifest of a model directory: contract, catalogue, encodings; pure, strict in both directions."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inference.context import NUMBERS, WORDS, Context, Cyclic, Feature, OneHot, Standard, encode_into
from inference.errors import ManifestError
from inference.strict_json import Fields, parse_object
from wire_protocol.identifiers import is_name

CONTRACT = "topscoop.recommend/1"
MAX_MANIFEST_BYTES = 1 << 20
MAX_MODEL_BYTES = 64 << 20
"""A network for a till is a few MB; a larger file is a mistake, and would be read into memory."""
MAX_FLAVOURS = 256
SLATE = 3
"""How many flavours a recommendation shows."""

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,63}\Z")
_AGENT_VERSION = re.compile(r"\d{1,5}\.\d{1,5}\.\d{1,5}\Z")
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\Z")


@dataclass(frozen=True, slots=True)
class ModelFile:
    """The network beside the manifest, and how it is known again."""

    file: str
    sha256: str
    bytes: int
    precision: str


@dataclass(frozen=True, slots=True)
class FrameFormat:
    """How a frame is brought into the network: square of `size` pixels."""

    size: int
    colour: str
    resize: str


@dataclass(frozen=True, slots=True)
class Flavour:
    """One entry of the catalogue; its place in the list is its index in the network."""

    id: str
    names: Mapping[str, str] = field(hash=False)
    colour: str

    def name(self, language: str) -> str:
        """The name in this language, else in English."""
        return self.names.get(language, self.names["en"])


@dataclass(frozen=True, slots=True)
class Dataset:
    """What the network was trained on."""

    digest: str
    interactions: int


@dataclass(frozen=True, slots=True)
class LatencyBudget:
    """Milliseconds that `FlavourModel.recommend` may take on a till."""

    p99: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """Everything about a model that is not a weight; `bestsellers` has every flavour, most sold first."""

    contract: str
    tenant: str
    name: str
    version: str
    created: str
    model: ModelFile
    frame: FrameFormat
    context: tuple[Feature, ...]
    flavours: tuple[Flavour, ...]
    bestsellers: tuple[str, ...]
    nobody_threshold: float
    dataset: Dataset
    latency_budget_ms: LatencyBudget
    minimum_agent: str

    @property
    def flavour_ids(self) -> tuple[str, ...]:
        """Ids by index."""
        return tuple(flavour.id for flavour in self.flavours)

    @property
    def context_length(self) -> int:
        """How many numbers the encoded context has: C of the contract."""
        return sum(feature.width for feature in self.context)

    def index_of(self, flavour_id: str) -> int:
        """The index of a flavour in scores and masks.

        Raises:
            KeyError: This model does not know the flavour.
        """
        for index, flavour in enumerate(self.flavours):
            if flavour.id == flavour_id:
                return index
        raise KeyError(flavour_id)

    def encode_context(self, context: Context) -> NDArray[np.float32]:
        """The network's second input without its batch axis, float32 [context_length]."""
        encoded = np.zeros(self.context_length, np.float32)
        encode_into(self.context, context, encoded)
        return encoded

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Parse `manifest.json`.

        Raises:
            ManifestError: Anything missing, unknown, of another type or inconsistent.
        """
        if len(data) > MAX_MANIFEST_BYTES:
            raise ManifestError(
                f"the manifest has {len(data)} bytes, more than {MAX_MANIFEST_BYTES}",
                remedy="Check that this file is a manifest.",
            )
        return cls._read(parse_object(data, "manifest.json"))

    @classmethod
    def _read(cls, fields: Fields) -> Self:
        # The contract first: under another one, no other complaint would mean anything.
        contract = fields.text("contract")
        if contract != CONTRACT:
            raise ManifestError(
                f"manifest.json has contract {contract!r:.80}, this version knows {CONTRACT!r} only",
                remedy="Update Topscoop, or take a model that was made for this version.",
            )
        flavours = _flavours(fields)
        manifest = cls(
            contract=contract,
            tenant=_name(fields, "tenant"),
            name=fields.text("name", longest=100),
            version=_matching(fields, "version", _VERSION, "a version such as 2026.11.22"),
            created=_instant(fields, "created"),
            model=_model_file(fields.child("model")),
            frame=_frame(fields.child("frame")),
            context=_context(fields),
            flavours=flavours,
            bestsellers=_bestsellers(fields, flavours),
            nobody_threshold=fields.number("nobody_threshold", low=0, high=1),
            dataset=_dataset(fields.child("dataset")),
            latency_budget_ms=_budget(fields.child("latency_budget_ms")),
            minimum_agent=_matching(fields, "minimum_agent", _AGENT_VERSION, "a version such as 0.1.0"),
        )
        fields.done()
        return manifest

    def to_json(self) -> bytes:
        """The manifest as `from_json` reads it: UTF-8, keys in the order of the contract."""
        value: dict[str, Any] = asdict(self)
        value["context"] = [
            {"name": feature.name, "encoding": _ENCODING[type(feature)], **encoded}
            for feature, encoded in zip(self.context, value["context"], strict=True)
        ]
        return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()


_ENCODING = {Cyclic: "cyclic", Standard: "standard", OneHot: "one_hot"}


def _matching(fields: Fields, key: str, pattern: re.Pattern[str], meaning: str) -> str:
    text = fields.text(key)
    if not pattern.match(text):
        fields.refuse(key, f"must be {meaning}, not {text!r:.80}")
    return text


def _name(fields: Fields, key: str) -> str:
    text = fields.text(key)
    if not is_name(text):
        fields.refuse(key, f"must be 1 to 32 of a-z, 0-9 and inner hyphens, not {text!r:.80}")
    return text


def _instant(fields: Fields, key: str) -> str:
    text = fields.text(key)
    try:
        offset = datetime.fromisoformat(text).utcoffset()
    except ValueError:
        offset = None
    if offset != timedelta(0):
        fields.refuse(key, f"must be an instant in UTC such as 2026-11-22T09:00:00Z, not {text!r:.80}")
    return text


def _model_file(fields: Fields) -> ModelFile:
    model = ModelFile(
        # A plain name, so that a manifest can never point outside of its own directory.
        file=_matching(fields, "file", _FILE, "a plain file name beside the manifest"),
        sha256=_matching(fields, "sha256", _SHA256, "64 lower-case hex digits"),
        bytes=fields.integer("bytes", low=1, high=MAX_MODEL_BYTES),
        precision=fields.one_of("precision", ("int8", "fp32")),
    )
    fields.done()
    return model


def _frame(fields: Fields) -> FrameFormat:
    frame = FrameFormat(
        size=fields.integer("size", low=16, high=1024),
        colour=fields.one_of("colour", ("bgr",)),
        resize=fields.one_of("resize", ("linear",)),
    )
    fields.done()
    return frame


def _context(fields: Fields) -> tuple[Feature, ...]:
    features = tuple(_feature(child) for child in fields.children("context"))
    if len({feature.name for feature in features}) != len(features):
        fields.refuse("context", "names a feature twice")
    if not features:
        fields.refuse("context", "must have at least one feature")
    return features


def _feature(fields: Fields) -> Feature:
    encoding = fields.one_of("encoding", _ENCODING.values())
    name = fields.one_of("name", WORDS if encoding == "one_hot" else NUMBERS)
    feature: Feature
    if encoding == "cyclic":
        feature = Cyclic(name, period=fields.number("period", low=1e-6, high=1e6))
    elif encoding == "standard":
        feature = Standard(
            name,
            mean=fields.number("mean", low=-1e6, high=1e6),
            scale=fields.number("scale", low=1e-6, high=1e6),
        )
    else:
        feature = OneHot(name, values=fields.texts("values", longest=32))
        if not feature.values:
            fields.refuse("values", "must name at least one value")
    fields.done()
    return feature


def _flavours(fields: Fields) -> tuple[Flavour, ...]:
    flavours = []
    for child in fields.children("flavours"):
        names = child.names("names")
        if "en" not in names or not all(_LANGUAGE.match(language) for language in names):
            child.refuse("names", "must have 'en', and language codes such as 'de' as keys")
        flavours.append(
            Flavour(
                _name(child, "id"), names, _matching(child, "colour", _COLOUR, "a colour such as #f3e5ab")
            )
        )
        child.done()
    ids = [flavour.id for flavour in flavours]
    twice = sorted({flavour_id for flavour_id in ids if ids.count(flavour_id) > 1})
    if twice:
        fields.refuse("flavours", f"has these ids twice: {', '.join(twice)}")
    if not SLATE <= len(flavours) <= MAX_FLAVOURS:
        fields.refuse("flavours", f"must be {SLATE} to {MAX_FLAVOURS} flavours, not {len(flavours)}")
    return tuple(flavours)


def _bestsellers(fields: Fields, flavours: tuple[Flavour, ...]) -> tuple[str, ...]:
    bestsellers = fields.texts("bestsellers")
    odd = {flavour.id for flavour in flavours}.symmetric_difference(bestsellers)
    if odd:
        fields.refuse(
            "bestsellers", f"must name every flavour once; wrong or missing: {', '.join(sorted(odd))}"
        )
    return bestsellers


def _dataset(fields: Fields) -> Dataset:
    digest = fields.text("digest")
    if not digest.startswith("sha256:") or not _SHA256.match(digest.removeprefix("sha256:")):
        fields.refuse("digest", f"must be 'sha256:' and 64 lower-case hex digits, not {digest!r:.80}")
    dataset = Dataset(digest, interactions=fields.integer("interactions", low=0, high=1 << 53))
    fields.done()
    return dataset


def _budget(fields: Fields) -> LatencyBudget:
    budget = LatencyBudget(p99=fields.number("p99", low=1e-3, high=1e4))
    fields.done()
    return budget
