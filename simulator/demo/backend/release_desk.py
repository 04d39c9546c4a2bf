"""What operators type about releases: keys, trust, publications, rollouts, who may log in to the console."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from simulator.demo.backend.command_lines import CommandLines
from simulator.demo.backend.next_releases import FIRST

PEOPLE: Final = (
    ("vera", "Vera Viewer", "viewer"),
    ("otto", "Otto Operator", "operator"),
    ("olga", "Olga Operator", "operator"),
    ("anna", "Anna Admin", "admin"),
)
"""Whom the development identity provider offers with one click."""
_AUTHOR: Final = ("--by", "demo", "--yes", "--json")


@dataclass(slots=True)
class ReleaseDesk:
    """One interpreter in which everything is typed, one line after the other.

    Args:
        lines: The interpreter; started already.
        config: The cloud's configuration.
        store: Folder of the release repositories.
        keys: Folder of development keys.
        models: Each chain's bundled model.
        tenant: The chain whose releases go anywhere.
        services_ready: Waits for the services that releases need.
    """

    lines: CommandLines
    config: Path
    store: Path
    keys: Path
    models: Mapping[str, Path]
    tenant: str
    services_ready: Callable[[], Coroutine[Any, Any, None]]

    async def make_repositories(self) -> Mapping[str, Path]:
        """An empty repository with development keys for every chain; each one's root of trust.

        Raises:
            ServiceFailedError: A command failed, as with all of these.
        """
        roots = {}
        for tenant in self.models:
            where = ("--store", str(self.store), "--chain", tenant, "--keys", str(self.keys / tenant))
            made = await self.lines.run("model", "init", "--development", *where, "--json")
            roots[tenant] = Path(made["root"])
        return roots

    async def open(self) -> int:
        """Make the bundled models the chains' first release, and let people in; returns its number."""
        for tenant, model in self.models.items():
            await self._publish(tenant, model, FIRST, "champion")
        await self._cloud("releases", "look")
        await self.services_ready()
        for tenant in self.models:
            for subject, name, role in PEOPLE:
                who = ("--tenant", tenant, "--subject", subject, "--name", name, "--role", role)
                await self._cloud("operator", "add", *who)
        return FIRST

    async def publish(self, model: Path, release: int) -> None:
        """Sign and publish a model, and let the cloud see it at once."""
        await self._publish(self.tenant, model, release, "candidate")
        await self._cloud("releases", "look", "--tenant", self.tenant)

    async def start_rollout(self, release: int, plan: Path) -> str:
        """Plan and start a rollout; its id."""
        planned = await self._rollout("plan", str(release), "--plan", str(plan))
        await self._rollout("start", planned["rollout"])
        return str(planned["rollout"])

    async def status(self, rollout: str) -> Mapping[str, Any]:
        """How a rollout is."""
        return dict(await self._rollout("status", rollout))

    async def close(self) -> None:
        """End the interpreter."""
        await self.lines.stop()

    async def _publish(self, tenant: str, model: Path, release: int, alias: str) -> None:
        where = ("--store", str(self.store), "--keys", str(self.keys / tenant))
        what = (str(model), "--release", str(release), "--alias", alias)
        await self.lines.run("model", "publish", *what, *where, *_AUTHOR)

    async def _cloud(self, *words: str) -> Any:
        return await self.lines.run("cloud", *words, *self._told)

    async def _rollout(self, verb: str, *words: str) -> Any:
        return await self.lines.run("rollout", verb, *words, "--tenant", self.tenant, *self._told)

    @property
    def _told(self) -> Sequence[str]:
        return ("--config", str(self.config), "--json")
