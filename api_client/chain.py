"""One chain's API as a Python object: log in, hand a picture over, get three flavours."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, Self

import httpx

from api_client import device_login, uploads
from api_client.address import origin_of
from api_client.errors import ApiError, not_logged_in
from api_client.generated.api.consent import get_notice
from api_client.generated.api.login import get_token, revoke_token
from api_client.generated.api.me import erase_me, erase_upload, export_me, get_erasure
from api_client.generated.api.recommendations import (
    list_recommendations,
    read_recommendation,
    say_outcome,
)
from api_client.generated.client import AuthenticatedClient, Client
from api_client.generated.models import (
    Circumstances,
    ConsentGiven,
    DeviceAnswer,
    Erasure,
    ErasureBegun,
    ExportMeResponse200,
    GetTokenBody,
    NoticeAnswer,
    OutcomeKept,
    OutcomeRequest,
    PendingAnswer,
    Purpose,
    RecommendationAnswer,
    RecommendationPage,
    RevokeTokenBody,
    SoldLine,
    TokenAnswer,
)
from api_client.generated.types import UNSET
from api_client.logins import Login, LoginFiles
from api_client.picture import PicturePress
from api_client.speaking import expect
from api_client.transport import TIMEOUT, ChainTransport
from api_client.world import World, trusting
from wire_protocol.errors import OperatorError

Picture = Path | str | bytes
"""A picture's file, or its bytes: JPEG, PNG or WebP."""

_POLL_S: Final = 20.0
_PAGE: Final = 100
_EARLY_S: Final = 30.0
"""A token that ends within so many seconds is taken for ended."""
_SECRET_MAX_BYTES: Final = 4096


class Chain:
    """A chain's API. Close it, or use it in a `with` block.

    Every method that asks the API raises `ApiError`, and nothing else, when it is refused or not reached.
    Several threads want one each.

    Args:
        chain: The address, such as `https://gelateria-sole.example`; or the name, with `base_url`.
        base_url: The addresses of all chains: `https://{tenant}.example`.
        ca: An authority's certificate (PEM), trusted in place of the system's.
        logins: Where logins are kept; by default below the user's state folder.
        world: For tests.
    """

    def __init__(
        self,
        chain: str,
        *,
        base_url: str | None = None,
        ca: Path | str | None = None,
        logins: LoginFiles | None = None,
        world: World | None = None,
    ) -> None:
        self.origin: Final = origin_of(chain, base_url)
        self._logins = logins or LoginFiles.default()
        self._world = world or World()
        self._login = self._logins.read(self.origin)
        known = self._login.ca if self._login is not None else None
        self._ca = str(Path(ca).absolute()) if ca is not None else known
        self._secret: str | None = None
        self._inner = self._world.connect(trusting(self._ca))
        self._open = Client(base_url=self.origin)
        self._open.set_httpx_client(self._http(ChainTransport(self._inner, self._world)))
        # The transport sets the token, which may change from one request to the next.
        self._signed = AuthenticatedClient(base_url=self.origin, token="")
        signing = ChainTransport(self._inner, self._world, self._token, self._renew)
        self._signed.set_httpx_client(self._http(signing))
        self._press = PicturePress()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close connections and the decoding process; the login stays."""
        self._press.close()
        self._inner.close()

    @property
    def logged_in(self) -> bool:
        """Whether there is a login that has not ended by this machine's clock."""
        return self._login is not None and self._holds(self._login)

    # Who calls.

    def login_device(
        self, on_code: Callable[[DeviceAnswer], None], on_wait: Callable[[], None] = lambda: None
    ) -> None:
        """Log a person in, who approves it in a browser, here or elsewhere (RFC 8628).

        Args:
            on_code: Shows `verification_uri` and `user_code`.
            on_wait: Called at each question that was answered "not yet".
        """
        answer = device_login.log_in(self._open, self._world, on_code, on_wait)
        self._keep(answer, None, None)

    def login_machine(self, client_id: str, secret: str, *, secret_file: Path | None = None) -> None:
        """Log a machine in (RFC 6749, 4.4).

        Its tokens are renewed as they end: in this object always, in later ones if `secret_file` says where
        the secret lies. The secret itself is not kept.
        """
        self._secret = secret
        self._machine_token(client_id, None if secret_file is None else str(secret_file.absolute()))

    def logout(self) -> None:
        """End the login there, and forget it here; without one it does nothing."""
        login, self._login, self._secret = self._login, None, None
        self._logins.forget(self.origin)
        if login is not None:
            # The answer has no body: only a refusal matters, and the transport raises it.
            revoke_token.sync_detailed(client=self._open, body=RevokeTokenBody(token=login.token))

    # Three flavours.

    def recommend(
        self,
        picture: Picture,
        *,
        purpose: Purpose | str = Purpose.RECOMMEND,
        consent: NoticeAnswer | ConsentGiven | None = None,
        context: Circumstances | None = None,
        wait: float = 60.0,
    ) -> RecommendationAnswer:
        """Three flavours for the people on a picture.

        Args:
            picture: It is made small here first, without metadata; the original stays where it is.
            purpose: `recommend`, or `recommend_and_improve`, which keeps it and needs `consent`.
            consent: The notice (`notice()`) that the person has read and said yes to.
            context: What is known beside the picture.
            wait: Seconds for the answer, once the picture is there.

        Raises:
            ApiError: Also `not-there-yet` after `wait`; its `document` has the `request_id`, see `answer`.
            PictureFileError: The file cannot be read.
            RefusedPicture: It is no picture that may be decoded.
        """
        return self.answer(self.send(picture, purpose=purpose, consent=consent, context=context), wait=wait)

    def send(
        self,
        picture: Picture,
        *,
        purpose: Purpose | str = Purpose.RECOMMEND,
        consent: NoticeAnswer | ConsentGiven | None = None,
        context: Circumstances | None = None,
    ) -> str:
        """As `recommend`, without waiting for the answer; the request id."""
        self._token()  # before any work is done
        small = self._press.press(Path(picture) if isinstance(picture, str) else picture)
        if isinstance(consent, NoticeAnswer):
            consent = ConsentGiven(notice=consent.sha256, language=consent.language, agreed=True)
        wanted = uploads.described(small, _purpose(purpose), consent, context)
        return uploads.upload(self._signed, self._inner, small, wanted)

    def answer(self, request_id: str, *, wait: float = 60.0) -> RecommendationAnswer:
        """The recommendation of a picture that was sent; see `recommend`."""
        until = self._world.monotonic() + wait
        while True:
            began = self._world.monotonic()
            poll_s = max(0.0, min(_POLL_S, until - began))
            found = expect(
                RecommendationAnswer,
                lambda: read_recommendation.sync(request_id, client=self._signed, wait=poll_s),  # noqa: B023
                PendingAnswer,
            )
            if isinstance(found, RecommendationAnswer):
                return found
            now = self._world.monotonic()
            if now >= until:
                raise ApiError(
                    "not-there-yet",
                    f"no recommendation after {wait:g} s",
                    remedy="Wait longer, or ask for it later by its request id.",
                    document={"request_id": request_id},
                )
            if now - began < poll_s / 2:
                # It was not held back: the API has too many that wait.
                self._world.pause(1.0)

    def outcome(self, request_id: str, lines: Mapping[str, int]) -> OutcomeKept:
        """Say what was bought: flavour -> quantity; again with the same it changes nothing."""
        body = OutcomeRequest([SoldLine(flavour, quantity) for flavour, quantity in lines.items()])
        return expect(OutcomeKept, lambda: say_outcome.sync(request_id, client=self._signed, body=body))

    def history(self) -> Iterator[RecommendationAnswer]:
        """One's own recommendations, newest first, asked for page by page."""
        cursor: str | None = None
        while True:
            after = UNSET if cursor is None else cursor
            page = expect(
                RecommendationPage,
                lambda: list_recommendations.sync(client=self._signed, limit=_PAGE, cursor=after),  # noqa: B023
            )
            yield from page.recommendations
            cursor = page.next_
            if cursor is None:
                return

    # What is kept of one.

    def notice(self, language: str | None = None) -> NoticeAnswer:
        """What a person reads before they agree that a picture is kept; needs no login."""
        wanted = UNSET if language is None else language
        return expect(NoticeAnswer, lambda: get_notice.sync(client=self._open, language=wanted))

    def export(self) -> dict[str, Any]:
        """Everything that is kept of who is logged in."""
        return expect(ExportMeResponse200, lambda: export_me.sync(client=self._signed)).to_dict()

    def erase(self) -> ErasureBegun:
        """Erase all of it, and forget the login; the answer is the proof."""
        proof = expect(ErasureBegun, lambda: erase_me.sync(client=self._signed))
        self._login = self._secret = None
        self._logins.forget(self.origin)
        return proof

    def erase_upload(self, request_id: str) -> ErasureBegun:
        """Take one upload and its consent back."""
        return expect(ErasureBegun, lambda: erase_upload.sync(request_id, client=self._signed))

    def erasure(self, proof: str) -> Erasure:
        """How far an erasure is; needs no login."""
        return expect(Erasure, lambda: get_erasure.sync(proof, client=self._open))

    def _http(self, transport: ChainTransport) -> httpx.Client:
        return httpx.Client(base_url=self.origin, transport=transport, timeout=TIMEOUT, trust_env=False)

    def _holds(self, login: Login) -> bool:
        return login.ends_at_s - _EARLY_S > self._world.now_s()

    def _token(self) -> str:
        if self._login is None:
            raise not_logged_in(self.origin, "nobody is logged in")
        if not self._holds(self._login) and not self._renew():
            raise not_logged_in(self.origin, "the login has ended")
        return self._login.token

    def _renew(self) -> bool:
        """A machine's next token; people have to log in again."""
        login = self._login
        if login is None or login.client_id is None:
            return False
        if self._secret is None:
            if login.secret_file is None:
                return False
            self._secret = read_secret(Path(login.secret_file))
        self._machine_token(login.client_id, login.secret_file)
        return True

    def _machine_token(self, client_id: str, secret_file: str | None) -> None:
        body = GetTokenBody(
            grant_type="client_credentials", client_id=client_id, client_secret=self._secret or ""
        )
        answer = expect(TokenAnswer, lambda: get_token.sync(client=self._open, body=body))
        self._keep(answer, client_id, secret_file)

    def _keep(self, answer: TokenAnswer, client_id: str | None, secret_file: str | None) -> None:
        ends_at_s = self._world.now_s() + answer.expires_in
        before, self._login = (
            self._login,
            Login(self.origin, answer.access_token, ends_at_s, self._ca, client_id, secret_file),
        )
        self._logins.write(self._login)
        if before is not None and self._holds(before):
            # Nobody uses it any more; should its end not be heard, it ends by itself.
            with suppress(ApiError):
                revoke_token.sync_detailed(client=self._open, body=RevokeTokenBody(token=before.token))


def read_secret(path: Path) -> str:
    """A machine's secret from its file.

    Raises:
        OperatorError: It cannot be read, or holds none.
    """
    try:
        with path.open("rb") as file:
            text = file.read(_SECRET_MAX_BYTES).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OperatorError(
            f"cannot read the secret in {path}", remedy="Check the path and permissions."
        ) from error
    if not text:
        raise OperatorError(f"{path} is empty", remedy="Write the client's secret into it.")
    return text


def _purpose(purpose: Purpose | str) -> Purpose:
    try:
        return Purpose(purpose)
    except ValueError:
        known = " or ".join(str(one.value) for one in Purpose)
        raise OperatorError(f"{purpose!r} is no purpose", remedy=f"Use {known}.") from None
