"""The notices that this register may show; texts and rules are those of `wire_protocol.notices`."""

from collections.abc import Mapping
from typing import Self

from wire_protocol import notices as texts
from wire_protocol.notices import MAX_CHARACTERS, Notice

__all__ = ["MAX_CHARACTERS", "Notice", "Notices"]


class Notices:
    """Every notice that this register may show.

    Args:
        notices: One at least; without an English one, the first is what an unknown language gets.
    """

    def __init__(self, notices: tuple[Notice, ...]) -> None:
        assert notices, "a register that asks has something to show"
        self._notices = notices

    @property
    def all(self) -> tuple[Notice, ...]:
        """Each of them, by language."""
        return self._notices

    @classmethod
    def of(
        cls,
        *,
        purposes: tuple[str, ...],
        valid_days: int,
        controller: str,
        own: Mapping[str, str] | None = None,
    ) -> Self:
        """The notices that a configuration gives.

        Args:
            purposes: Of `wire_protocol.consent.Purpose`.
            valid_days: How long a consent lasts.
            controller: Who is answerable.
            own: Texts by language that take the place of the built-in ones; `{purposes}`, `{valid_days}` and
                `{controller}` are filled in where they stand.

        Raises:
            ValueError: A text is empty or too long; says which.
        """
        chosen = own or texts.AT_THE_TILL
        return cls(
            tuple(
                texts.fill(language, text, purposes, valid_days, controller)
                for language, text in sorted(chosen.items())
            )
        )

    def choose(self, language: str | None) -> Notice:
        """The notice in this language (such as `de-AT`), or in its main language, or the fallback."""
        return texts.choose(self._notices, language)

    def shown(self, language: str, sha256: bytes) -> Notice | None:
        """The notice of exactly this language and digest; None when no such notice is shown here."""
        return next(
            (one for one in self._notices if (one.language, one.sha256) == (language.lower(), sha256)), None
        )
