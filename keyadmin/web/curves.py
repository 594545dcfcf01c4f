"""A curve through what was measured, as plain SVG: heights in pixels, places across in per cent (see web.charts)."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from keyadmin.web.charts import ceiling, percent

ROOF, PLOT = 18, 140  # pixels above the curve, for labels, and of the highest point


class Spot(NamedTuple):
    """A point as it is drawn."""

    x: str
    y: int


@dataclass(frozen=True)
class Curve:
    """Straight lines from point to point, and one place that is marked; `right` and `top` end the scales."""

    spots: Sequence[Spot]
    mark: Spot
    right: int
    top: int

    roof, floor, height = ROOF, ROOF + PLOT, ROOF + PLOT + 18

    @property
    def stretches(self) -> list[tuple[Spot, Spot]]:
        """Each line, from where to where."""
        return list(pairwise(self.spots))


def curve(points: Sequence[tuple[float, float]], mark: tuple[float, float]) -> Curve:
    """The curve through points in the order of their first figures; both scales begin at nothing."""
    right = ceiling(ceil(max(across for across, _ in (*points, mark))))
    top = ceiling(ceil(max(high for _, high in (*points, mark))))

    def spot(point: tuple[float, float]) -> Spot:
        return Spot(percent(point[0], right), ROOF + PLOT - round(PLOT * point[1] / top))

    return Curve([spot(point) for point in points], spot(mark), right, top)
