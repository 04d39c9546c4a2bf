"""The manifest: strict on the way in, lossless on the way out."""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.context import NUMBERS, Context, Cyclic, OneHot, Standard
from inference.errors import ManifestError, ModelError
from inference.manifest import (
    CONTRACT,
    MAX_MANIFEST_BYTES,
    Dataset,
    Flavour,
    FrameFormat,
    LatencyBudget,
    Manifest,
    ModelFile,
)
from tests.builders.tiny_model import build_manifest

Spoil = Callable[[dict[str, Any]], object]


def parse(value: dict[str, Any]) -> Manifest:
    return Manifest.from_json(json.dumps(value).encode())


def test_the_fields_of_the_contract() -> None:
    manifest = parse(build_manifest(b"network"))
    assert manifest.tenant == "gelateria-sole"
    assert manifest.frame.size == 160
    assert manifest.context_length == 9
    assert manifest.flavour_ids[:2] == ("vanilla", "chocolate")
    assert manifest.index_of("strawberry") == 2
    assert manifest.flavours[0].name("de") == "Vanille"
    assert manifest.flavours[0].name("xx") == "Vanilla"
    assert manifest.latency_budget_ms.p99 == 1.0
    with pytest.raises(KeyError):
        manifest.index_of("liquorice")


def test_the_context_is_encoded_as_the_network_takes_it() -> None:
    encoded = parse(build_manifest(b"network")).encode_context(Context(hour=6, shop="mall"))
    assert encoded.dtype == np.float32
    assert encoded == pytest.approx([1, 0, 0, 0, 0, 0, 0, 0, 1], abs=1e-6)


SPOILS: dict[str, tuple[Spoil, str]] = {
    "another contract": (lambda m: m.update(contract="topscoop.recommend/2"), "this version knows"),
    "a missing key": (lambda m: m.pop("bestsellers"), "bestsellers is missing"),
    "an unknown key": (lambda m: m.update(flavors=[]), "unknown keys: flavors"),
    "an unknown inner key": (lambda m: m["model"].update(url="http://x"), "model has unknown keys: url"),
    "a bad tenant": (lambda m: m.update(tenant="Gelateria Sole"), "tenant must be 1 to 32"),
    "a name that moves the cursor": (lambda m: m.update(name="a\x1b[2J"), "name must be printable"),
    "a local time": (lambda m: m.update(created="2026-11-22T09:00:00+01:00"), "created must be an instant"),
    "no time": (lambda m: m.update(created="yesterday"), "created must be an instant"),
    "a path as file": (lambda m: m["model"].update(file="../model.onnx"), "plain file name"),
    "an absolute file": (lambda m: m["model"].update(file="/etc/passwd"), "plain file name"),
    "a short digest": (lambda m: m["model"].update(sha256="ab"), "64 lower-case hex"),
    "an upper-case digest": (lambda m: m["model"].update(sha256="A" * 64), "64 lower-case hex"),
    "a huge model": (lambda m: m["model"].update(bytes=1 << 40), "bytes must be a whole number"),
    "another precision": (
        lambda m: m["model"].update(precision="int4"),
        "precision must be 'int8' or 'fp32'",
    ),
    "another colour order": (lambda m: m["frame"].update(colour="rgb"), "colour must be 'bgr'"),
    "another resize": (lambda m: m["frame"].update(resize="area"), "resize must be 'linear'"),
    "a tiny frame": (lambda m: m["frame"].update(size=1), "size must be a whole number"),
    "an unknown encoding": (lambda m: m["context"][0].update(encoding="log"), "encoding must be"),
    "an unknown feature": (lambda m: m["context"][0].update(name="shoe_size"), "name must be 'hour'"),
    "a word as number": (lambda m: m["context"][0].update(name="shop"), "name must be 'hour'"),
    "a feature twice": (lambda m: m["context"][1].update(name="hour"), "names a feature twice"),
    "no features": (lambda m: m.update(context=[]), "at least one feature"),
    "a scale of zero": (lambda m: m["context"][2].update(scale=0), "scale must be from"),
    "a period of zero": (lambda m: m["context"][0].update(period=0), "period must be from"),
    "no values": (lambda m: m["context"][3].update(values=[]), "at least one value"),
    "a value twice": (lambda m: m["context"][3].update(values=["a", "a"]), "something twice"),
    "two flavours only": (lambda m: m.update(flavours=m["flavours"][:2]), "3 to 256 flavours"),
    "an id twice": (lambda m: m["flavours"][1].update(id="vanilla"), "these ids twice: vanilla"),
    "a bad id": (lambda m: m["flavours"][1].update(id="straw berry"), r"flavours\[1\]: id must be"),
    "no English name": (lambda m: m["flavours"][0]["names"].pop("en"), "names must have 'en'"),
    "an empty name": (lambda m: m["flavours"][0]["names"].update(de=""), "from language to text"),
    "a bad language": (lambda m: m["flavours"][0]["names"].update(German="x"), "language codes"),
    "a bad colour": (lambda m: m["flavours"][0].update(colour="yellow"), "colour must be"),
    "a best-seller short": (lambda m: m["bestsellers"].pop(), "wrong or missing: cherry"),
    "an unknown best-seller": (lambda m: m["bestsellers"].append("liquorice"), "wrong or missing: liquorice"),
    "a best-seller twice": (lambda m: m["bestsellers"].append("vanilla"), "something twice"),
    "a threshold above one": (
        lambda m: m.update(nobody_threshold=1.5),
        "nobody_threshold must be from 0 to 1",
    ),
    "a threshold as text": (lambda m: m.update(nobody_threshold="0.5"), "must be a number, not a text"),
    "a bare dataset digest": (lambda m: m["dataset"].update(digest="0" * 64), "digest must be 'sha256:'"),
    "negative interactions": (lambda m: m["dataset"].update(interactions=-1), "interactions must be"),
    "no time budget": (lambda m: m["latency_budget_ms"].update(p99=0), "p99 must be from"),
    "a vague agent": (lambda m: m.update(minimum_agent="latest"), "minimum_agent must be"),
}


@pytest.mark.parametrize("name", SPOILS)
def test_each_broken_manifest_gets_its_own_sentence(name: str) -> None:
    """Unknown contract, missing, unknown and inconsistent fields are refused, with what to do."""
    spoil, problem = SPOILS[name]
    value = build_manifest(b"network")
    spoil(value)
    with pytest.raises(ManifestError, match=problem) as caught:
        parse(value)
    assert caught.value.remedy
    assert isinstance(caught.value, ModelError)


def test_another_contract_is_said_before_anything_else() -> None:
    """What a newer manifest holds besides is none of our business."""
    with pytest.raises(ManifestError, match=r"contract 'topscoop\.recommend/9'"):
        parse({"contract": "topscoop.recommend/9", "new": {}})


def test_a_huge_file_is_not_parsed() -> None:
    with pytest.raises(ManifestError, match="bytes, more than"):
        Manifest.from_json(b" " * (MAX_MANIFEST_BYTES + 1))


_ids = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True)
_texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20)
_numbers = st.floats(-1e6, 1e6, allow_nan=False)
_positive = st.floats(1e-6, 1e6)
_hex = st.text("0123456789abcdef", min_size=64, max_size=64)
_features = st.one_of(
    st.builds(Cyclic, name=st.sampled_from(NUMBERS), period=_positive),
    st.builds(Standard, name=st.sampled_from(NUMBERS), mean=_numbers, scale=_positive),
    st.builds(
        OneHot,
        name=st.just("shop"),
        values=st.lists(_texts, min_size=1, max_size=5, unique=True).map(tuple),
    ),
)
_flavours = st.builds(
    Flavour,
    id=_ids,
    names=st.fixed_dictionaries({"en": _texts}, optional={"de": _texts, "pt-BR": _texts}),
    colour=st.from_regex(r"#[0-9a-f]{6}", fullmatch=True),
)


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    flavours = draw(st.lists(_flavours, min_size=3, max_size=8, unique_by=lambda flavour: flavour.id))
    return Manifest(
        contract=CONTRACT,
        tenant=draw(_ids),
        name=draw(_texts.filter(str.isprintable)),
        version=draw(st.from_regex(r"[0-9A-Za-z][0-9A-Za-z.+-]{0,20}", fullmatch=True)),
        created="2026-11-22T09:00:00Z",
        model=ModelFile("model.onnx", draw(_hex), draw(st.integers(1, 1 << 26)), "int8"),
        frame=FrameFormat(draw(st.integers(16, 1024)), "bgr", "linear"),
        context=tuple(draw(st.lists(_features, min_size=1, unique_by=lambda feature: feature.name))),
        flavours=tuple(flavours),
        bestsellers=tuple(draw(st.permutations([flavour.id for flavour in flavours]))),
        nobody_threshold=draw(st.floats(0, 1)),
        dataset=Dataset("sha256:" + draw(_hex), draw(st.integers(0, 1 << 40))),
        latency_budget_ms=LatencyBudget(draw(st.floats(1e-3, 1e4))),
        minimum_agent="0.1.0",
    )


@given(manifests())
def test_a_manifest_survives_its_own_json(manifest: Manifest) -> None:
    """`from_json` undoes `to_json`, for every manifest there may be."""
    assert Manifest.from_json(manifest.to_json()) == manifest


@given(manifests(), st.data())
def test_each_key_is_needed(manifest: Manifest, data: st.DataObject) -> None:
    """No key has a silent default."""
    value = json.loads(manifest.to_json())
    value.pop(data.draw(st.sampled_from(sorted(value))))
    with pytest.raises(ManifestError, match="is missing"):
        parse(value)
