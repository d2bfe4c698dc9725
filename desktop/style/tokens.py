"""The only place with sizes and colours. Colours are derived from the system's palette."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetricsF, QPalette

# Sizes, in device independent pixels unless a name says otherwise -----------------------------

GAP_SMALL = 4
GAP = 8
GAP_WIDE = 16
GUTTER = 28
TURN_GAP = 34
SIDEBAR = 208
RADIUS = 8
RADIUS_WIDE = 14
PADDING = 12
INSET = 14
"""From the edge of the column to where its text begins: the same in bubble, answer and field."""

FOCUS = 2
BOX = 15
METER_WIDTH = 36
METER_HEIGHT = 4
SLIDER_WIDTH = 104
COMPOSER_LINES = 9
MEASURE = 75
"""Characters on a line of an answer, at most."""

SIDE_MEASURE = 58
"""Characters on a line of each of two answers side by side."""

SIDE_LEAST = 40
"""Characters on such a line below which the two are stacked."""

PAGE_MEASURE = 96
"""Characters across a page of settings or of rows."""

ROW_GAP = 14
"""What a row of the picture is higher than its text."""

DOT = 11
INTERVAL = 4
PICTURE_LEAST = 120

TRIANGLE_LINES = 19
"""Lines of text that the triangle is high."""

RING = 13
RING_SMALL = 9
BADGE = 20
BAR = 6

SHADES = (0.14, 0.34, 0.22, 0.42, 0.10, 0.28, 0.38)
"""How much accent is in the areas of a picture; neighbours in this row differ well."""

LEADING = 148.0
"""Line height of prose, in per cent."""

CODE_LEADING = 132.0
INDENT = 26
QUOTE_INDENT = 18
PARAGRAPH_GAP = 10
ZOOM_STEP = 1.1
ZOOM_LIMIT = 12
BODY_SCALE = 1.16
SMALL_SCALE = 0.96
HEADINGS = (1.42, 1.26, 1.13, 1.05, 1.0, 1.0)
"""Sizes of headings relative to the text, first level first."""

FRAME = 33
"""Milliseconds between two paints of an answer that is being written."""

FRAME_SHARE = 2
"""After a paint, rest this many times as long as it took …"""

FRAME_LONGEST = 200
"""… but no longer than this, in milliseconds."""

ACCENT_LIGHT = "#0b6f63"
ACCENT_DARK = "#7bd8c8"


def strong(font: QFont, *, scale: float = 1.0) -> QFont:
    """The same font, heavier: of what names the rest. `scale` is relative to its size."""
    heavier = QFont(font)
    if scale != 1.0:  # a font that is measured in pixels has no size in points
        heavier.setPointSizeF(font.pointSizeF() * scale)
    heavier.setWeight(QFont.Weight.DemiBold)
    return heavier


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How the window looks now; replaced as a whole when the theme or the zoom changes."""

    dark: bool
    page: QColor
    side: QColor
    surface: QColor
    raised: QColor
    line: QColor
    text: QColor
    muted: QColor
    accent: QColor
    lit: QColor
    on_accent: QColor
    selection: QColor
    body: QFont
    small: QFont
    code: QFont
    plain: QFont

    @property
    def measure(self) -> int:
        """The width of the widest line of prose."""
        return self._characters(MEASURE)

    @property
    def wide(self) -> int:
        """The width of two answers side by side."""
        return 2 * (self._characters(SIDE_MEASURE) + 2 * INSET) + GAP_WIDE

    @property
    def page_measure(self) -> int:
        """The width of a page that is not running prose."""
        return self._characters(PAGE_MEASURE)

    @property
    def side_least(self) -> int:
        """The width of one of them below which they are stacked."""
        return self._characters(SIDE_LEAST) + 2 * INSET

    def _characters(self, count: int) -> int:
        # The average of running English text, not of the alphabet.
        sample = "The quick brown fox jumps over the lazy dog and rests awhile."
        width = QFontMetricsF(self.body).horizontalAdvance(sample) / len(sample)
        return round(width * count)

    def shade(self, number: int) -> QColor:
        """The colour of one area of a picture, on which text can be read."""
        return mix(self.page, self.accent, SHADES[number % len(SHADES)])

    @property
    def code_style(self) -> str:
        """Name of the Pygments style."""
        return "github-dark" if self.dark else "xcode"


def look_for(palette: QPalette, *, font: QFont, zoom: int, contrast: bool = False) -> Look:
    """Derive everything from the system's palette and font; `zoom` counts steps."""
    page = palette.color(QPalette.ColorRole.Base)
    text = palette.color(QPalette.ColorRole.Text)
    dark = page.lightnessF() < text.lightnessF()
    accent = QColor(ACCENT_DARK if dark else ACCENT_LIGHT)
    if contrast:
        accent = palette.color(QPalette.ColorRole.Highlight)
    return Look(
        dark=dark,
        page=page,
        side=mix(page, text, 0.035),
        surface=mix(page, accent, 0.10 if dark else 0.075),
        raised=mix(page, text, 0.055 if dark else 0.04),
        line=mix(page, text, 0.45 if contrast else 0.16),
        text=mix(page, text, 0.94) if dark and not contrast else text,
        muted=text if contrast else mix(page, text, 0.66),
        accent=accent,
        lit=mix(page, accent, 0.72),
        on_accent=page,
        selection=mix(page, accent, 0.32),
        **_fonts(font, ZOOM_STEP**zoom),
    )


_LIGHT = {
    "Window": "#f3f3f2", "WindowText": "#1b1c1d", "Base": "#ffffff", "AlternateBase": "#f3f3f2",
    "Text": "#1b1c1d", "Button": "#f3f3f2", "ButtonText": "#1b1c1d", "BrightText": "#ffffff",
    "ToolTipBase": "#ffffff", "ToolTipText": "#1b1c1d", "PlaceholderText": "#6b6d70",
    "Light": "#ffffff", "Midlight": "#fafafa", "Mid": "#bdbdbc", "Dark": "#9a9a99",
    "Shadow": "#6e6e6d", "Highlight": ACCENT_LIGHT, "HighlightedText": "#ffffff",
    "Link": ACCENT_LIGHT, "LinkVisited": ACCENT_LIGHT,
}  # fmt: skip
_DARK = {
    "Window": "#2a2b2d", "WindowText": "#eeeeee", "Base": "#1e1f21", "AlternateBase": "#2a2b2d",
    "Text": "#eeeeee", "Button": "#35363a", "ButtonText": "#eeeeee", "BrightText": "#ffffff",
    "ToolTipBase": "#35363a", "ToolTipText": "#eeeeee", "PlaceholderText": "#9b9da1",
    "Light": "#4a4b50", "Midlight": "#404146", "Mid": "#242527", "Dark": "#18191b",
    "Shadow": "#000000", "Highlight": ACCENT_DARK, "HighlightedText": "#10201d",
    "Link": ACCENT_DARK, "LinkVisited": ACCENT_DARK,
}  # fmt: skip


def own_palette(*, dark: bool) -> QPalette:
    """The system's palette where its own cannot be had light, or dark."""
    palette = QPalette()
    for name, colour in (_DARK if dark else _LIGHT).items():
        palette.setColor(QPalette.ColorRole[name], QColor(colour))
    faint = palette.color(QPalette.ColorRole.PlaceholderText)
    for role in ("WindowText", "Text", "ButtonText"):
        palette.setColor(QPalette.ColorGroup.Disabled, QPalette.ColorRole[role], faint)
    return palette


def mix(under: QColor, over: QColor, share: float) -> QColor:
    """`over` laid on `under` with this opacity."""

    def part(a: float, b: float) -> float:
        return a + (b - a) * share

    return QColor.fromRgbF(
        part(under.redF(), over.redF()),
        part(under.greenF(), over.greenF()),
        part(under.blueF(), over.blueF()),
    )


def _fonts(font: QFont, scale: float) -> dict[str, QFont]:
    points = font.pointSizeF() if font.pointSizeF() > 0 else 10.0
    code = QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont)
    return {
        "plain": _sized(font, points * scale),
        "body": _sized(font, points * scale * BODY_SCALE),
        "small": _sized(font, points * scale * SMALL_SCALE),
        "code": _sized(code, points * scale * BODY_SCALE * 0.93),
    }


def _sized(font: QFont, points: float) -> QFont:
    sized = QFont(font)
    sized.setPointSizeF(points)
    return sized
