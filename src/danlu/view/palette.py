"""The colours of every picture, on paper and on the page: told apart by colour-blind people, and in grey print by dash
and shape.

The eight of Okabe and Ito, "Color Universal Design" (https://jfly.uni-koeln.de/color/), by their roles; cividis for
amounts (Nuñez et al. 2018, https://doi.org/10.1371/journal.pone.0199239), and its ends through white for differences.
"""

LIGHT = {
    "blue": "#0072B2",
    "orange": "#D55E00",
    "green": "#009E73",
    "purple": "#CC79A7",
    "amber": "#B07A00",
    "sky": "#2F93CC",
    "grey": "#767676",
    "ink": "#1B1B1B",
}
DARK = {
    "blue": "#4FA9E2",
    "orange": "#F28A45",
    "green": "#2FC79B",
    "purple": "#E3A0C6",
    "amber": "#E5B33D",
    "sky": "#8CCBF0",
    "grey": "#9B9B9B",
    "ink": "#ECECEC",
}
SERIES = ("blue", "orange", "green", "purple", "amber", "sky", "grey")
"""The colours of things laid over each other, in their order."""

SHAPES = ("circle", "square", "diamond", "triangle", "cross")
DASHES = ("solid", "dash", "dot", "dashdot")

SEVERITY = {"error": "orange", "warning": "amber", "advice": "grey"}

AMOUNT = ("#00204C", "#213B6E", "#4C556C", "#6C6E72", "#8E8978", "#B2A570", "#D9C55C", "#FFE945")
SHARE = ("#F7FAFC", "#A9CDE4", "#0072B2", "#003A5C")
MISTAKE = ("#FFF8F2", "#FAD2B5", "#EE9A63", "#D55E00")
DIFFERENCE = ("#0072B2", "#7FB4D6", "#F4F4F4", "#E8A277", "#D55E00")


def series_color(index: int) -> str:
    """The role of the colour of the thing numbered `index`.

    >>> series_color(0), series_color(7)
    ('blue', 'blue')
    """
    return SERIES[index % len(SERIES)]


def ramp(colors: tuple[str, ...], share: float) -> str:
    """The colour at `share` (0 to 1) of the way along `colors`.

    >>> ramp(("#000000", "#FFFFFF"), 0.5)
    '#808080'
    """
    place = min(1.0, max(0.0, share)) * (len(colors) - 1)
    index = min(int(place), len(colors) - 2)
    first, second = (_parts(colors[at]) for at in (index, index + 1))
    mixed = (round(a + (b - a) * (place - index)) for a, b in zip(first, second, strict=True))
    return "#" + "".join(f"{part:02X}" for part in mixed)


def is_dark(color: str) -> bool:
    """Whether white is read better on `color` than black.

    >>> is_dark("#00204C"), is_dark("#FFE945")
    (True, False)
    """
    red, green, blue = _parts(color)
    return 0.299 * red + 0.587 * green + 0.114 * blue < 140


def _parts(color: str) -> tuple[int, ...]:
    return tuple(int(color[at : at + 2], 16) for at in (1, 3, 5))


DARK_RAMPS = {
    "share": ("#20272D", "#174A70", "#2F93CC", "#C5E6FB"),
    "mistake": ("#2B2420", "#6B3816", "#BF662B", "#F28A45"),
    "difference": ("#4FA9E2", "#2C5F80", "#2A2F34", "#8A5230", "#F28A45"),
}
"""On a dark page: what begins at nothing begins in the colour of the page, as it does on paper."""
RAMPS = {"amount": AMOUNT, "share": SHARE, "mistake": MISTAKE, "difference": DIFFERENCE}
