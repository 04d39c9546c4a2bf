"""What goes wrong in one seed, and when: drawn before anything runs, so a seed is one story.

A fault is switched on and off by time; `Trouble` is asked at every call of a port whether it strikes. What
really struck is counted in `bite`, because a fault that never bites proves nothing.
"""

import random
from collections import Counter
from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """One kind of fault; the threat that it belongs to."""

    RAIN = "rain"  # T4: a third of all publishes lost, repeated, delayed
    CUT_REGISTER = "cut-register"  # T16
    FLAP = "flap"  # T16: connections end within seconds
    BROKER_AWAY = "broker-away"  # T16
    BROKER_CRASH = "broker-crash"  # T17
    LYING_PUBACK = "lying-puback"  # T17: acknowledged, never delivered
    COLLECTORS_AWAY = "collectors-away"  # T17: nobody subscribes
    COLLECTOR_CRASH = "collector-crash"  # T13 for the cloud
    KEEPER_CRASH = "keeper-crash"  # T25
    REGISTER_CRASH = "register-crash"  # T13
    DISK_FULL = "disk-full"  # T12
    DISK_EIO = "disk-eio"  # T14
    S3_AWAY = "s3-away"  # T18: 503 before anything happened
    S3_AFTER = "s3-after"  # T18: an error after the write
    S3_SLOW = "s3-slow"  # T18: slower than a claim's lease
    S3_SILENT = "s3-silent"  # T18: the answer never comes
    DATABASE_AWAY = "database-away"
    DATABASE_AFTER = "database-after"  # the transaction was committed, its answer lost
    CLOCK_STEP = "clock-step"  # T15
    REVOKE = "revoke"  # T1
    WITHDRAW = "withdraw"  # T25: at the till, while everything is under way
    ERASE = "erase"  # T25: by the operator
    TOMBSTONE = "tombstone"  # T25: of a consent that the cloud has not seen
    REPLAY = "replay"  # T3: recorded bytes again, from here or there
    CONFLICT = "conflict"  # T3: a known id with other bytes
    FORGE = "forge"  # T2, T5: signed by the wrong key, or under a consent that does not hold
    POISON = "poison"  # T19
    FLOOD = "flood"  # T27


CRASHES = (Kind.COLLECTOR_CRASH, Kind.REGISTER_CRASH, Kind.KEEPER_CRASH, Kind.BROKER_CRASH)


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: from `at_s` for `for_s` seconds (0: an instant); `which` chooses whom it hits."""

    kind: Kind
    at_s: float
    for_s: float
    which: float

    def __str__(self) -> str:
        return f"{self.kind} at {self.at_s:.0f} s for {self.for_s:.0f} s"


_LASTING_S: dict[Kind, tuple[float, float]] = {
    Kind.RAIN: (60, 400),
    Kind.CUT_REGISTER: (20, 300),
    Kind.FLAP: (30, 200),
    Kind.BROKER_AWAY: (10, 200),
    Kind.LYING_PUBACK: (20, 200),
    Kind.COLLECTORS_AWAY: (10, 120),
    Kind.DISK_FULL: (10, 120),
    Kind.DISK_EIO: (5, 60),
    Kind.S3_AWAY: (10, 150),
    Kind.S3_AFTER: (10, 150),
    Kind.S3_SLOW: (20, 200),
    Kind.S3_SILENT: (10, 100),
    Kind.DATABASE_AWAY: (5, 90),
    Kind.DATABASE_AFTER: (10, 120),
    Kind.POISON: (20, 120),
}
_WEIGHTS: dict[Kind, int] = {
    Kind.RAIN: 4,
    Kind.COLLECTOR_CRASH: 6,
    Kind.REGISTER_CRASH: 5,
    Kind.S3_AFTER: 3,
    Kind.S3_SLOW: 3,
    Kind.S3_SILENT: 3,
    Kind.DATABASE_AFTER: 3,
    Kind.WITHDRAW: 6,
    Kind.ERASE: 3,
    Kind.TOMBSTONE: 2,
    Kind.REPLAY: 3,
    Kind.CONFLICT: 2,
    Kind.FORGE: 3,
}


def draw_faults(chance: random.Random, count: int, lasting_s: float) -> tuple[Fault, ...]:
    """`count` faults over `lasting_s` seconds: it always rains once, and always a process crashes."""
    kinds = list(Kind)
    drawn = chance.choices(kinds, weights=[_WEIGHTS.get(kind, 2) for kind in kinds], k=count - 2)
    faults = [_draw(chance, kind, lasting_s) for kind in (Kind.RAIN, chance.choice(CRASHES[:2]), *drawn)]
    return tuple(sorted(faults, key=lambda fault: fault.at_s))


def _draw(chance: random.Random, kind: Kind, lasting_s: float) -> Fault:
    low, high = _LASTING_S.get(kind, (0, 0))
    return Fault(kind, chance.uniform(0.02, 0.85) * lasting_s, chance.uniform(low, high), chance.random())


class Trouble:
    """Which lasting faults are on."""

    def __init__(self, chance: random.Random, bite: Counter[str]) -> None:
        self._chance = chance
        self.bite = bite
        self._on: Counter[tuple[Kind, str]] = Counter()

    def switch(self, kind: Kind, whom: str, *, on: bool) -> None:
        """Faults of one kind may overlap; the last one that ends, ends it."""
        self._on[kind, whom] += 1 if on else -1

    def is_on(self, kind: Kind, whom: str = "") -> bool:
        """Whether it is on; no draw, no bite."""
        return self._on[kind, whom] > 0

    def strikes(self, kind: Kind, whom: str = "", share: float = 1.0) -> bool:
        """Whether it hits this call."""
        if self._on[kind, whom] > 0 and self._chance.random() < share:
            self.bite[kind] += 1
            return True
        return False

    def calm(self) -> None:
        """All faults end."""
        self._on.clear()
