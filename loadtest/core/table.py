"""A table, as text for a terminal and as HTML for a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True)
class Cell:
    """A cell with a tone, which is a class of the report's style sheet."""

    text: str
    tone: str = ""

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Table:
    """Cells in rows of equal length. The first column names the rows."""

    head: Sequence[str]
    rows: Sequence[Sequence[str | Cell]]
    caption: str = ""

    def to_text(self, *, rule: bool = False) -> str:
        """Return the table with columns as wide as needed: the first aligned left, the others right.

        Args:
            rule: draw a line below the head.
        """
        cells = [list(self.head), *([str(cell) for cell in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = []
        for first, *others in cells:
            padded = [
                first.ljust(widths[0]),
                *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True)),
            ]
            lines.append("  ".join(padded).rstrip())
        rules = ["-" * max(map(len, lines))] if rule else []
        return "\n".join([lines[0], *rules, *lines[1:]])

    def to_html(self) -> str:
        """Return a scrollable `table` element; empty if there are no rows."""
        if not self.rows:
            return ""
        head = "".join(f"<th>{escape(cell)}</th>" for cell in self.head)
        body = "".join(
            f"<tr><th scope='row'>{_cell_html(first)}</th>"
            f"{''.join(f'<td>{_cell_html(cell)}</td>' for cell in rest)}</tr>"
            for first, *rest in self.rows
        )
        return (
            f'<div class="table"><table><caption>{escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>\n"
        )


def _cell_html(cell: str | Cell) -> str:
    if isinstance(cell, Cell) and cell.tone:
        return f'<span class="{cell.tone}">{escape(cell.text)}</span>'
    return escape(str(cell))
