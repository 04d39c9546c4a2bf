"""The uplink of a running agent, put together; imported only where it is switched on."""

import json
import logging
import random
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from daemon.errors import ConfigError
from daemon.log_fields import fields
from edge_agent.adapters.cameras.thread_priority import yield_to_requests
from edge_agent.adapters.data_folder import DataFolder
from edge_agent.adapters.updates.assembly import UpdatesAround, UpdateService
from edge_agent.adapters.updates.beginning import Beginning
from edge_agent.adapters.updates.file_courier import CourierParts
from edge_agent.adapters.uplink import key_files
from edge_agent.adapters.uplink.journal_reader import SqliteJournalReader
from edge_agent.adapters.uplink.key_files import Credentials
from edge_agent.adapters.uplink.metrics import UplinkMetrics
from edge_agent.adapters.uplink.mqtt_link import Address, MqttLink, pinned_context
from edge_agent.adapters.uplink.renewal import renew
from edge_agent.adapters.uplink.spool_sqlite import SqliteSpool
from edge_agent.config import ConsentConfig, EdgeConfig
from edge_agent.ports import Clock, EventSink, Frame, Randomness
from edge_agent.seen import Seen
from edge_agent.shelf import Shelf
from edge_agent.updates.figures import UpdateFigures
from edge_agent.updates.ports import ModelUser
from edge_agent.updates.steps import Stepped, unheard
from edge_agent.uplink.blank_intake import believable
from edge_agent.uplink.care_loop import Care, CareParts
from edge_agent.uplink.certificate_life import MS_PER_DAY
from edge_agent.uplink.cloud_clock import SETTING as CLOCK_SETTING
from edge_agent.uplink.cloud_clock import CloudClock
from edge_agent.uplink.consent_desk import ConsentDesk
from edge_agent.uplink.consent_loop import Consents, Parts
from edge_agent.uplink.delivery import Delivery
from edge_agent.uplink.delivery_events import EraseCame, SpoolAgain, SpoolChanged
from edge_agent.uplink.delivery_loop import Deliverer, DeliveryParts
from edge_agent.uplink.delivery_policy import DeliveryPolicy
from edge_agent.uplink.errors import SpoolError
from edge_agent.uplink.handover_desk import HandoverDesk
from edge_agent.uplink.handover_loop import HandoverParts, Handovers
from edge_agent.uplink.harvest_loop import Harvest, harvest
from edge_agent.uplink.lanes import Lane
from edge_agent.uplink.notice import Notices
from edge_agent.uplink.packaging import Packager, Stamp
from edge_agent.uplink.ports import Link
from edge_agent.uplink.renewal_loop import Certificate
from edge_agent.uplink.sampling import SETTING as SAMPLING_SETTING
from edge_agent.uplink.sampling import FrameSampler
from edge_agent.uplink.spool_rules import SpoolBounds
from inference import Context, jpeg
from wire_protocol.envelope import VerifiedMessage
from wire_protocol.handover_messages import HandoverDown
from wire_protocol.topics import Up, register_may_subscribe

log = logging.getLogger(__name__)

SPOOL_FILE: Final = "spool.db"
_NOTICE_MAX_BYTES: Final = 64 * 1024
_GOODBYE_S: Final = 2.0
_MIB: Final = 1 << 20

MakeLink = Callable[[Credentials, Callable[[], tuple[str, bytes]]], Link]
"""The broker's address comes with the credentials; the second is the last will."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The agent's parts that the uplink shares.

    Args:
        model: Digest and version of the model in use, if there is one.
        agent_version: For reports.
        camera: The camera's state.
        beginning: What releases the start found; None where this register takes none.
        stepped: Told after every step of an update.
    """

    config: EdgeConfig
    folder: DataFolder
    clock: Clock
    events: EventSink
    randomness: Randomness
    model: Callable[[], tuple[str, str] | None]
    agent_version: str
    camera: Callable[[], str | None] = lambda: None
    beginning: Beginning | None = None
    stepped: Stepped = unheard


class Uplink:
    """Everything that runs between journal, camera and broker.

    Args:
        around: The agent's parts.
        credentials: Who this register is.
        make_link: Tests put a link without TLS here.
    """

    def __init__(self, around: Surroundings, credentials: Credentials, make_link: MakeLink) -> None:
        self._around = around
        self.credentials = credentials
        config = around.config
        place = credentials.place
        self.executor = ThreadPoolExecutor(1, thread_name_prefix="uplink", initializer=yield_to_requests)
        self.spool = SqliteSpool(
            spool_path(config.data_dir), around.clock, SpoolBounds(max_bytes=config.uplink.max_mb * _MIB)
        )
        self.cloud_clock = CloudClock.of(self._kept(CLOCK_SETTING), place.server_time_ms)
        self.packager = Packager(place.identity, credentials.signing, place.store)
        self.metrics = UplinkMetrics(self)
        self._take_in_blanks()
        self.link = make_link(credentials, self._will)
        self.deliverer = Deliverer(self._delivery_parts())
        self.care = Care(self._care_parts())
        self._notices = read_notices(config.consent)
        self.consents = Consents(self._consent_parts())
        self.handovers = self._make_handovers()
        self.releases: UpdateService | None = None
        self.certificate = Certificate(
            credentials.life, partial(renew, credentials, around.agent_version), self._reconnect, self.now_ms
        )

    def now_ms(self) -> int:
        """The register's time: its clock, but never before what the cloud has signed."""
        return self.cloud_clock.now_ms(self._around.clock.now_ms())

    def loops(self) -> Iterator[tuple[str, Coroutine[Any, Any, None]]]:
        """The tasks, by name."""
        yield "consents", self.consents.run()
        yield "delivery", self.deliverer.run()
        if self.handovers is not None:
            yield "handovers", self.handovers.run()
        yield "harvest", harvest(self._harvest(), self._spooled, self.executor)
        yield "uplink-care", self.care.run()
        yield "certificate", self.certificate.run()
        if self.releases is not None:
            yield "updates", self.releases.updates.run()

    def take_releases(self, models: ModelUser) -> None:
        """Take signed releases from now on; called once, when the agent is made."""
        around = self._around
        if around.beginning is None:
            return
        courier = CourierParts(
            packager=self.packager,
            spool=self.spool,
            link=self.link,
            randomness=around.randomness,
            now_ms=self.now_ms,
            is_connected=lambda: self.deliverer.is_connected,
            executor=self.executor,
        )
        self.releases = UpdateService(
            UpdatesAround(
                config=around.config,
                clock=around.clock,
                randomness=around.randomness,
                agent_version=around.agent_version,
                beginning=around.beginning,
                models=models,
                courier=courier,
                signed_ms=lambda: self.cloud_clock.floor_ms,
                changed=self.care.changed,
                stepped=around.stepped,
            )
        )

    def watched(self, frame: Frame | None, context: Context, shelf: Shelf, seen: Seen) -> None:
        """A recommendation was made."""
        if self.releases is not None:
            self.releases.updates.watched(frame, context, shelf, seen)

    async def settle(self) -> None:
        """What was granted comes to the spool before the agent ends."""
        await self.consents.settle()

    def close(self) -> None:
        """After the tasks: write what was counted, and let the broker tell that we are gone."""
        if self.releases is not None:
            self.releases.close()
        self.executor.shutdown(wait=True)
        if isinstance(self.link, MqttLink):
            self.link.wait_closed(_GOODBYE_S)
        self.spool.close()

    def _spooled(self, lane: Lane) -> None:
        self.deliverer.tell(SpoolChanged(lane))

    def _reconnect(self) -> None:
        # The delivery sees a lost connection and makes a new one, with the new certificate.
        self.link.disconnect()

    # The three parts know of each other through these; they are made one after the other.
    def _connected(self) -> None:
        self.care.connected()
        if self.handovers is not None:
            self.handovers.connected()
        if self.releases is not None:
            self.releases.updates.connected()

    def _disconnected(self) -> None:
        if self.releases is not None:
            self.releases.courier.disconnected()

    def _heard(self, verified: VerifiedMessage) -> None:
        if isinstance(verified.payload, HandoverDown):
            if self.handovers is not None:
                self.handovers.heard(verified.payload)
        elif self.releases is not None:
            self.releases.heard(verified)

    def _figures(self) -> UpdateFigures:
        if self.releases is None:
            return UpdateFigures()
        found, running = self.releases.updates.figures(), self.releases.updates.running.slot
        in_memory = self._around.model()
        if running is not None and (in_memory is None or in_memory[0] != running.digest):
            # A till put a directory of its own in use: no report claims a release that does not run.
            return replace(found, release=None)
        return found

    def _report_every_s(self) -> float | None:
        return None if self.releases is None else self.releases.updates.report_every_s

    def _blanks_came(self) -> None:
        self.care.blanks_came()

    def _blanks_left(self, left: int) -> None:
        self.consents.count_blanks(left)

    def _delivery_parts(self) -> DeliveryParts:
        around, uplink = self._around, self._around.config.uplink
        policy = DeliveryPolicy(
            window_count=uplink.in_flight * 2, frames_count=uplink.in_flight, per_s=uplink.sends_per_s
        )
        return DeliveryParts(
            identity=self.credentials.place.identity,
            anchors=self.credentials.anchors,
            core=Delivery(policy, random.SystemRandom().random),
            spool=self.spool,
            link=self.link,
            clock=around.clock,
            cloud_clock=self.cloud_clock,
            executor=self.executor,
            blanks_came=self._blanks_came,
            connected=self._connected,
            receipt_after=self.metrics.receipt_after,
            others=self._heard,
            disconnected=self._disconnected,
        )

    def _care_parts(self) -> CareParts:
        around = self._around

        def told(event: SpoolAgain) -> None:
            self.deliverer.tell(event)

        return CareParts(
            spool=self.spool,
            link=self.link,
            packager=self.packager,
            clock=around.clock,
            cloud_clock=self.cloud_clock,
            randomness=around.randomness,
            agent_version=around.agent_version,
            report_every_s=around.config.uplink.report_every_s,
            told=told,
            blanks=self._blanks_left,
            model=around.model,
            executor=self.executor,
            certificate_until=lambda: self.certificate.life.not_after_ms,
            camera=around.camera,
            releases=self._figures,
            wanted_every_s=self._report_every_s,
        )

    def _consent_parts(self) -> Parts:
        around = self._around
        config = around.config
        desk = ConsentDesk(
            packager=self.packager,
            anchors=self.credentials.anchors,
            spool=self.spool,
            # The key of the receipt ids never leaves the register either; the label in the code's HMAC keeps
            # the two uses apart.
            secret=around.folder.receipt_key,
            valid_ms=config.consent.valid_days * MS_PER_DAY,
            randomness=around.randomness,
        )
        return Parts(
            config=config.consent,
            notices=self._notices,
            desk=desk,
            spool=self.spool,
            sampler=FrameSampler(config.sampling, config.arms.seed, self._kept(SAMPLING_SETTING)),
            encode=partial(_encode, max_height=config.uplink.frame_height),
            clock=around.clock,
            events=around.events,
            spooled=self._spooled,
            erased=lambda consents: self.deliverer.tell(EraseCame(consents)),
            blank_used=self.care.blank_used,
            now_ms=self.now_ms,
            executor=self.executor,
            phones=lambda: self.handovers is not None and self.handovers.possible,
        )

    def _make_handovers(self) -> Handovers | None:
        """The codes for phones; None where none are shown."""
        around, uplink = self._around, self._around.config.uplink
        if not uplink.handover or uplink.handover_url is None:
            return None
        from edge_agent.adapters.uplink import qr_code  # only where it is drawn

        place = self.credentials.place
        return Handovers(
            HandoverParts(
                consents=self.consents,
                desk=HandoverDesk(place.identity, self.credentials.signing, uplink.handover_url),
                notices=self._notices,
                packager=self.packager,
                spool=self.spool,
                link=self.link,
                events=around.events,
                clock=around.clock,
                randomness=around.randomness,
                hold_s=uplink.handover_hold_s,
                draw=qr_code.draw,
                is_connected=lambda: self.deliverer.is_connected,
                now_ms=self.now_ms,
                executor=self.executor,
            )
        )

    def _harvest(self) -> Harvest:
        around = self._around
        return Harvest(
            journal=SqliteJournalReader(around.folder.journal_path),
            spool=self.spool,
            packager=self.packager,
            lifetime_ms=around.config.interaction.expire_after_s * 1000,
            now_ms=self.now_ms,
        )

    def _will(self) -> tuple[str, bytes]:
        now_ms = self.now_ms()
        stamp = Stamp(self._around.randomness(16), self.spool.next_sequence(), now_ms)
        status = self.packager.status(
            stamp, online=False, since_ms=now_ms, agent_version=self._around.agent_version
        )
        return str(self.packager.topic(Up.STATUS)), status

    def _kept(self, name: str) -> str | None:
        try:
            return self.spool.setting(name)
        except SpoolError as error:
            log.warning("spool.refused", extra=fields(step="start", error=str(error), remedy=error.remedy))
            return None

    def _take_in_blanks(self) -> None:
        """The blanks that came with the enrolment; the file goes when they are durable in the spool."""
        path = self.credentials.folder / key_files.BLANKS_FILE
        try:
            listed = [bytes.fromhex(text) for text in json.loads(path.read_bytes())]
            good, bad = believable(listed, self.credentials.place.identity, self.credentials.anchors)
            new = self.spool.add_blanks(good)
            path.unlink()
        except FileNotFoundError:
            return
        except (OSError, ValueError, TypeError, SpoolError) as error:
            log.warning("blanks.unreadable", extra=fields(file=str(path), error=str(error)))
            return
        log.info("blanks.received", extra=fields(new=new, refused=len(bad)))


def open_uplink(around: Surroundings, make_link: MakeLink | None = None) -> Uplink | None:
    """The uplink, or None where this register is not enrolled: then everything stays in the journal.

    Raises:
        IdentityError: The files of the enrolment cannot be used.
        ConfigError: Configuration and enrolment name different registers, or a notice cannot be read.
    """
    config = around.config
    folder = config.data_dir / key_files.FOLDER
    if not key_files.is_enrolled(folder):
        log.warning(
            "uplink.not_enrolled",
            extra=fields(remedy="Run `topscoop edge enrol` as the agent's user, then restart the agent."),
        )
        return None
    credentials = key_files.load(folder)
    place = credentials.place
    if (place.identity.tenant, place.identity.register, place.store) != (
        config.tenant,
        config.register,
        config.store,
    ):
        raise ConfigError(
            f"this register is enrolled as {place.identity} of store {place.store}, the configuration says "
            f"{config.tenant}/{config.register} of {config.store}",
            remedy="Correct the configuration, or enrol again under the new name with `--again`.",
        )
    uplink = Uplink(around, credentials, make_link or over_tls)
    log.info("uplink.ready", extra=fields(register=str(place.identity), broker=place.broker_host))
    return uplink


def over_tls(credentials: Credentials, will: Callable[[], tuple[str, bytes]]) -> Link:
    """The link to the enrolment's broker."""
    place = credentials.place
    files = [str(path) for path in (credentials.ca, credentials.certificate, credentials.tls_key)]
    address = Address(
        place.broker_host,
        place.broker_port,
        # Without a slash: there are brokers that cannot bear one in a client id. Ours puts the certificate's
        # name in its place anyway.
        f"{place.identity.tenant}.{place.identity.register}",
        register_may_subscribe(place.identity),
        partial(pinned_context, *files),
    )
    return MqttLink(address, will)


def spool_path(data_dir: Path) -> Path:
    """Where the spool lies."""
    return data_dir / key_files.FOLDER / SPOOL_FILE


def read_notices(config: ConsentConfig) -> Notices:
    """The notices that a configuration gives.

    Raises:
        ConfigError: A file of `notice_dir` cannot be used.
    """
    own = None
    try:
        if config.notice_dir is not None:
            files = sorted(config.notice_dir.glob("*.txt"))
            own = {path.stem.lower(): path.read_bytes()[:_NOTICE_MAX_BYTES].decode() for path in files}
            if not own:
                raise ValueError("it holds no <language>.txt")  # noqa: TRY301 - told like the others below
        return Notices.of(
            purposes=config.purposes,
            valid_days=config.valid_days,
            controller=config.controller,
            own=own,
        )
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"consent.notice_dir {config.notice_dir}: {error}",
            remedy="Put one <language>.txt in UTF-8 there for each language, or leave the key out.",
        ) from error


def _encode(pixels: NDArray[np.uint8], *, max_height: int) -> jpeg.Picture:
    return jpeg.encode(pixels, max_height=max_height)
