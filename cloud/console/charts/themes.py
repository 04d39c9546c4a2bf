"""Colours of charts: drawn with stand-ins, then given to the page's light or dark. Pure.

Vega wants colours as such, and knows no variables. So every colour is drawn as a stand-in that no chart would
use, and becomes a CSS variable in the finished picture; one picture serves both themes.
"""

from typing import Final

from cloud.console.charts.values import Tone

_LIGHT: Final = {
    "ink": "#2a1f1a",
    "soft": "#665850",
    "rule": "#e6ddd6",
    Tone.CALM: "#35689c",
    Tone.GOOD: "#27804f",
    Tone.BAD: "#b0271d",
    Tone.WARN: "#a66a0c",
    Tone.QUIET: "#93857b",
    Tone.OTHER: "#7d55b5",
    Tone.ASIDE: "#0e7681",
}
_DARK: Final = {
    "ink": "#f4eae3",
    "soft": "#b9a89d",
    "rule": "#3a2f29",
    Tone.CALM: "#8fc0ee",
    Tone.GOOD: "#6fc898",
    Tone.BAD: "#ff9c90",
    Tone.WARN: "#e9b558",
    Tone.QUIET: "#948679",
    Tone.OTHER: "#c3a8f5",
    Tone.ASIDE: "#5cc3cc",
}

STAND_INS: Final = {str(name): f"#0b0d{index:02x}" for index, name in enumerate(_LIGHT)}
"""What is drawn with, by the variable's name."""

THEMES: Final = ("system", "light", "dark")
"""`system` follows the reader's system; the others follow a choice made on the page."""


def variables(theme: str) -> str:
    """The style sheet that a picture carries.

    Raises:
        KeyError: No such theme.
    """
    light, dark = _sheet(_LIGHT), _sheet(_DARK)
    return {
        "light": light,
        "dark": dark,
        "system": light + "@media (prefers-color-scheme: dark){" + dark + "}",
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
