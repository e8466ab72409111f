"""A table of texts, written as Markdown, on a terminal, as LaTeX and as HTML."""

from __future__ import annotations

import hashlib
import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import rich.table
    from pandas.io.formats.style import Styler

ABSENT = "–"
CSS = {"bold": "font-weight: bold", "italic": "font-style: italic"}
MARKDOWN = {"bold": "**", "italic": "*"}
# signs which are commands in LaTeX, those of a caption and those of any text
CAPTION = {sign: f"\\{sign}" for sign in "_&%#$"}
LEAST = 8  # characters to which a column of names folds on a narrow terminal, if not narrower
SIGNS = {"↑": r"$\uparrow$", "↓": r"$\downarrow$", "±": r"$\pm$", "–": "--"}


@dataclass(frozen=True)
class Table:
    """Rows of texts under a header; numbers stand to the right.

    Parameters
    ----------
    header
        The heading of each column.
    rows
        As many texts each as there are headings.
    marks
        By row and column, both from 0: ``"bold"`` or ``"italic"``.
    left
        Headings of the columns which are no numbers; by default the first one alone.
    rule
        After how many rows there is a rule across; 0 for none. An empty row in Markdown.
    caption
        What LaTeX and HTML write at the table; pages have a heading of their own.

    Raises
    ------
    ValueError
        If a row has more or fewer texts than there are headings.
    """

    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    marks: Mapping[tuple[int, int], str] = field(default_factory=dict)
    left: Sequence[str] | None = None
    rule: int = 0
    caption: str = ""

    def __post_init__(self) -> None:
        for row in self.rows:
            if len(row) != len(self.header):
                raise ValueError(
                    f"a table of {len(self.header)} columns needs as many texts in a row, "
                    f"got {len(row)}: {', '.join(row)}"
                )

    @property
    def transposed(self) -> Table:
        """The table with a row for each of its columns, without its rule and left columns."""
        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.header)
        rows = [[name, *column] for name, column in zip(self.header, columns, strict=True)]
        marks = {(column - 1, row + 1): mark for (row, column), mark in self.marks.items()}
        return Table(["", *rows[0][1:]], rows[1:], marks, caption=self.caption)

    def only(self, columns: Sequence[int]) -> Table:
        """The table with these columns alone, counted from 0."""
        places = {column: place for place, column in enumerate(columns)}
        header, *rows = ([row[column] for column in columns] for row in [self.header, *self.rows])
        marks = {(row, places[j]): mark for (row, j), mark in self.marks.items() if j in places}
        return replace(self, header=header, rows=rows, marks=marks)

    def markdown(self, padded: bool = True) -> str:
        """The table as Markdown; padded, its columns are aligned in the source as well."""
        rows = [list(map(_piped, row)) for row in [self.header, *self.rows]]
        for (row, column), mark in self.marks.items():
            rows[row + 1][column] = f"{MARKDOWN[mark]}{rows[row + 1][column]}{MARKDOWN[mark]}"
        if self._has_rule:
            rows.insert(1 + self.rule, [""] * len(self.header))
        widths = [max(2, *map(len, column)) if padded else 0 for column in zip(*rows, strict=True)]
        rules = [
            "-" * (width or 3) if left else "-" * ((width or 4) - 1) + ":"
            for width, left in zip(widths, self._left, strict=True)
        ]
        lines = [
            [
                text.ljust(width) if left else text.rjust(width)
                for text, width, left in zip(row, widths, self._left, strict=True)
            ]
            for row in [rows[0], rules, *rows[1:]]
        ]
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)

    def terminal(self) -> rich.table.Table:
        """The table for a console, as narrow as its numbers and single words allow.

        Where that is too wide, names fold. Numbers do not: what does not fit then is as wide as it
        has to be, so it is printed with ``crop=False``, as `show` does.
        """
        from rich import box
        from rich.console import Console, ConsoleOptions, RenderResult
        from rich.table import Table as Shown
        from rich.text import Text

        class Uncut(Shown):
            least = len(self.header) - 1  # characters, without which something is cut: the gaps

            def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
                width = max(options.max_width, self.least)
                return super().__rich_console__(console, options.update_width(width))

        shown = Uncut(box=box.SIMPLE_HEAD, padding=0, pad_edge=False, show_edge=False)
        columns = list(zip(*self.rows, strict=True)) or [()] * len(self.header)
        for name, texts, left in zip(self.header, columns, self._left, strict=True):
            heading = name.replace("_", " ")  # a space is where rich may break the line
            width = max(map(len, [*heading.split(), *texts]), default=0)
            column = Text(heading, style="bold")
            if left and width > LEAST:
                shown.add_column(column, overflow="fold", max_width=width)
            else:
                shown.add_column(column, justify="left" if left else "right", width=width)
            shown.least += min(width, LEAST) if left else width
        for i, row in enumerate(self.rows):
            cells = [Text(text, style=self.marks.get((i, j), "")) for j, text in enumerate(row)]
            shown.add_row(*cells, end_section=i + 1 == self.rule)
        return shown

    def show(self) -> None:
        """Print the table on the console of a command."""
        from benchmark.console.log import console  # loads rich

        console().print(self.terminal(), crop=False)

    def latex(self) -> str:
        """A ``table`` for the package booktabs."""
        columns = "".join("l" if left else "r" for left in self._left)
        caption = self.caption.translate(str.maketrans(CAPTION)) or None
        text = self._styler("latex").to_latex(
            column_format=columns,
            hrules=True,
            convert_css=True,
            position_float="centering",
            caption=caption,
        )
        lines = text.translate(str.maketrans(SIGNS)).splitlines()
        if self._has_rule:
            lines.insert(lines.index(r"\midrule") + 1 + self.rule, r"\midrule")
        return "\n".join(lines) + "\n"

    def html(self) -> str:
        """A ``table`` element and its style; the same table has the same bytes."""
        styler = self._styler("html")
        if self.caption:
            styler.set_caption(html.escape(self.caption))
        for name, left in zip(styler.columns, self._left, strict=True):
            styler.set_properties([name], **{"text-align": "left" if left else "right"})
        return styler.to_html()

    @property
    def _has_rule(self) -> bool:
        return 0 < self.rule < len(self.rows)

    @property
    def _left(self) -> list[bool]:
        """Which columns stand to the left."""
        if self.left is None:
            return [place == 0 for place in range(len(self.header))]
        return [name in self.left for name in self.header]

    def _styler(self, language: str) -> Styler:
        import pandas as pd
        from pandas.io.formats.style import Styler

        names: list[str] = []
        for name in self.header:  # pandas styles columns by name; a space more is not seen
            while name in names:
                name += " "
            names.append(name)
        frame = pd.DataFrame(self.rows, columns=names, dtype=object)
        css = pd.DataFrame("", frame.index, frame.columns)
        for (row, column), mark in self.marks.items():
            css.iloc[row, column] = CSS[mark]
        digest = hashlib.sha256(repr((self.header, self.rows)).encode()).hexdigest()
        styler = Styler(frame, uuid=digest[:8])
        styler.format(escape=language).format_index(escape=language, axis="columns")
        return styler.hide(axis="index").apply(lambda _: css, axis=None)


def _piped(text: str) -> str:
    """A cell of Markdown: its own pipes are no borders."""
    return text.replace("|", "\\|")
