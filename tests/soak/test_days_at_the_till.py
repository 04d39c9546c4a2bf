"""A real agent through minutes of everything at once: sales, menus, swaps, nonsense, and kill -9."""

import random
import signal
import time
from collections import Counter
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from tests.builders.agent_process import TOKEN, AgentProcess, running_agent, write_config
from tests.builders.tiny_model import build_model_dir

LIVES = 4
LIFE_S = 45
SETTLED_AFTER_S = 15
GROWTH_LIMIT_KB = 12_000
"""What one life may grow by once it has settled; a leak of one picture a second would be far beyond."""


class Till:
    """Does what tills do, and some that they should not; remembers every sale that was acknowledged."""

    def __init__(self, seed: int, models: tuple[Path, Path]) -> None:
        self._random = random.Random(seed)
        self._models = models
        self.acknowledged: dict[str, tuple[str, dict[str, object]]] = {}
        self.answers: Counter[int] = Counter()
        self._open: list[str] = []

    def act(self, client: httpx.Client) -> None:
        """One action, chosen by chance."""
        action = self._random.choices(
            [self._greet, self._sell, self._repeat, self._change_menu, self._swap, self._nonsense],
            weights=[50, 35, 5, 5, 1, 4],
        )[0]
        action(client)

    def repeat_all(self, client: httpx.Client) -> None:
        """Every sale that was ever acknowledged is known, under the same id."""
        for key, (outcome_id, body) in self.acknowledged.items():
            answer = client.post("/v1/outcomes", json=body, headers={"Idempotency-Key": key})
            assert (answer.status_code, answer.json()["outcome_id"]) == (200, outcome_id)

    def _note(self, answer: httpx.Response, *expected: int) -> httpx.Response:
        assert answer.status_code in expected, answer.text
        self.answers[answer.status_code] += 1
        return answer

    def _greet(self, client: httpx.Client) -> None:
        answer = self._note(client.post("/v1/interactions"), 201)
        self._open = [*self._open[-5:], answer.json()["interaction_id"]]

    def _sell(self, client: httpx.Client) -> None:
        key = str(uuid4())
        body: dict[str, object] = {
            "receipt_id": key[:8],
            "lines": [{"flavour": "mango", "quantity": self._random.randint(1, 3)}],
        }
        answer = self._note(client.post("/v1/outcomes", json=body, headers={"Idempotency-Key": key}), 201)
        self.acknowledged[key] = (answer.json()["outcome_id"], body)

    def _repeat(self, client: httpx.Client) -> None:
        if self.acknowledged:
            key = self._random.choice(list(self.acknowledged))
            _, body = self.acknowledged[key]
            self._note(client.post("/v1/outcomes", json=body, headers={"Idempotency-Key": key}), 200)
            other = {**body, "receipt_id": "another"}
            self._note(client.post("/v1/outcomes", json=other, headers={"Idempotency-Key": key}), 409)

    def _change_menu(self, client: httpx.Client) -> None:
        menu = self._note(client.get("/v1/menu"), 200).json()
        some = [flavour for flavour in menu["in_stock"] if flavour == "mango" or self._random.random() < 0.8]
        self._note(client.put("/v1/menu", json={"in_stock": some or ["mango"]}), 200)

    def _swap(self, client: httpx.Client) -> None:
        self._note(client.put("/v1/model", json={"model_dir": str(self._random.choice(self._models))}), 200)

    def _nonsense(self, client: httpx.Client) -> None:
        body = self._random.choice([b"", b"{", b'{"receipt_id": 7}', b"[]", b"\xff" * 100, b"{}" * 40_000])
        self._note(client.post("/v1/outcomes", content=body), 400, 413, 415, 422)


def _resident_kb(agent: AgentProcess) -> int:
    status = Path(f"/proc/{agent.process.pid}/status").read_text("utf-8")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_lives_of_an_agent(tmp_path: Path) -> None:
    """T13: no acknowledged sale is lost, no request fails by our fault, and memory does not grow."""
    models = (build_model_dir(tmp_path / "one"), build_model_dir(tmp_path / "two"))
    config = write_config(tmp_path, model_dir=models[0], more=f'[api]\npairing_tokens = ["{TOKEN}"]\n')
    till = Till(seed=20261122, models=models)
    for _ in range(LIVES):
        with running_agent(config) as agent, agent.client() as client:
            till.repeat_all(client)
            settled_kb = None
            started = time.monotonic()
            while (passed := time.monotonic() - started) < LIFE_S:
                till.act(client)
                time.sleep(0.005)
                if settled_kb is None and passed > SETTLED_AFTER_S:
                    settled_kb = _resident_kb(agent)
            assert settled_kb is not None
            assert _resident_kb(agent) - settled_kb < GROWTH_LIMIT_KB
            agent.stop(signal.SIGKILL)
    assert till.answers[201] > 1000
    assert len(till.acknowledged) > 300
