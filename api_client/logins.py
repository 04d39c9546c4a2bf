"""Who is logged in where: one file a chain, readable by its owner alone."""

import json
import os
import re
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from wire_protocol.errors import OperatorError

_OTHERS: Final = re.compile(r"[^a-z0-9.-]")


@dataclass(frozen=True, slots=True)
class Login:
    """A login that holds.

    Attributes:
        origin: Of the chain's API.
        token: A secret; it stands in no log and in no `repr`.
        ends_at_s: When it ends, in seconds since 1970 by this machine's clock.
        ca: The authority's certificate that was named at the login.
        client_id: Of a machine.
        secret_file: Where a machine's secret lies, for the next token.
    """

    origin: str
    token: str = field(repr=False)
    ends_at_s: float
    ca: str | None = None
    client_id: str | None = None
    secret_file: str | None = None


class LoginFiles:
    """A folder of logins; mode 700, its files 600."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def default(cls) -> "LoginFiles":
        """Below the user's state folder (XDG)."""
        base = os.environ.get("XDG_STATE_HOME", "")
        # The specification wants relative paths ignored.
        state = Path(base) if os.path.isabs(base) else Path.home() / ".local" / "state"  # noqa: PTH117
        return cls(state / "topscoop" / "client")

    def read(self, origin: str) -> Login | None:
        """The login at this chain; None: nobody is logged in.

        Raises:
            OperatorError: Its file cannot be read, or is broken.
        """
        path = self._path(origin)
        try:
            login = Login(**json.loads(path.read_text("utf-8")))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError) as error:
            raise OperatorError(f"cannot read {path}", remedy="Delete it and log in again.") from error
        if login.origin != origin or not _sound(asdict(login)):
            raise OperatorError(f"{path} is broken", remedy="Delete it and log in again.")
        return login

    def write(self, login: Login) -> None:
        """Keep it, in place of what was there.

        Raises:
            OperatorError: The folder cannot be written.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            # `mkstemp` makes files of mode 600, in the same folder so that the exchange is one step.
            handle, name = tempfile.mkstemp(dir=self.folder, prefix=".new-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(asdict(login), file)
                    file.flush()
                    os.fsync(file.fileno())
                Path(name).replace(self._path(login.origin))
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise OperatorError(
                f"cannot keep the login in {self.folder}: {error.strerror}",
                remedy="Make it writable, or name another place by XDG_STATE_HOME.",
            ) from error

    def forget(self, origin: str) -> None:
        """Delete it, if it is there."""
        self._path(origin).unlink(missing_ok=True)

    def named(self, name: str) -> list[str]:
        """The origins with a login whose host begins with this chain's name."""
        found = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                origin = json.loads(path.read_text("utf-8"))["origin"]
            except (OSError, ValueError, KeyError, TypeError):
                continue  # `read` tells of it where it is meant
            if isinstance(origin, str) and origin.partition("://")[2].startswith(f"{name}."):
                found.append(origin)
        return found

    def _path(self, origin: str) -> Path:
        return self.folder / f"{_OTHERS.sub('_', origin)}.json"


def _sound(values: dict[str, Any]) -> bool:
    texts = [values["origin"], values["token"]]
    maybe = [values[name] for name in ("ca", "client_id", "secret_file")]
    return (
        all(isinstance(one, str) and one for one in texts)
        and isinstance(values["ends_at_s"], int | float)
        and all(one is None or isinstance(one, str) for one in maybe)
    )
