"""A chart of lines as SVG: few enough parts that no library earns its place among the dependencies."""

from collections.abc import Mapping, Sequence
from xml.sax.saxutils import escape

_W, _H, _LEFT, _TOP, _RIGHT, _BOTTOM = 640, 300, 56, 34, 96, 40
_COLOURS = {"learned": "#0b6e4f", "fixed": "#b23a48", "cheapest": "#c98a12", "oracle": "#444b54"}


def chart(title: str, lines: Mapping[str, Sequence[tuple[float, float]]]) -> str:
    """Return an SVG of ``lines``, each of points (leads so far, cents a filled record)."""
    most_x = max(x for line in lines.values() for x, _ in line)
    most_y = max(y for line in lines.values() for _, y in line) * 1.08

    def at(x: float, y: float) -> tuple[float, float]:
        across = _LEFT + x / most_x * (_W - _LEFT - _RIGHT)
        return across, _H - _BOTTOM - y / most_y * (_H - _TOP - _BOTTOM)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_W} {_H}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_W}" height="{_H}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="20" font-size="14">{escape(title)}</text>',
    ]
    for step in range(5):
        x, y = most_x * step / 4, most_y * step / 4
        (gx, _), (_, gy) = at(x, 0), at(0, y)
        parts += [
            f'<line x1="{_LEFT}" y1="{gy:.1f}" x2="{_W - _RIGHT}" y2="{gy:.1f}" stroke="#ddd"/>',
            f'<text x="{_LEFT - 6}" y="{gy + 4:.1f}" text-anchor="end">{y:.0f} ¢</text>',
            f'<text x="{gx:.1f}" y="{_H - _BOTTOM + 16}" text-anchor="middle">{x:,.0f}</text>',
        ]
    parts.append(
        f'<text x="{(_LEFT + _W - _RIGHT) / 2}" y="{_H - 6}" text-anchor="middle">leads</text>'
    )
    ends = _spread({name: at(*line[-1])[1] for name, line in lines.items()})
    for name, line in lines.items():
        points = " ".join(f"{px:.1f},{py:.1f}" for px, py in (at(x, y) for x, y in line))
        dash = ' stroke-dasharray="5 4"' if name == "oracle" else ""
        colour = _COLOURS[name]
        parts += [
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"{dash}/>',
            f'<text x="{_W - _RIGHT + 6}" y="{ends[name] + 4:.1f}" fill="{colour}">{name}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _spread(ends: Mapping[str, float]) -> dict[str, float]:
    """Move labels apart that would lie upon each other."""
    placed: dict[str, float] = {}
    for name, y in sorted(ends.items(), key=lambda item: -item[1]):
        below = min(placed.values(), default=y + 14)
        placed[name] = min(y, below - 14)
    return placed
