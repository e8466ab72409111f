"""A table of texts, written as Markdown, on a terminal, as LaTeX and as HTML."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from benchmark.reporting.latex.texts import escaped, width

if TYPE_CHECKING:
    import rich.table

ABSENT = "–"
MARKDOWN = {"bold": ("**", "**"), "italic": ("*", "*"), "underline": ("<ins>", "</ins>")}
HTML = {"bold": ("<b>", "</b>"), "italic": ("<i>", "</i>"), "underline": ("<u>", "</u>")}
LATEX = {"bold": r"\textbf", "italic": r"\textit", "underline": r"\underline"}
LEAST = 8  # characters to which a column of names folds on a narrow terminal, if not narrower
GAP = 3  # points at each side of a column in LaTeX
TAG = re.compile(r"<(?=[A-Za-z/!?])")  # begins one in Markdown
NUMBER = re.compile(r"[<±+-]?\d+(\.\d+)?")  # with its point and decimals


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
        By row and column, both from 0: ``"bold"``, ``"italic"`` or ``"underline"``.
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
            rows[row + 1][column] = rows[row + 1][column].join(MARKDOWN[mark])
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

    def latex(self, label: str = "", wide: bool = False) -> str:
        r"""A ``table`` for the package booktabs, in ``\footnotesize``, decimal points aligned.

        Parameters
        ----------
        label
            What ``\ref`` calls it.
        wide
            Whether it may be as wide as both columns of a page: a ``table*``.
        """
        rows = [list(map(_latex, row)) for row in self.rows]
        for (row, column), mark in self.marks.items():
            rows[row][column] = f"{LATEX[mark]}{{{rows[row][column]}}}"
        for column, left in enumerate(self._left):
            fills = [""] * len(rows) if left else _fills([row[column] for row in self.rows])
            for row, fill in zip(rows, fills, strict=True):
                row[column] += fill
        lines = [" & ".join(row) + r" \\" for row in [list(map(escaped, self.header)), *rows]]
        lines = ["{}" * (line[0] in "[*") + line for line in lines]  # else an option of \\ or rule
        lines.insert(1, r"\midrule")
        if self._has_rule:
            lines.insert(2 + self.rule, r"\midrule")
        caption = rf"\caption{{{escaped(self.caption)}}}" if self.caption else ""
        float_, columns = "table" + "*" * wide, "".join("l" if left else "r" for left in self._left)
        return "\n".join(
            [
                rf"\begin{{{float_}}}[t]",
                rf"\centering\footnotesize\setlength{{\tabcolsep}}{{{GAP}pt}}",
                r"\setlength{\abovecaptionskip}{0pt}\setlength{\belowcaptionskip}{4pt}",
                *textwrap.wrap(caption, 100, break_long_words=False, break_on_hyphens=False),
                *([rf"\label{{{label}}}"] if label else []),
                rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
                r"\toprule",
                *lines,
                r"\bottomrule",
                r"\end{tabular}",
                rf"\end{{{float_}}}",
                "",
            ]
        )

    @property
    def latex_width(self) -> float:
        """How wide the table of `latex` is, in TeX's points."""
        texts = [[(text, False) for text in self.header]]
        for i, row in enumerate(self.rows):
            texts.append([(text, self.marks.get((i, j)) == "bold") for j, text in enumerate(row)])
        columns = zip(*texts, strict=True)
        widths = [max(width(text, bold) for text, bold in column) for column in columns]
        return sum(widths) + 2 * GAP * (len(widths) - 1)

    def html(self) -> str:
        """A ``table`` element, with a ``tbody`` for each part that a rule divides."""
        rows = [[html.escape(text) for text in row] for row in self.rows]
        for (row, column), mark in self.marks.items():
            rows[row][column] = rows[row][column].join(HTML[mark])
        parts = [rows[: self.rule], rows[self.rule :]] if self._has_rule else [rows]
        lines = ["<table>"]
        if self.caption:
            lines.append(f"<caption>{html.escape(self.caption)}</caption>")
        lines.append(f"<thead>{self._html_row('th', map(html.escape, self.header))}</thead>")
        for part in parts:
            lines += ["<tbody>", *(self._html_row("td", row) for row in part), "</tbody>"]
        return "\n".join([*lines, "</table>"]) + "\n"

    def _html_row(self, tag: str, texts: Iterable[str]) -> str:
        sides = ["left" if left else "right" for left in self._left]
        cells = zip(sides, texts, strict=True)
        parts = [f'<{tag} style="text-align: {side}">{text}</{tag}>' for side, text in cells]
        return f"<tr>{''.join(parts)}</tr>"

    @property
    def _has_rule(self) -> bool:
        return 0 < self.rule < len(self.rows)

    @property
    def _left(self) -> list[bool]:
        """Which columns stand to the left."""
        if self.left is None:
            return [place == 0 for place in range(len(self.header))]
        return [name in self.left for name in self.header]


def _piped(text: str) -> str:
    """A cell of Markdown: its own pipes are no borders, and a label has no tags of HTML."""
    return TAG.sub(r"\\<", text.replace("|", "\\|"))


def _latex(text: str) -> str:
    """A cell of LaTeX: a number has a minus, not a hyphen."""
    return escaped(text.replace("-", "−") if NUMBER.fullmatch(text) else text)


def _fills(texts: Sequence[str]) -> list[str]:
    """What LaTeX leaves free behind each number, so that a column's decimal points are aligned."""
    found = [NUMBER.fullmatch(text) for text in texts]
    lengths = [len(number[1] or "") if number else None for number in found]
    most = max(filter(None, lengths), default=0)
    longest = "." + "0" * (most - 1)
    return [
        "" if length is None or length == most else rf"\phantom{{{longest[length:]}}}"
        for length in lengths
    ]
