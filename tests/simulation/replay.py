"""Play one seed again and tell its story: `python -m tests.simulation.replay SEED [MUTANT]`."""

import sys

from tests.simulation.world.mutants import MUTANTS
from tests.simulation.world.referee import Referee
from tests.simulation.world.twin import NONE, run_seed


def main() -> int:
    """Print every event of a seed; 1 where something happened that must never happen."""
    seed, *rest = sys.argv[1:]
    mutant = next((mutant for mutant in MUTANTS if [mutant.name] == rest), NONE)
    note = Referee.note

    def aloud(self: Referee, event: str) -> None:
        note(self, event)
        print(self.events[-1])

    Referee.note = aloud  # type: ignore[method-assign]
    outcome = run_seed(int(seed), mutant)
    print(f"seed {seed}, mutant {mutant.name}: {outcome.captured} messages, {outcome.crashes} crashes")
    print("\n".join(outcome.violations) or "nothing happened that must not")
    return int(bool(outcome.violations))


if __name__ == "__main__":
    sys.exit(main())
