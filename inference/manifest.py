"""The manifest of a model directory: contract, catalogue, encodings; pure, strict in both directions."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from inference.context import Context, Feature, OneHot, encode_into
from inference.errors import ManifestError
from inference.manifest_parts import (
    AGENT_VERSION,
    ENCODINGS,
    SLATE,
    VERSION,
    Dataset,
    Flavour,
    FrameFormat,
    LatencyBudget,
    ModelFile,
    read_bestsellers,
    read_budget,
    read_context,
    read_dataset,
    read_flavours,
    read_frame,
    read_instant,
    read_matching,
    read_model_file,
    read_name,
)
from inference.strict_json import Fields, parse_object

__all__ = [
    "CONTRACT",
    "MAX_MANIFEST_BYTES",
    "SLATE",
    "Dataset",
    "Flavour",
    "FrameFormat",
    "LatencyBudget",
    "Manifest",
    "ModelFile",
]

CONTRACT = "topscoop.recommend/1"
MAX_MANIFEST_BYTES = 1 << 20


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

    @property
    def shop_kinds(self) -> tuple[str, ...]:
        """The kinds of shop that this model tells apart; any other counts as unknown."""
        return next(
            (one.values for one in self.context if isinstance(one, OneHot) and one.name == "shop"), ()
        )

    def index_of(self, flavour_id: str) -> int:
        """The index of a flavour in scores and masks.

        Raises:
            KeyError: This model does not know the flavour.
        """
        for index, flavour in enumerate(self.flavours):
            if flavour.id == flavour_id:
                return index
        raise KeyError(flavour_id)

    def means_nobody(self, nobody: float) -> bool:
        """Whether a network that answers `nobody` says that nobody stands there."""
        return nobody >= self.nobody_threshold

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
        flavours = read_flavours(fields)
        manifest = cls(
            contract=contract,
            tenant=read_name(fields, "tenant"),
            name=fields.line("name", longest=100),
            version=read_matching(fields, "version", VERSION, "a version such as 2026.11.22"),
            created=read_instant(fields, "created"),
            model=read_model_file(fields.child("model")),
            frame=read_frame(fields.child("frame")),
            context=read_context(fields),
            flavours=flavours,
            bestsellers=read_bestsellers(fields, flavours),
            nobody_threshold=fields.number("nobody_threshold", low=0, high=1),
            dataset=read_dataset(fields.child("dataset")),
            latency_budget_ms=read_budget(fields.child("latency_budget_ms")),
            minimum_agent=read_matching(fields, "minimum_agent", AGENT_VERSION, "a version such as 0.1.0"),
        )
        fields.done()
        return manifest

    def to_json(self) -> bytes:
        """The manifest as `from_json` reads it: UTF-8, keys in the order of the contract."""
        value: dict[str, Any] = asdict(self)
        value["context"] = [
            {"name": feature.name, "encoding": ENCODINGS[type(feature)], **encoded}
            for feature, encoded in zip(self.context, value["context"], strict=True)
        ]
        return (json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n").encode()
