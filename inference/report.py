"""How `topscoop recommend` shows an answer: JSON values for programs, a small table for people. Pure."""

from typing import Any

from inference.manifest import Manifest
from inference.recommendation import Recommendation
from inference.slate import Slate

_BAR_WIDTH = 30
_EIGHTHS = " ▏▎▍▌▋▊▉"


def model_label(manifest: Manifest) -> str:
    """The model's name and version in one word."""
    return f"{manifest.name}@{manifest.version}"


def as_json(image: str, manifest: Manifest, answer: Recommendation, slate: Slate) -> dict[str, Any]:
    """One picture's entry in the output of `--json`."""
    return {
        "image": image,
        "top3": [
            {
                "flavour": manifest.flavours[index].id,
                "name": manifest.flavours[index].name("en"),
                "probability": round(probability, 4),
            }
            for index, probability in zip(slate.flavours, slate.probability, strict=True)
        ],
        "source": slate.source,
        "nobody": round(answer.nobody, 4),
        "inference_ms": round(answer.inference_ms, 3),
        "total_ms": round(answer.total_ms, 3),
        "model": model_label(manifest),
    }


def as_text(image: str, manifest: Manifest, answer: Recommendation, slate: Slate) -> str:
    """One picture's table: flavours with bars, then what is known about the answer."""
    lines = [image]
    if slate.source == "bestsellers":
        lines.append(f"  nobody seen ({answer.nobody:.0%} sure); showing best-sellers")
    names = [manifest.flavours[index].name("en") for index in slate.flavours]
    width = max(map(len, names), default=0)
    for place, (name, probability) in enumerate(zip(names, slate.probability, strict=True), start=1):
        bar = "" if slate.source == "bestsellers" else f"  {_bar(probability)} {probability:6.1%}"
        lines.append(f"  {place}  {name:<{width}}{bar}".rstrip())
    lines.append(
        f"  nobody {answer.nobody:.1%}, network {answer.inference_ms:.2f} ms, "
        f"with the frame {answer.total_ms:.2f} ms, {model_label(manifest)}"
    )
    return "\n".join(lines)


def _bar(share: float) -> str:
    eighths = round(min(share, 1.0) * _BAR_WIDTH * 8)
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else "")).ljust(_BAR_WIDTH)
