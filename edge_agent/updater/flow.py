"""One errand from the job to the complete release, numbered as in `steps`; pure but for its ports."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from edge_agent.updater.judgement import check_not_older, judge, verified
from edge_agent.updater.ports import Preflight, Shelf, Signed, SignedFile, Source, Trust
from edge_agent.updater.refusal import Refusal
from edge_agent.updater.steps import Reach, Step, nothing
from edge_agent.updater.transfer import FetchFailed, FileMissing
from edge_agent.updates.errand import Done, Job, Progress, Tried, Verified
from wire_protocol.fleet_messages import UpdateReason, UpdateState
from wire_protocol.limits import FILE_MAX_BYTES
from wire_protocol.release_metadata import golden_path, model_path

SPARE_BYTES = 16 << 20
"""What a download leaves free, for the records that a sale needs."""
GOLDEN_MOST_BYTES = 64 << 10
"""Preflight has a closer bound; this one keeps a signed mistake from filling the link."""
PREPARE_AHEAD_BYTES = 512 << 10
"""So much before the end of the download the process that tries the model is started: it imports what it
needs while the rest comes, and holds its 70 MB on no slow link for longer than seconds."""
MODEL, GOLDEN, MANIFEST = "model.onnx", "golden.cbor", "manifest.json"


@dataclass
class Errand:
    """A job and what it needs.

    Args:
        job: What is wanted.
        trust: The chain's signed metadata.
        source: Files of the release.
        shelf: Where it goes.
        preflight: Tries it.
        tell: The agent hears how far it is.
        reach: Hears which step comes next; for tests.
    """

    job: Job
    trust: Trust
    source: Source
    shelf: Shelf
    preflight: Preflight
    tell: Callable[[Progress], None]
    reach: Reach = nothing
    verified: Verified | None = field(default=None, init=False)
    """What was verified so far; it counts even where the release comes to nothing."""

    def carry_out(self) -> Done:
        """Look, and bring the release if one is wanted.

        Raises:
            Refusal: Why not; nothing half done lies among the releases.
            OSError: The disk.
        """
        self.reach(Step.OPEN_FOLDERS)
        self.shelf.open(self._name())
        self.reach(Step.TRUST_ROOT)
        self.tell(Progress(UpdateState.FETCHING))
        self.reach(Step.REFRESH)
        signed = self.trust.refresh()
        self.reach(Step.JUDGE)
        check_not_older(signed, self.job)
        self.verified = verified(signed)
        if self.job.release is None:
            return Done(self.verified)
        manifest = judge(signed, self.job)
        tried = self._bring(signed)
        self.reach(Step.REPORT)
        return Done(
            self.verified,
            self.job.release,
            self.job.digest,
            self._name(),
            manifest.name[:64],
            manifest.version,
            tried,
            sha256(self._manifest(signed)).hexdigest(),
        )

    def _bring(self, signed: Signed) -> Tried | None:
        model, golden = self._files()
        text = self._manifest(signed)
        self.reach(Step.LOOK_FOR_COMPLETE)
        if self.shelf.complete(self._name(), {MODEL: model.sha256, GOLDEN: golden.sha256}, text):
            # It was tried before it came there. Flushed again: who moved it may have ended right then.
            self.shelf.flush_releases()
            self.shelf.tidy()
            return None
        self._check_room(model.length + golden.length)
        self._fetch(MODEL, model, Step.FETCH_MODEL, before=0, all_bytes=model.length + golden.length)
        self.preflight.prepare()
        self._fetch(
            GOLDEN, golden, Step.FETCH_GOLDEN, before=model.length, all_bytes=model.length + golden.length
        )
        self.reach(Step.WRITE_MANIFEST)
        self.shelf.write(MANIFEST, text)
        self.reach(Step.PREFLIGHT)
        total = model.length + golden.length
        self.tell(Progress(UpdateState.PREFLIGHT, total, total))
        tried = self._try()
        self.reach(Step.FLUSH)
        self.shelf.flush()
        self.reach(Step.CLEAR_PLACE)
        self.shelf.clear_place()
        self.reach(Step.MOVE_IN)
        self.shelf.move_in()
        self.reach(Step.FLUSH_RELEASES)
        self.shelf.flush_releases()
        self.reach(Step.TIDY)
        self.shelf.tidy()
        return tried

    def _files(self) -> tuple[SignedFile, SignedFile]:
        release = self._release()
        model, golden = self.trust.file(model_path(release)), self.trust.file(golden_path(release))
        if model is None or golden is None:
            raise Refusal(
                UpdateReason.NOT_LISTED, f"release {release} is not complete in the signed metadata"
            )
        if model.length > FILE_MAX_BYTES or golden.length > GOLDEN_MOST_BYTES:
            raise Refusal(
                UpdateReason.TOO_LARGE, f"release {release} has longer files than any", passing=False
            )
        return model, golden

    def _fetch(self, file: str, signed: SignedFile, step: Step, *, before: int, all_bytes: int) -> None:
        """Have a file in the making, whole and right; a torn part is fetched once more from its start."""
        self.reach(step)
        if self.shelf.has(file, signed.sha256):
            return
        for _ in range(2):
            begun = self.shelf.fetched(file, signed.length)
            self._append(file, signed, begun, before, all_bytes)
            self.reach(Step(step + 1))
            if self.shelf.keep(file, signed.sha256):
                return
            if not begun:
                break
        raise Refusal(
            UpdateReason.DIGEST_MISMATCH, f"{file} of release {self.job.release} is not what was signed"
        )

    def _append(self, file: str, signed: SignedFile, begun: int, before: int, all_bytes: int) -> None:
        have = begun
        self.tell(Progress(UpdateState.FETCHING, before + have, all_bytes))
        if have == signed.length:
            return
        try:
            for piece in self.source.fetch(
                signed.path, offset=have, total=signed.length, longest=signed.length
            ):
                self.shelf.append(file, piece)
                have += len(piece)
                if before + have >= all_bytes - PREPARE_AHEAD_BYTES:
                    self.preflight.prepare()
                self.tell(Progress(UpdateState.FETCHING, before + have, all_bytes))
        except FileMissing as error:
            raise Refusal(UpdateReason.UNREACHABLE, f"a signed file is not there: {error}") from error
        except FetchFailed as error:
            raise Refusal(UpdateReason.UNREACHABLE, str(error)) from error

    def _try(self) -> Tried:
        try:
            return self.preflight.try_model(self.shelf.place())
        except Refusal as refusal:
            if not refusal.passing:
                self.shelf.tidy()
            raise

    def _check_room(self, wanted: int) -> None:
        room = self.shelf.room()
        if room < wanted + SPARE_BYTES:
            raise Refusal(
                UpdateReason.NO_ROOM,
                f"the release takes {wanted >> 10} KiB, and {room >> 10} KiB are free on the disk",
            )

    def _manifest(self, signed: Signed) -> bytes:
        return signed.listing.releases[self._release()].manifest.encode()

    def _release(self) -> int:
        assert self.job.release is not None
        return self.job.release

    def _name(self) -> str:
        if self.job.release is None or self.job.digest is None:
            return "none"
        return f"{self.job.release}-{self.job.digest[:16]}"
