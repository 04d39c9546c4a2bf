"""The parts of a manifest: what they are, and how each is read from JSON; pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from inference.context import NUMBERS, WORDS, Cyclic, Feature, OneHot, Standard
from inference.strict_json import Fields
from wire_protocol.identifiers import is_name

MAX_MODEL_BYTES = 64 << 20
"""A network for a till is a few MB; a larger file is a mistake, and would be read into memory."""
MAX_FLAVOURS = 256
SLATE = 3
"""How many flavours a recommendation shows."""

_SHA256 = re.compile(r"[0-9a-f]{64}\Z")
_COLOUR = re.compile(r"#[0-9a-f]{6}\Z")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})?\Z")
VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,63}\Z")
AGENT_VERSION = re.compile(r"\d{1,5}\.\d{1,5}\.\d{1,5}\Z")
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


ENCODINGS = {Cyclic: "cyclic", Standard: "standard", OneHot: "one_hot"}


def read_matching(fields: Fields, key: str, pattern: re.Pattern[str], meaning: str) -> str:
    """A text of the given form."""
    text = fields.text(key)
    if not pattern.match(text):
        fields.refuse(key, f"must be {meaning}, not {text!r:.80}")
    return text


def read_name(fields: Fields, key: str) -> str:
    """An id as `wire_protocol.identifiers` has it."""
    text = fields.text(key)
    if not is_name(text):
        fields.refuse(key, f"must be 1 to 32 of a-z, 0-9 and inner hyphens, not {text!r:.80}")
    return text


def read_instant(fields: Fields, key: str) -> str:
    """An instant in UTC, as ISO 8601."""
    text = fields.text(key)
    try:
        offset = datetime.fromisoformat(text).utcoffset()
    except ValueError:
        offset = None
    if offset != timedelta(0):
        fields.refuse(key, f"must be an instant in UTC such as 2026-11-22T09:00:00Z, not {text!r:.80}")
    return text


def read_model_file(fields: Fields) -> ModelFile:
    """The object `model`."""
    model = ModelFile(
        # A plain name, so that a manifest can never point outside of its own directory.
        file=read_matching(fields, "file", _FILE, "a plain file name beside the manifest"),
        sha256=read_matching(fields, "sha256", _SHA256, "64 lower-case hex digits"),
        bytes=fields.integer("bytes", low=1, high=MAX_MODEL_BYTES),
        precision=fields.one_of("precision", ("int8", "fp32")),
    )
    fields.done()
    return model


def read_frame(fields: Fields) -> FrameFormat:
    """The object `frame`."""
    frame = FrameFormat(
        size=fields.integer("size", low=16, high=1024),
        colour=fields.one_of("colour", ("bgr",)),
        resize=fields.one_of("resize", ("linear",)),
    )
    fields.done()
    return frame


def read_context(fields: Fields) -> tuple[Feature, ...]:
    """The list of features, each with its encoding."""
    features = tuple(_feature(child) for child in fields.children("context"))
    if len({feature.name for feature in features}) != len(features):
        fields.refuse("context", "names a feature twice")
    if not features:
        fields.refuse("context", "must have at least one feature")
    return features


def _feature(fields: Fields) -> Feature:
    encoding = fields.one_of("encoding", ENCODINGS.values())
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


def read_flavours(fields: Fields) -> tuple[Flavour, ...]:
    """The catalogue."""
    flavours = []
    for child in fields.children("flavours"):
        names = child.names("names")
        if "en" not in names or not all(_LANGUAGE.match(language) for language in names):
            child.refuse("names", "must have 'en', and language codes such as 'de' as keys")
        flavours.append(
            Flavour(
                read_name(child, "id"),
                names,
                read_matching(child, "colour", _COLOUR, "a colour such as #f3e5ab"),
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


def read_bestsellers(fields: Fields, flavours: tuple[Flavour, ...]) -> tuple[str, ...]:
    """Every flavour's id once, most sold first."""
    bestsellers = fields.texts("bestsellers")
    odd = {flavour.id for flavour in flavours}.symmetric_difference(bestsellers)
    if odd:
        fields.refuse(
            "bestsellers", f"must name every flavour once; wrong or missing: {', '.join(sorted(odd))}"
        )
    return bestsellers


def read_dataset(fields: Fields) -> Dataset:
    """The object `dataset`."""
    digest = fields.text("digest")
    if not digest.startswith("sha256:") or not _SHA256.match(digest.removeprefix("sha256:")):
        fields.refuse("digest", f"must be 'sha256:' and 64 lower-case hex digits, not {digest!r:.80}")
    dataset = Dataset(digest, interactions=fields.integer("interactions", low=0, high=1 << 53))
    fields.done()
    return dataset


def read_budget(fields: Fields) -> LatencyBudget:
    """The object `latency_budget_ms`."""
    budget = LatencyBudget(p99=fields.number("p99", low=1e-3, high=1e4))
    fields.done()
    return budget
