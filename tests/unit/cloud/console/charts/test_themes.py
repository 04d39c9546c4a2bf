"""Colours of charts."""

import re

import pytest

from cloud.console.charts import themes
from cloud.console.charts.values import Tone


def test_every_stand_in_becomes_a_variable() -> None:
    """No colour of the drawing is left, and each variable that is used has a value."""
    drawn = '<svg width="1">' + "".join(f'<path fill="{colour}"/>' for colour in themes.STAND_INS.values())
    svg = themes.themed(drawn, "system")
    assert not set(themes.STAND_INS.values()) & set(re.findall(r"#[0-9a-f]{6}", svg.split("</style>")[1]))
    assert set(re.findall(r"var\(--(\w+)\)", svg)) <= set(re.findall(r"--(\w+):", svg))
    assert {str(tone) for tone in Tone} <= set(themes.STAND_INS)


def test_a_chosen_theme_does_not_ask_the_system() -> None:
    """Light is light on a dark system too."""
    assert "prefers-color-scheme" in themes.variables("system")
    assert "prefers-color-scheme" not in themes.variables("light") + themes.variables("dark")
    assert themes.variables("light") != themes.variables("dark")
    with pytest.raises(KeyError):
        themes.variables("hostile")


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize(("theme", "ground"), [("light", "#ffffff"), ("dark", "#211a17")])
def test_lines_and_letters_stand_out(theme: str, ground: str) -> None:
    """WCAG: 4.5 to 1 for text, 3 to 1 for what is drawn."""
    for name, colour in re.findall(r"--(\w+):(#\w+)", themes.variables(theme)):
        light, dark = sorted((_luminance(colour), _luminance(ground)), reverse=True)
        contrast = (light + 0.05) / (dark + 0.05)
        least = {"ink": 4.5, "soft": 4.5, "rule": 1.0}.get(name, 3.0)
        assert contrast >= least, f"{name} {colour}: {contrast:.2f}"
