"""A curve is drawn to scale, from nothing to round numbers."""

from keyadmin.web.curves import PLOT, curve


def test_points_are_to_scale_and_joined_in_order() -> None:
    drawn = curve([(10_000, 5.0), (20_000, 10.0), (40_000, 20.0)], (30_000, 15.0))
    assert (drawn.right, drawn.top) == (40_000, 20)
    assert [spot.x for spot in drawn.spots] == ["25.000%", "50.000%", "100.000%"]
    assert [drawn.floor - spot.y for spot in drawn.spots] == [PLOT // 4, PLOT // 2, PLOT]
    assert (drawn.mark.x, drawn.floor - drawn.mark.y) == ("75.000%", round(PLOT * 0.75))
    assert [(a.x, b.x) for a, b in drawn.stretches] == [("25.000%", "50.000%"), ("50.000%", "100.000%")]


def test_the_mark_is_always_inside() -> None:
    drawn = curve([(10, 0.4)], (700, 50))
    assert (drawn.right, drawn.top, drawn.stretches) == (800, 50, [])
    assert drawn.mark.y == drawn.roof
