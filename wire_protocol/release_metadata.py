"""What stands in a chain's signed release metadata: a release's `custom`, and the policy over all releases.

Values are JSON's as python-tuf gives them. TUF signs canonical JSON, which has no floating-point numbers: the
manifest travels as the text of `manifest.json`, and measures as decimal texts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any, Final, NoReturn, Self

from wire_protocol.errors import TopscoopError
from wire_protocol.identifiers import is_name

RELEASE_FORMAT: Final = "topscoop.release/1"
POLICY_FORMAT: Final = "topscoop.policy/1"
FIELD: Final = "topscoop"
"""Key of all: within a target's `custom`, and at the top level of targets and root."""
RELEASE_MAX: Final = 1_000_000_000
MANIFEST_TEXT_MAX: Final = 64 * 1024
"""Sixteen flavours in three languages take 3 KB; every register fetches this for every listed release."""
REASON_MAX: Final = 200
NUISANCES_MAX: Final = 32
SERVICE_KEYS_PATH: Final = "service-keys.json"

_DECIMALS: Final = 5
_PEM_MAX: Final = 2000
_DECIMAL = re.compile(r"-?(?:0|[1-9]\d{0,6})(?:\.\d{1,5})?\Z")
_RELEASE_KEY = re.compile(r"[1-9]\d{0,9}\Z")
_RELEASE_PATH = re.compile(r"releases/([1-9]\d{0,9})/(model\.onnx|golden\.cbor)\Z")
_NUISANCE = re.compile(r"[a-z][a-z_]{0,31}\Z")


class BadReleaseMetadata(TopscoopError):
    """Signed metadata that does not say what its format says it must: nothing of it is used."""


def model_path(release: int) -> str:
    """The target that is a release's network."""
    return f"releases/{release}/model.onnx"


def golden_path(release: int) -> str:
    """The target that is a release's golden frames."""
    return f"releases/{release}/golden.cbor"


def release_of_path(path: str) -> int | None:
    """The release whose network this target is; None for any other target."""
    found = _RELEASE_PATH.match(path)
    return int(found[1]) if found and found[2] == "model.onnx" else None


@dataclass(frozen=True, slots=True)
class ReleaseReport:
    """What the release gate was shown of a model; shares from 0 to 1, rounded to five decimals.

    Args:
        orders: How many purchases it was measured on.
        hit_at_3: Of the network as released.
        best_sellers: hit@3 of always showing the best-sellers.
        context_only: hit@3 of the better of the recommenders that see no picture.
        int8_loss_points: What quantization cost, in points of hit@3; negative where it gained.
        calibration_error: Expected calibration error.
        p50_ms: On the machine that evaluated.
        p99_ms: The same.
        unchanged: Per nuisance attribute, how often the three flavours stay the same; `all` is the mean.
    """

    orders: int
    hit_at_3: float
    best_sellers: float
    context_only: float
    int8_loss_points: float
    calibration_error: float
    p50_ms: float
    p99_ms: float
    unchanged: Mapping[str, float] = field(hash=False)

    def __post_init__(self) -> None:
        """Round, so that reading gives what was written."""
        for name in _MEASURES:
            object.__setattr__(self, name, round(float(getattr(self, name)), _DECIMALS))
        rounded = {name: round(float(share), _DECIMALS) for name, share in sorted(self.unchanged.items())}
        object.__setattr__(self, "unchanged", rounded)

    def to_value(self) -> dict[str, Any]:
        """As it stands in the metadata."""
        measures = {name: _decimal(getattr(self, name)) for name in _MEASURES}
        unchanged = {name: _decimal(share) for name, share in self.unchanged.items()}
        return {"orders": self.orders, **measures, "unchanged": unchanged}

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read it. Raises BadReleaseMetadata."""
        taken = _Taken(value, "report")
        report = cls(
            orders=taken.integer("orders", low=1, high=1 << 53),
            unchanged=_unchanged(taken.take("unchanged")),
            **{name: taken.measure(name, *bounds) for name, bounds in _MEASURES.items()},
        )
        taken.done()
        return report


_MEASURES: Final[dict[str, tuple[float, float]]] = {
    "hit_at_3": (0, 1),
    "best_sellers": (0, 1),
    "context_only": (0, 1),
    "int8_loss_points": (-100, 100),
    "calibration_error": (0, 1),
    "p50_ms": (0, 1_000_000),
    "p99_ms": (0, 1_000_000),
}


@dataclass(frozen=True, slots=True)
class ReleaseTarget:
    """`custom` of the target `releases/{release}/model.onnx`.

    Args:
        release: Its number.
        manifest: The text of `manifest.json`; `inference.Manifest.from_json` reads it.
        report: What the release gate was shown.
        golden: The target that holds its golden frames.
        published: When it was signed, an instant in UTC as ISO 8601.
        signer: Whose word that is: a name that the signer gave, not proven by anything but the key.
    """

    release: int
    manifest: str
    report: ReleaseReport
    golden: str
    published: str
    signer: str

    def to_value(self) -> dict[str, Any]:
        """The whole `custom`."""
        return {
            FIELD: {
                "format": RELEASE_FORMAT,
                "release": self.release,
                "manifest": self.manifest,
                "report": self.report.to_value(),
                "golden": self.golden,
                "published": self.published,
                "signer": self.signer,
            }
        }

    @classmethod
    def from_value(cls, custom: Any) -> Self:
        """Read the whole `custom`.

        Raises:
            BadReleaseMetadata: Anything missing, unknown, of another type, or contradicting itself.
        """
        outer = _Taken(custom, "custom")
        taken = _Taken(outer.take(FIELD), "release")
        outer.done()
        taken.literal("format", RELEASE_FORMAT)
        target = cls(
            release=taken.integer("release", low=1, high=RELEASE_MAX),
            manifest=taken.text("manifest", MANIFEST_TEXT_MAX, printable=False),
            report=ReleaseReport.from_value(taken.take("report")),
            golden=taken.text("golden", 200),
            published=taken.instant("published"),
            signer=taken.text("signer", 100),
        )
        taken.done()
        if target.golden != golden_path(target.release):
            taken.refuse("golden", f"must be {golden_path(target.release)}")
        return target


@dataclass(frozen=True, slots=True)
class ReleasePolicy:
    """The signed top-level field of the targets metadata.

    Args:
        minimum_release: No register goes below; 0 where none was ever set. It never sinks.
        withdrawn: Release -> why.
        champion: What a chain's registers should run, where it was said.
        candidate: What should be tried next.
    """

    minimum_release: int = 0
    withdrawn: Mapping[int, str] = field(default_factory=dict, hash=False)
    champion: int | None = None
    candidate: int | None = None

    def to_value(self) -> dict[str, Any]:
        """The field's value."""
        return {
            "format": POLICY_FORMAT,
            "minimum_release": self.minimum_release,
            "withdrawn": {str(release): reason for release, reason in sorted(self.withdrawn.items())},
            "champion": self.champion,
            "candidate": self.candidate,
        }

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read the field's value; metadata without it says nothing, and is refused too.

        Raises:
            BadReleaseMetadata: Anything missing, unknown, of another type, or an alias of what is withdrawn
                or below the minimum.
        """
        taken = _Taken(value, "policy")
        taken.literal("format", POLICY_FORMAT)
        policy = cls(
            minimum_release=taken.integer("minimum_release", low=0, high=RELEASE_MAX),
            withdrawn=_withdrawn(taken.take("withdrawn")),
            champion=taken.release_or_none("champion"),
            candidate=taken.release_or_none("candidate"),
        )
        taken.done()
        for alias in ("champion", "candidate"):
            release = getattr(policy, alias)
            if release is not None and not policy.allows(release):
                taken.refuse(alias, f"is release {release}, which is withdrawn or below the minimum")
        return policy

    def allows(self, release: int) -> bool:
        """Whether the policy lets a listed release run."""
        return release >= max(1, self.minimum_release) and release not in self.withdrawn


@dataclass(frozen=True, slots=True)
class RootNote:
    """The signed top-level field of the root, beside TUF's own.

    Args:
        chain: The tenant; a root of another chain is no root.
        model_signing_key: PEM of the key of the OMS signatures beside the models; None where there are none.
    """

    chain: str
    model_signing_key: str | None = None

    def to_value(self) -> dict[str, Any]:
        """The field's value."""
        return {"chain": self.chain, "model_signing_key": self.model_signing_key}

    @classmethod
    def from_value(cls, value: Any) -> Self:
        """Read the field's value. Raises BadReleaseMetadata."""
        taken = _Taken(value, "root")
        chain, key = taken.text("chain", 32), taken.take("model_signing_key")
        taken.done()
        if not is_name(chain) or not (key is None or (isinstance(key, str) and len(key) <= _PEM_MAX)):
            taken.refuse(None, "must name a chain, and a key or null")
        return cls(chain, key)


@dataclass(frozen=True, slots=True)
class Listing:
    """What verified targets metadata says about a chain's releases; `releases` has no withdrawn ones."""

    policy: ReleasePolicy
    releases: Mapping[int, ReleaseTarget] = field(hash=False)

    def may_run(self, release: int) -> bool:
        """Whether it is listed, not withdrawn, and not below the minimum."""
        return release in self.releases and self.policy.allows(release)


def read_listing(policy: Any, customs: Mapping[str, Any]) -> Listing:
    """The listing of verified targets metadata.

    Args:
        policy: The top-level field `FIELD`, or None where there is none.
        customs: Path of every target -> its `custom`, or None.

    Raises:
        BadReleaseMetadata: Policy or a release breaks its format, lacks its golden frames, is listed and
            withdrawn at once, or stands under another release's path.
    """
    read = ReleasePolicy.from_value(policy)
    releases = {}
    for path, custom in customs.items():
        if (release := release_of_path(path)) is None:
            continue
        target = ReleaseTarget.from_value(custom)
        if target.release != release or target.golden not in customs or release in read.withdrawn:
            raise BadReleaseMetadata(
                f"release metadata: {path} contradicts the rest: number, golden frames or a withdrawal",
                remedy="Have the chain's releases signed again with the present version of Topscoop.",
            )
        releases[release] = target
    return Listing(read, dict(sorted(releases.items())))


class _Taken:
    """One JSON object whose every key is known."""

    def __init__(self, value: Any, where: str) -> None:
        self._where = where
        if not isinstance(value, dict):
            self.refuse(None, "must be an object")
        self._values: dict[str, Any] = dict(value)

    def refuse(self, key: str | None, problem: str) -> NoReturn:
        place = f"{self._where}.{key}" if key else self._where
        raise BadReleaseMetadata(
            f"release metadata: {place} {problem}",
            remedy="Update Topscoop, or have the chain's releases signed again with its present version.",
        )

    def done(self) -> None:
        if self._values:
            self.refuse(str(min(self._values))[:40], "is unknown")

    def take(self, key: str) -> Any:
        if key not in self._values:
            self.refuse(key, "is missing")
        return self._values.pop(key)

    def literal(self, key: str, expected: str) -> None:
        if self.take(key) != expected:
            self.refuse(key, f"must be {expected!r}")

    def integer(self, key: str, *, low: int, high: int) -> int:
        value = self.take(key)
        if type(value) is not int or not low <= value <= high:
            self.refuse(key, f"must be a whole number from {low} to {high}")
        return value

    def release_or_none(self, key: str) -> int | None:
        value = self.take(key)
        if value is not None and (type(value) is not int or not 1 <= value <= RELEASE_MAX):
            self.refuse(key, "must be a release or null")
        return value

    def text(self, key: str, longest: int, *, printable: bool = True) -> str:
        value = self.take(key)
        if not isinstance(value, str) or not 1 <= len(value) <= longest:
            self.refuse(key, f"must be a text of 1 to {longest} characters")
        if printable and not value.isprintable():
            self.refuse(key, "must be printable")
        return value

    def measure(self, key: str, low: float, high: float) -> float:
        value = self.take(key)
        if not isinstance(value, str) or not _DECIMAL.match(value) or not low <= float(value) <= high:
            self.refuse(key, f"must be a decimal text from {low:g} to {high:g}")
        return float(value)

    def instant(self, key: str) -> str:
        text = self.text(key, 40)
        try:
            offset = datetime.fromisoformat(text).utcoffset()
        except ValueError:
            offset = None
        if offset != timedelta(0):
            self.refuse(key, "must be an instant in UTC, ISO 8601")
        return text


def _unchanged(value: Any) -> dict[str, float]:
    taken = _Taken(value, "report.unchanged")
    if not 1 <= len(value) <= NUISANCES_MAX or not all(
        isinstance(name, str) and _NUISANCE.match(name) for name in value
    ):
        taken.refuse(None, f"must name 1 to {NUISANCES_MAX} attributes")
    return {name: taken.measure(name, 0, 1) for name in value}


def _withdrawn(value: Any) -> dict[int, str]:
    taken = _Taken(value, "policy.withdrawn")
    if not all(isinstance(key, str) and _RELEASE_KEY.match(key) for key in value):
        taken.refuse(None, "must have releases as keys")
    return {int(key): taken.text(key, REASON_MAX) for key in value}


def _decimal(value: float) -> str:
    text = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


assert set(_MEASURES) | {"orders", "unchanged"} == {one.name for one in fields(ReleaseReport)}
