"""The enrolment service: HTTPS, and the upkeep beside it, in one task group."""

import asyncio
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Any, Final

from prometheus_client import CollectorRegistry, Counter, Gauge
from starlette.types import ASGIApp

from cloud.enrolment.impatience import ImpatientProtocol
from cloud.enrolment.pki_folder import CredentialFiles
from cloud.enrolment.upkeep import Seen, Upkeep
from cloud.health import Health
from cloud.http_server import QuietServer, settings
from daemon.log_fields import fields
from wire_protocol.errors import TopscoopError

log = logging.getLogger(__name__)

CERTIFICATES_EVERY_S: Final = 5
"""A revocation that could not reach the broker's folder is in its list of revoked registers after so long."""
RIGHTS_EVERY_S: Final = 30
_BEAT_S: Final = 5
_KEEP_ALIVE_S: Final = 5
"""A register asks once."""
_CONCURRENCY_MAX: Final = 64


class EnrolmentMetrics:
    """What Prometheus reads."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.answers = Counter(
            "topscoop_enrolment_answers",
            "Answers to enrolments and renewals, by route and HTTP status",
            ["route", "status"],
            registry=self.registry,
        )
        self.seconds_left = Gauge(
            "topscoop_certificate_seconds_left",
            "Time until the first certificate or list of its kind expires",
            ["kind"],
            registry=self.registry,
        )
        self.alarms = Gauge(
            "topscoop_certificate_alarms",
            "Certificates and lists that end within 30 days, by kind and urgency",
            ["kind", "urgency"],
            registry=self.registry,
        )

    def see(self, seen: Seen, now_ms: int) -> None:
        """Take over what a round of upkeep found."""
        self.alarms.clear()
        for alarm in seen.alarms:
            self.alarms.labels(str(alarm.kind), str(alarm.urgency)).inc()
        for kind in {ending.kind for ending in seen.endings}:
            first = min(ending.not_after_ms for ending in seen.endings if ending.kind is kind)
            self.seconds_left.labels(str(kind)).set((first - now_ms) / 1000)

    def counted(self, app: ASGIApp) -> ASGIApp:
        """The application, its answers counted."""

        async def counting(scope: Any, receive: Any, send: Any) -> None:
            async def sending(message: Any) -> None:
                if message["type"] == "http.response.start" and scope["path"] in _COUNTED:
                    self.answers.labels(scope["path"], str(message["status"])).inc()
                await send(message)

            await app(scope, receive, sending)

        return counting


_COUNTED: Final = frozenset({"/v1/enrolments", "/v1/renewals"})


class HttpsServer:
    """uvicorn behind TLS 1.2 or later; its certificate can be exchanged while it runs."""

    def __init__(self, app: ASGIApp, sockets: Sequence[socket.socket], files: CredentialFiles) -> None:
        self._files = files
        self._config = settings(
            app,
            concurrency_max=_CONCURRENCY_MAX,
            keep_alive_s=_KEEP_ALIVE_S,
            http=ImpatientProtocol,
            ssl_certfile=str(files.certificate),
            ssl_keyfile=str(files.key),
        )
        self._config.load()
        assert self._config.ssl is not None
        self._config.ssl.minimum_version = ssl.TLSVersion.TLSv1_2
        self._server = QuietServer(self._config)
        self._sockets = list(sockets)

    async def serve(self) -> None:
        """Answer until `stop`."""
        await self._server.serve(sockets=self._sockets)

    def stop(self) -> None:
        """Finish the requests under way, then let `serve` return."""
        self._server.should_exit = True

    def reload(self) -> None:
        """Show the certificate that lies in the files now; connections that are open keep the old one."""
        assert self._config.ssl is not None
        self._config.ssl.load_cert_chain(self._files.certificate, self._files.key)


async def run_service(
    server: HttpsServer,
    upkeep: Upkeep,
    metrics: EnrolmentMetrics,
    health: Health,
    now_ms: Callable[[], int],
) -> None:
    """Serve until SIGTERM or SIGINT; the death of any task ends all."""

    def certificates() -> None:
        seen = upkeep.keep_certificates(now_ms())
        metrics.see(seen, now_ms())
        if seen.server_renewed:
            server.reload()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    async with asyncio.TaskGroup() as group:
        rounds = [
            group.create_task(_beat(health), name="beat"),
            group.create_task(
                _again(certificates, CERTIFICATES_EVERY_S, health, "certificates"), name="certificates"
            ),
            group.create_task(_again(upkeep.keep_rights, RIGHTS_EVERY_S, health, "broker"), name="rights"),
        ]
        await server.serve()
        for task in rounds:
            task.cancel()


async def _beat(health: Health) -> None:
    while True:
        health.beat()
        await asyncio.sleep(_BEAT_S)


async def _again(work: Callable[[], None], every_s: float, health: Health, check: str) -> None:
    """Do `work` now and then; what it cannot do now it does at its next turn."""
    while True:
        try:
            await asyncio.to_thread(work)
        except TopscoopError as error:
            log.warning("upkeep.delayed", extra=fields(what=check, error=str(error)))
            health.report(check, ok=False, words=str(error))
        else:
            health.report(check, ok=True)
        await asyncio.sleep(every_s)
