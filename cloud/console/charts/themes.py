"""Colours of charts: drawn with stand-ins, then given to the page's light or dark. Pure.

Vega wants colours as such, and knows no variables. So every colour is drawn as a stand-in that no chart would
use, and becomes a CSS variable in the finished picture; one picture serves both themes.
"""

from typing import Final

from cloud.console.charts.values import Tone

_LIGHT: Final = {
    "ink": "#1d2430",
    "soft": "#5a6475",
    "rule": "#dde2ea",
    Tone.CALM: "#2f62c4",
    Tone.GOOD: "#1c7c4d",
    Tone.BAD: "#bf3a30",
    Tone.WARN: "#a4650a",
    Tone.QUIET: "#8791a1",
    Tone.OTHER: "#7650b8",
}
_DARK: Final = {
    "ink": "#e6eaf1",
    "soft": "#a6b0c0",
    "rule": "#333c4a",
    Tone.CALM: "#84acff",
    Tone.GOOD: "#5fcb93",
    Tone.BAD: "#ff8d80",
    Tone.WARN: "#e5b154",
    Tone.QUIET: "#8792a3",
    Tone.OTHER: "#bda0ff",
}

STAND_INS: Final = {str(name): f"#0b0d{index:02x}" for index, name in enumerate(_LIGHT)}
"""What is drawn with, by the variable's name."""

THEMES: Final = ("auto", "light", "dark")
"""`auto` follows the reader's system; the others follow a choice made on the page."""


def variables(theme: str) -> str:
    """The style sheet that a picture carries.

    Raises:
        KeyError: No such theme.
    """
    light, dark = _sheet(_LIGHT), _sheet(_DARK)
    return {
        "light": light,
        "dark": dark,
        "auto": light + "@media (prefers-color-scheme: dark){" + dark + "}",
    }[theme]


def themed(svg: str, theme: str) -> str:
    """A drawn picture with its colours as variables, and their values in front.

    Raises:
        KeyError: No such theme.
    """
    sheet = variables(theme)
    for name, stand_in in STAND_INS.items():
        svg = svg.replace(f'"{stand_in}"', f'"var(--{name})"')
    start = svg.index(">", svg.index("<svg")) + 1
    return f"{svg[:start]}<style>{sheet}</style>{svg[start:]}"


def _sheet(colours: dict[str, str]) -> str:
    return "svg{" + ";".join(f"--{name}:{colour}" for name, colour in colours.items()) + "}"
