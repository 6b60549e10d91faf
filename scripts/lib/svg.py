"""Draws curves and bars as SVG pictures that are read on a light and on a dark page."""

import html
import math

WIDTH, HEIGHT = 760, 420
LEFT, RIGHT, TOP, BOTTOM = 84, 24, 64, 56
COLORS = ['#0b6e99', '#c2410c', '#15803d', '#7e22ce', '#a16207']
STYLE = (
    'text{font:13px system-ui,sans-serif;fill:#1f2937}.title{font-size:17px;font-weight:600}.axis{stroke:#6b7280}'
    '.grid{stroke:#e5e7eb}.mark{stroke:#6b7280;stroke-dasharray:4 4}'
    '@media(prefers-color-scheme:dark){.back{fill:#111827}text{fill:#e5e7eb}.grid{stroke:#374151}}'
)


def _text(x, y, text, anchor='start', extra=''):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{extra}>{html.escape(text)}</text>'


def _line(x1, y1, x2, y2, kind):
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _picture(title, parts, height=HEIGHT):
    return '\n'.join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{html.escape(title)}">',
        f'<style>{STYLE}</style>',
        f'<rect class="back" width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(LEFT, 30, title, extra=' class="title"'),
        *parts,
        '</svg>\n',
    ])


def _round_up(value):
    """The next of 1, 2, 5, 10 … times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999)


class _Axis:
    """Places values between two ends of the picture."""

    def __init__(self, values, start, end, logarithmic):
        self.start, self.end, self.logarithmic = start, end, logarithmic
        if logarithmic:
            self.low = 10 ** math.floor(math.log10(min(values)))
            self.high = 10 ** math.ceil(math.log10(max(values)))
            self.ticks = [10**it for it in range(round(math.log10(self.low)), round(math.log10(self.high)) + 1)]
        else:
            step = _round_up(max(values) / 6)
            self.low, self.high = 0, math.ceil(max(values) / step) * step
            self.ticks = [step * it for it in range(round(self.high / step) + 1)]

    def place(self, value):
        if self.logarithmic:
            part = math.log(value / self.low) / math.log(self.high / self.low)
        else:
            part = (value - self.low) / (self.high - self.low)
        return self.start + part * (self.end - self.start)


def curves(title, across, up, lines, logarithmic=(False, False)):
    """Lines of (x, y) points, each with its name in the legend."""
    points = [point for _, line in lines for point in line]
    x = _Axis([it[0] for it in points], LEFT, WIDTH - RIGHT, logarithmic[0])
    y = _Axis([it[1] for it in points], HEIGHT - BOTTOM, TOP, logarithmic[1])
    parts = []
    for tick in x.ticks:
        parts += [_line(x.place(tick), TOP, x.place(tick), HEIGHT - BOTTOM, 'grid'), _text(x.place(tick), HEIGHT - BOTTOM + 18, f'{tick:,g}', 'middle')]
    for tick in y.ticks:
        parts += [_line(LEFT, y.place(tick), WIDTH - RIGHT, y.place(tick), 'grid'), _text(LEFT - 8, y.place(tick) + 4, f'{tick:,g}', 'end')]
    parts += [_line(LEFT, HEIGHT - BOTTOM, WIDTH - RIGHT, HEIGHT - BOTTOM, 'axis'), _line(LEFT, TOP, LEFT, HEIGHT - BOTTOM, 'axis')]
    parts += [_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 14, across, 'middle'), _text(LEFT, TOP - 12, up)]
    for place, (name, line) in enumerate(lines):
        color = COLORS[place]
        path = ' '.join(f'{x.place(a):.1f},{y.place(b):.1f}' for a, b in line)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2.5"/>')
        parts += [f'<circle cx="{x.place(a):.1f}" cy="{y.place(b):.1f}" r="3" fill="{color}"/>' for a, b in line]
        parts += [_line(LEFT + 16, TOP + 16 + 20 * place, LEFT + 44, TOP + 16 + 20 * place, 'axis').replace('class="axis"', f'stroke="{color}" stroke-width="3"'),
                  _text(LEFT + 52, TOP + 20 + 20 * place, name)]
    return _picture(title, parts)


def bars(title, across, rows, marks):
    """A bar for each (name, value), on a logarithmic scale, and a line at each mark."""
    left, height = 200, TOP + 30 * len(rows) + BOTTOM
    x = _Axis([1, *(value for _, value in rows), *marks], left, WIDTH - RIGHT - 30, True)
    parts = [_text(left, TOP - 12, across)]
    for tick in x.ticks:
        parts += [_line(x.place(tick), TOP, x.place(tick), height - BOTTOM, 'grid'), _text(x.place(tick), height - BOTTOM + 18, f'{tick:,g}', 'middle')]
    for place, (name, value) in enumerate(rows):
        top = TOP + 30 * place + 5
        end = x.place(value)
        parts += [
            _text(left - 8, top + 14, name, 'end'),
            f'<rect x="{left}" y="{top}" width="{end - left:.1f}" height="20" fill="{COLORS[0]}"/>',
            _text(end + 6, top + 14, f'{value:,.0f}'),
        ]
    parts += [_line(x.place(it), TOP, x.place(it), height - BOTTOM, 'mark') for it in marks]
    return _picture(title, parts, height)
