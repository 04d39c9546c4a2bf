"""The pairing token of a register whose configuration names none."""

import re
from pathlib import Path

from edge_agent.adapters.durable import write_durably
from edge_agent.errors import DataFolderError
from edge_agent.ports import Randomness

TOKEN_FILE = "pairing-token"  # noqa: S105 - a file's name
_TOKEN_BYTES = 32
_TOKEN = re.compile(r"[\x21-\x7e]{16,256}\Z")


def kept_token(data_dir: Path, randomness: Randomness) -> tuple[str, Path]:
    """The token of this data folder and where it lies; made at the first start, readable by its owner only.

    Raises:
        DataFolderError: The file cannot be read or written, or holds no token.
    """
    path = data_dir / TOKEN_FILE
    try:
        if not path.exists():
            write_durably(path, randomness(_TOKEN_BYTES).hex().encode() + b"\n")
        path.chmod(0o600)
        token = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataFolderError(
            f"{path}: the pairing token cannot be read or made: {error}",
            remedy="Give the folder to the agent's user, or set `pairing_tokens` under [api].",
        ) from error
    if _TOKEN.match(token) is None:
        raise DataFolderError(
            f"{path}: holds no pairing token",
            remedy="Delete the file: the next start makes a new token, which the till then needs.",
        )
    return token, path
