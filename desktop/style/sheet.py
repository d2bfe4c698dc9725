"""The style sheet, written from the tokens; it names our own widgets only."""

from __future__ import annotations

from PySide6.QtGui import QFontMetricsF

from desktop.style import tokens
from desktop.style.tokens import Look

SHEET = """
QMainWindow, #column, #page, #stack {{ background: {page}; }}
#page {{ border: none; }}
#sidebar {{ background: {side}; border-right: 1px solid {line}; }}
#sidebar QLabel, #muted {{ color: {muted}; }}
#headline {{ color: {text}; }}

#composer {{ background: {raised}; border: {focus}px solid {line}; border-radius: {wide}px; }}
#composer[lit="true"] {{ border-color: {lit}; }}
#composer QTextEdit {{ background: transparent; border: none; color: {text};
    selection-background-color: {selection}; selection-color: {text}; }}

#primary {{ background: {accent}; color: {on_accent}; border: {focus}px solid {accent};
    border-radius: {radius}px; padding: 5px 14px; font-weight: 600; }}
#primary:hover {{ background: {accent_hover}; border-color: {accent_hover}; }}
#primary:focus {{ border-color: {text}; }}
#primary:disabled {{ background: {line}; border-color: {line}; color: {muted}; }}

#quiet {{ background: transparent; color: {text}; border: {focus}px solid transparent;
    border-radius: {radius}px; padding: 4px 12px; text-align: left; }}
#quiet:hover {{ background: {surface}; }}
#quiet:focus {{ border-color: {accent}; }}
#quiet:disabled {{ color: {muted}; }}
#quiet[soft="true"] {{ color: {muted}; padding: 1px 8px 1px 12px; }}
#quiet[soft="true"]:hover {{ color: {text}; }}
#quiet[soft="true"]:disabled {{ color: {faint}; }}

#chip {{ background: {surface}; color: {text}; border: {focus}px solid {surface};
    border-radius: {radius_chip}px; padding: 2px 10px; }}
#chip:hover {{ border-color: {line}; }}
#chip:focus {{ border-color: {accent}; }}
#chip[resting="true"] {{ background: {raised}; color: {muted}; border-color: {raised}; }}
#chip[resting="true"]:focus {{ border-color: {accent}; }}

#wish {{ background: {page}; color: {text}; border: {focus}px solid {accent};
    border-radius: {radius_chip}px; padding: 2px 10px; selection-background-color: {selection};
    selection-color: {text}; }}

#suggestion {{ background: transparent; color: {text}; border: 1px solid {line};
    border-radius: {wide}px; padding: 10px 13px; text-align: left; }}
#suggestion:hover {{ background: {surface}; border-color: {surface}; }}
#suggestion:focus {{ border: {focus}px solid {accent}; padding: 9px 12px; }}

#reader {{ background: transparent; border: none; selection-background-color: {selection};
    selection-color: {text}; }}

#quiet[here="true"] {{ background: {surface}; font-weight: 600; }}

#side {{ background: transparent; border: 1px solid {line}; border-radius: {wide}px; }}
#side QLabel#letter {{ color: {muted}; font-weight: 600; }}

#vote {{ background: {surface}; color: {text}; border: {focus}px solid {surface};
    border-radius: {radius}px; padding: 6px 14px; font-weight: 600; }}
#vote:hover {{ border-color: {lit}; }}
#vote:focus {{ border-color: {accent}; }}
#vote:disabled {{ background: {raised}; border-color: {raised}; color: {muted}; }}

#plain {{ background: transparent; color: {text}; border: {focus}px solid {line};
    border-radius: {radius}px; padding: 4px 12px; }}
#plain:hover {{ background: {surface}; }}
#plain:focus {{ border-color: {accent}; }}
#plain:disabled {{ color: {muted}; }}

#choice {{ background: transparent; color: {text}; border: {focus}px solid {line};
    border-radius: {radius_chip}px; padding: 2px 12px; }}
#choice:hover {{ background: {surface}; }}
#choice:checked {{ background: {accent}; border-color: {accent}; color: {on_accent}; }}
#choice:focus {{ border-color: {accent}; }}
#choice:checked:focus {{ border-color: {text}; }}

#field {{ background: {raised}; color: {text}; border: {focus}px solid {line};
    border-radius: {radius}px; padding: 5px 10px; selection-background-color: {selection};
    selection-color: {text}; }}
#field:focus {{ border-color: {accent}; }}

#said {{ background: {raised}; border-top: 1px solid {line}; }}
#section {{ color: {text}; font-weight: 600; }}

#chats {{ background: transparent; border: none; outline: none; }}
#chats QScrollBar:vertical, #table QScrollBar:vertical, #composer QScrollBar:vertical {{
    background: transparent; border: none; width: 8px; margin: 0; }}
#chats QScrollBar::handle:vertical, #table QScrollBar::handle:vertical,
#composer QScrollBar::handle:vertical {{
    background: {line}; border-radius: 3px; min-height: 28px; margin: 0 0 0 2px; }}
#chats QScrollBar::handle:vertical:hover, #table QScrollBar::handle:vertical:hover {{
    background: {muted}; }}
#chats QScrollBar::add-line:vertical, #chats QScrollBar::sub-line:vertical,
#table QScrollBar::add-line:vertical, #table QScrollBar::sub-line:vertical,
#composer QScrollBar::add-line:vertical, #composer QScrollBar::sub-line:vertical {{ height: 0; }}
#chats QScrollBar::add-page:vertical, #chats QScrollBar::sub-page:vertical,
#table QScrollBar::add-page:vertical, #table QScrollBar::sub-page:vertical,
#composer QScrollBar::add-page:vertical, #composer QScrollBar::sub-page:vertical {{
    background: transparent; }}

#table, #list {{ background: transparent; border: none; color: {text}; outline: none;
    selection-background-color: {raised}; selection-color: {text}; }}
#table:focus, #list:focus {{ selection-background-color: {selection}; }}

#table QHeaderView, #table QHeaderView::section {{ background: {page}; color: {muted};
    border: none; }}
#table QHeaderView::section {{ padding: 0 3px 0 6px; }}

#bar {{ background: {line}; border: none; border-radius: {bar_radius}px;
    min-height: {bar}px; max-height: {bar}px; }}
#bar::chunk {{ background: {accent}; border-radius: {bar_radius}px; }}

#list::indicator {{ width: 11px; height: 11px; border: 1px solid {muted}; border-radius: 3px;
    background: {page}; }}
#list::indicator:checked {{ background: {accent}; border-color: {accent}; }}

QSlider#strength {{ border: {focus}px solid transparent; border-radius: {radius}px;
    min-height: 22px; }}
QSlider#strength:focus {{ border-color: {accent}; }}
QSlider#strength::groove:horizontal {{ height: 4px; border-radius: 2px; background: {line}; }}
QSlider#strength::sub-page:horizontal {{ height: 4px; border-radius: 2px; background: {accent}; }}
QSlider#strength::handle:horizontal {{ width: 14px; margin: -5px 0; border-radius: 7px;
    background: {accent}; }}
QSlider#strength::sub-page:horizontal:disabled {{ background: {line}; }}
QSlider#strength::handle:horizontal:disabled {{ background: {muted}; }}
"""


def sheet(look: Look) -> str:
    """The style sheet for one look."""
    colours = {
        name: getattr(look, name).name()
        for name in (
            "page", "side", "surface", "raised", "line", "text", "muted", "accent",
            "lit", "on_accent", "selection",
        )
    }  # fmt: skip
    return SHEET.format(
        **colours,
        faint=tokens.mix(look.page, look.text, 0.38).name(),
        accent_hover=tokens.mix(look.accent, look.text, 0.18).name(),
        focus=tokens.FOCUS,
        radius=tokens.RADIUS,
        wide=tokens.RADIUS_WIDE,
        bar=tokens.BAR,
        bar_radius=tokens.BAR // 2,
        # Qt drops a radius that is more than half the height.
        radius_chip=round(QFontMetricsF(look.plain).height() / 2) + 3,
    )
