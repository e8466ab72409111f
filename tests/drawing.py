"""What every figure keeps: nothing of it is cut off."""

from matplotlib.figure import Figure


def assert_whole(figure: Figure) -> None:
    """Fail where something drawn reaches over an edge of the figure, by a hundredth of an inch."""
    figure.draw_without_rendering()
    tight, size = figure.get_tightbbox(), figure.get_size_inches()
    assert min(tight.x0, tight.y0) >= -0.01
    assert tight.x1 <= size[0] + 0.01 and tight.y1 <= size[1] + 0.01
