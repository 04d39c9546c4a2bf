"""Clothes, hats, accessories and other shapes that the avatar styles lack, as SVG in style units.

Coordinates are those of the personas style: the head is about 37 wide around (32, 29), the neck ends
at y = 56, and the torso below is ours. Every function returns a piece of SVG.
"""

from __future__ import annotations

TORSO = "M26 49.5 Q32 61 38 49.5 L47 52 Q56 55 56 65 V90 H8 V65 Q8 55 17 52 Z"

LIGHT_CLOTHES = ("white", "yellow")

CLOTHING_COLOURS = {
    "red": "#d83a3f",
    "yellow": "#f2c230",
    "green": "#3f9e4d",
    "blue": "#3a6fd8",
    "purple": "#8348bf",
    "white": "#f2f2ee",
    "black": "#2a2b30",
}
HAIR_COLOURS = {
    "black": ("#231c22", "#2f2530"),
    "brown": ("#6b4028", "#7b4c30"),
    "blond": ("#e6c05a", "#edcf7c"),
    "red": ("#c4511f", "#d3642f"),
    "dyed": ("#e34fa4", "#2fa9b5", "#7b4fd0"),
}
SKIN_TONES = {
    "tone1": "#f3c9b5",
    "tone2": "#eab094",
    "tone3": "#dc9a76",
    "tone4": "#c9805a",
    "tone5": "#a86647",
    "tone6": "#85503a",
    "tone7": "#5f3a2c",
}
HAT_COLOURS = {
    "cap": ("#c0392b", "#1f4e8c", "#20705a", "#2b2b33"),
    "beanie": ("#7a2f45", "#2f5f6e", "#66582f", "#4b4a63"),
    "sun_hat": ("#e9d3a0", "#dcc08a", "#f0e2c0", "#cfae74"),
}


def hair_tint(colour: str, detail: int) -> str:
    """Return the colour of a customer's hair as `#rrggbb`."""
    tints = HAIR_COLOURS[colour]
    return tints[detail // 3 % len(tints)]


def _path(shape: str, fill: str, **more: str) -> str:
    attributes = "".join(f' {key.replace("_", "-")}="{value}"' for key, value in more.items())
    return f'<path d="{shape}" fill="{fill}"{attributes}/>'


def _circle(x: float, y: float, radius: float, fill: str, opacity: str = "1") -> str:
    return f'<circle cx="{x}" cy="{y}" r="{radius}" fill="{fill}" opacity="{opacity}"/>'


def _line(shape: str, colour: str, width: float, **more: str) -> str:
    return _path(shape, "none", stroke=colour, stroke_width=str(width), stroke_linecap="round", **more)


def clothes(kind: str, colour: str, skin: str) -> str:
    """Return the dressed torso."""
    fill = CLOTHING_COLOURS[colour]
    contrast = "#2d3340" if colour in LIGHT_CLOTHES else "#f4f4f0"
    pattern = _PATTERNS[kind](fill, contrast, skin)
    shade = "#fff" if colour == "black" else "#000"
    arms = _line("M16.5 67 V92 M47.5 67 V92", shade, 0.8, opacity=".35")
    clip = f'<clipPath id="torso"><path d="{TORSO}"/></clipPath>'
    return f'{clip}<g clip-path="url(#torso)">{_path(TORSO, fill)}{pattern}{arms}</g>'


def hood(colour: str) -> str:
    """Return the hood that lies behind the neck of a hoodie."""
    fill = CLOTHING_COLOURS[colour]
    outer = "M17 56 Q14 43 32 43 Q50 43 47 56 Q32 64 17 56 Z"
    return _path(outer, fill) + _path(outer, "#000", opacity=".22")


def _tshirt(_fill: str, contrast: str, skin: str) -> str:
    sleeves = _path("M6 75 H16.5 V92 H6 Z M47.5 75 H58 V92 H47.5 Z", skin)
    collar = _line("M26 50 Q32 61 38 50", contrast, 1.4, opacity=".55")
    return sleeves + collar


def _striped(_fill: str, contrast: str, _skin: str) -> str:
    return "".join(_path(f"M6 {top} H58 v3.2 H6 Z", contrast) for top in (56, 62.5, 69, 75.5, 82))


def _checked(_fill: str, contrast: str, _skin: str) -> str:
    lines = "".join(_path(f"M{left} 48 h3 V92 h-3 Z", "#000", opacity=".34") for left in (10, 19, 28, 37, 46))
    lines += "".join(_path(f"M6 {top} H58 v3 H6 Z", "#000", opacity=".34") for top in (55, 64, 73, 82))
    lines += "".join(
        _path(f"M{left} 48 h1 V92 h-1 Z", contrast, opacity=".75") for left in (15, 24, 33, 42, 51)
    )
    collar = _path("M26 49.5 L32 58 L27.5 62.5 L22.5 51 Z M38 49.5 L32 58 L36.5 62.5 L41.5 51 Z", contrast)
    return lines + collar


def _hoodie(fill: str, contrast: str, _skin: str) -> str:
    rim = _line("M20 51 Q32 67 44 51", fill, 5.0) + _line("M20 51 Q32 67 44 51", "#000", 5.0, opacity=".25")
    strings = _line("M28.5 59 V70 M35.5 59 V70", contrast, 1.3)
    pocket = _path("M21 77 H43 L47 92 H17 Z", "#000", opacity=".25")
    return rim + strings + pocket


def _suit(_fill: str, _contrast: str, _skin: str) -> str:
    shirt = _path("M24 48 L32 80 L40 48 Z", "#fbfbf8")
    tie = _path("M30 54.5 H34 L33.4 58 L35.2 72 L32 77 L28.8 72 L30.6 58 Z", "#8c1f3a")
    lapels = _path(
        "M24.5 48 L32 80 L20.5 66 L23.5 63 L18.5 60 Z M39.5 48 L32 80 L43.5 66 L40.5 63 L45.5 60 Z", "#000"
    )
    return shirt + tie + f'<g opacity=".38">{lapels}</g>' + _path("M31.2 83 h1.6 v1.6 h-1.6 Z", "#111")


_PATTERNS = {"tshirt": _tshirt, "striped": _striped, "checked": _checked, "hoodie": _hoodie, "suit": _suit}


def headwear(kind: str, detail: int) -> str:
    """Return a hat that lies over the hair; empty for none."""
    if kind == "none":
        return ""
    colours = HAT_COLOURS[kind]
    fill = colours[detail % len(colours)]
    if kind == "cap":
        dome = _path("M16.5 23 Q16 7.5 32 7.5 Q48 7.5 47.5 23 Q32 17.5 16.5 23 Z", fill)
        visor = _path(
            "M17 22.5 Q32 15.5 47 22.5 Q50 26 46.5 26.5 Q32 20.5 17.5 26.5 Q14 26 17 22.5 Z", "#16161c"
        )
        badge = _path("M27.5 11 H36.5 V17 Q32 15.8 27.5 17 Z", "#fff", opacity=".85")
        return dome + badge + visor
    if kind == "beanie":
        dome = _path("M16 21 Q15.5 5 32 5 Q48.5 5 48 21 Z", fill)
        ribs = _line("M24 7.5 V18 M32 6 V18 M40 7.5 V18", "#000", 0.8, opacity=".3")
        cuff = _path("M14.5 17.5 Q32 12.5 49.5 17.5 V24 Q32 19 14.5 24 Z", fill)
        return (
            dome
            + ribs
            + cuff
            + _path("M14.5 17.5 Q32 12.5 49.5 17.5 V24 Q32 19 14.5 24 Z", "#fff", opacity=".3")
            + _circle(32, 4.6, 3.6, fill)
            + _circle(32, 4.6, 3.6, "#fff", opacity=".5")
        )
    crown = _path("M19.5 19 Q19 4.5 32 4.5 Q45 4.5 44.5 19 Z", fill)
    brim = f'<ellipse cx="32" cy="20" rx="29" ry="5.4" fill="{fill}"/>'
    under = _path("M4 21 Q32 29.5 60 21 Q56 25.6 32 25.6 Q8 25.6 4 21 Z", "#000", opacity=".25")
    band = _path("M19.3 14.4 Q32 18.4 44.7 14.4 L44.6 19 Q32 22.6 19.4 19 Z", "#8a4b32")
    return brim + under + crown + band


def side_hair(colour: str) -> str:
    """Return two braids, which show tied hair under a hat."""
    left = "M16.5 33 Q11.5 38 13.5 44 Q11 50 13.5 57 L16 60 L18.5 57 Q20.5 50 18.5 44 Q20 38 19 34 Z"
    right = "M47.5 33 Q52.5 38 50.5 44 Q53 50 50.5 57 L48 60 L45.5 57 Q43.5 50 45.5 44 Q44 38 45 34 Z"
    ribbons = _path("M12.8 54 H19.2 V56.6 H12.8 Z M44.8 54 H51.2 V56.6 H44.8 Z", "#fff")
    return _path(left, colour) + _path(right, colour) + ribbons


def temples(colour: str) -> str:
    """Return the hair in front of the ears, which shows short hair under a hat."""
    return _path("M17.6 20 H22 L21 31.5 L17.9 33 Z M46.4 20 H42 L43 31.5 L46.1 33 Z", colour)


def accessory_behind(kind: str) -> str:
    """Return what of an accessory lies behind the customer."""
    if kind == "backpack":
        return _path("M6 54 Q6 49 12 49 H52 Q58 49 58 54 L61 90 H3 Z", "#7a5a2e") + _path(
            "M6 54 Q6 49 12 49 H52 Q58 49 58 54 L58.4 59 H5.6 Z", "#5e431f"
        )
    return ""


def accessory_front(kind: str, clothing_colour: str) -> str:
    """Return what of an accessory lies over the clothes and the hair; glasses belong to the eyes."""
    if kind == "backpack":
        straps = (
            "M18 51.5 H24.5 Q25.5 66 23.5 90 H17 Q19.5 66 18 51.5 Z "
            "M46 51.5 H39.5 Q38.5 66 40.5 90 H47 Q44.5 66 46 51.5 Z"
        )
        return _path(straps, "#7a5a2e", stroke="#4b3518", stroke_width=".7") + _path(
            "M17.5 68 H24.6 V71 H17.5 Z M39.4 68 H46.5 V71 H39.4 Z", "#d9d2c2"
        )
    if kind == "scarf":
        fill, fringe = (
            ("#2fa39a", "#1f6f69")
            if clothing_colour in {"red", "yellow", "purple"}
            else ("#e8842c", "#a9581a")
        )
        wrap = "M19.5 48 Q32 56 44.5 48 Q48.5 54 44.5 59 Q32 66.5 19.5 59 Q15.5 54 19.5 48 Z"
        tail = "M35 59 L43.5 57 L46.5 82 H37 Z"
        lines = _line("M21 54 Q32 61 43 54 M38 66 L44.6 65 M38.6 72 L45.3 71", fringe, 1.3)
        return _path(tail, fringe) + _path(tail, fill, opacity=".7") + _path(wrap, fill) + lines
    if kind == "headphones":
        band = _line("M15 30 Q13 4.5 32 4.5 Q51 4.5 49 30", "#f5f5f5", 3.6) + _line(
            "M15 30 Q13 4.5 32 4.5 Q51 4.5 49 30", "#25262b", 2.4
        )
        cups = "".join(
            f'<rect x="{left}" y="24.5" width="7.5" height="14" rx="3.6" fill="#25262b" '
            'stroke="#f5f5f5" stroke-width=".8"/>'
            for left in (11, 45.5)
        )
        return band + cups
    return ""


def head_cover(kind: str, detail: int) -> tuple[str, str]:
    """Return a religious head cover as what lies behind the head and what lies over the hair.

    Each leaves hair and hat readable: a cover must not hide an attribute that carries taste.
    """
    tints = ("#8d97a8", "#a58d8a", "#8fa08d", "#9a8fa8")
    fill = tints[detail // 7 % len(tints)]
    if kind == "headscarf":
        back = "M32 1.5 Q9 2 8 29 Q7 48 14 60 H50 Q57 48 56 29 Q55 2 32 1.5 Z"
        edge = _line("M14.2 44 Q9.5 22 16 12 Q22 4.5 32 4.5 Q42 4.5 48 12 Q54.5 22 49.8 44", fill, 3.0)
        return _path(back, fill) + _path(back, "#000", opacity=".12"), edge
    if kind == "kippah":
        return "", _path("M23.5 13 Q24.5 7.8 32 7.8 Q39.5 7.8 40.5 13 Q32 10.4 23.5 13 Z", "#3b4668")
    if kind == "turban":
        knot = _circle(32, 6.6, 5.2, fill)
        wrap = "M17 21.5 Q17 9 32 8.5 Q47 9 47 21.5 Q38 13.6 32 13.4 Q26 13.6 17 21.5 Z"
        return "", knot + _path(wrap, fill) + _line(
            "M20 17 Q26 10.5 38 9.6 M27 8.8 Q38 10.5 44 17", "#000", 0.7, opacity=".3"
        )
    return "", ""


def age_marks(age: str) -> str:
    """Return the marks of age on the face."""
    if age == "young":
        return "".join(_circle(x, 34, 2.3, "#ff5b5b", opacity=".28") for x in (22.8, 41.2))
    if age == "senior":
        lines = "M27 21.6 Q32 20.4 37 21.6 M21.8 32.6 Q24.8 34.2 28 32.8 M42.2 32.6 Q39.2 34.2 36 32.8"
        return _line(lines, "#000", 0.6, opacity=".35")
    return ""


def presentation_marks(presentation: str) -> str:
    """Return lashes and earrings."""
    if presentation != "feminine":
        return ""
    lashes = (
        "M22.6 28.6 Q22.8 25.7 26.4 26.2 M41.4 28.6 Q41.2 25.7 37.6 26.2 M22.7 27.6 H21.2 M41.3 27.6 H42.8"
    )
    rings = "".join(_circle(x, 38.3, 1.3, "#e9c44c") for x in (18.2, 45.8))
    return _line(lashes, "#1b0640", 0.8) + rings
