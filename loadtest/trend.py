"""Whether something grows."""

from collections.abc import Sequence


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Of the straight line with the least squares through these points: growth of the second number for one of the
    first. 0 when they have no extent."""
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    spread = sum((x - mean_x) ** 2 for x, _ in points)
    return sum((x - mean_x) * (y - mean_y) for x, y in points) / spread if spread else 0.0
