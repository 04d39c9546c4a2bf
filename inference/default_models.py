"""Where the models that come with Topscoop lie: one directory per chain."""

from pathlib import Path

from inference.errors import ModelFileMissing
from inference.loading import MANIFEST_FILE

DEFAULT_CHAIN = "gelateria-sole"
_PACKAGE = Path(__file__).parent
MODEL_ROOTS = (_PACKAGE / "_models", _PACKAGE.parent / "models")
"""In an installed wheel, and in a checkout."""


def default_model_dir(chain: str = DEFAULT_CHAIN, roots: tuple[Path, ...] = MODEL_ROOTS) -> Path:
    """The model directory of a chain.

    Raises:
        ModelFileMissing: Topscoop came without a model for it.
    """
    for root in roots:
        # Compared with what is there instead of joined: a chain's name never becomes a path.
        if chain in _chains(root):
            return root / chain
    known = sorted({name for root in roots for name in _chains(root)})
    remedy = f"There are models for: {', '.join(known)}." if known else "Name a model directory instead."
    raise ModelFileMissing(f"there is no model for the chain {chain!r}", remedy=remedy)


def _chains(root: Path) -> set[str]:
    return {manifest.parent.name for manifest in root.glob(f"*/{MANIFEST_FILE}")}
