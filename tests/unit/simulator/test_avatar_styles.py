import builtins
from collections.abc import Callable
from typing import Any

import pytest

from simulator import avatar_styles
from simulator.errors import RenderingUnavailable


def test_an_avatar_has_what_was_asked_for_and_no_document_around_it() -> None:
    drawn = avatar_styles.draw_avatar("personas", {"skinColor": "#123456"})
    assert "#123456" in drawn
    assert "<svg" not in drawn


def test_missing_drawing_packages_say_how_to_install_them(monkeypatch: pytest.MonkeyPatch) -> None:
    avatar_styles._style.cache_clear()
    real: Callable[..., Any] = builtins.__import__

    def without_dicebear(name: str, *rest: Any, **more: Any) -> Any:
        if name.startswith("dicebear"):
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.setattr(builtins, "__import__", without_dicebear)
    with pytest.raises(RenderingUnavailable) as caught:
        avatar_styles.draw_avatar("personas", {})
    assert "pip install" in caught.value.remedy
