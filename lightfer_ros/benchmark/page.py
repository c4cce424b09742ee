"""`benchmark.html`: one page for all benchmarks of a machine, that opens from disk and asks no network."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from lightfer_ros.files import write_whole

DEFAULT = Path("benchmark.html")

_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 70em; padding: 0 1em; }
table { border-collapse: collapse; margin: 1em 0; font-variant-numeric: tabular-nums; }
th, td { padding: .2em .6em; border-bottom: 1px solid #ddd; vertical-align: top; }
th { border-bottom: 2px solid #888; } .left { text-align: left; } .right { text-align: right; }
figure { display: inline-block; margin: 1em 1em 1em 0; } figcaption { color: #555; max-width: 36em; }
svg { max-width: 100%; height: auto; } .about { color: #555; }
"""

_SECTION = re.compile(r"<!-- section ([a-z0-9-]+) -->\n(.*?)<!-- end of \1 -->\n", re.DOTALL)


@dataclass(frozen=True)
class Plot:
    """A picture for the page. svg: one element, nothing in it that is loaded from elsewhere."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Section:
    """What one benchmark has to show. about: paragraphs of plain text. tables: elements in HTML."""

    name: str
    title: str
    about: Sequence[str]
    tables: Sequence[str]
    plots: Sequence[Plot] = ()

    def to_html(self) -> str:
        """The section's content."""
        lines = [f"<h2>{html.escape(self.title)}</h2>"]
        lines += [f'<p class="about">{html.escape(text)}</p>' for text in self.about]
        for plot in self.plots:
            lines.append(f"<figure>{plot.svg}<figcaption>{html.escape(plot.caption)}</figcaption></figure>")
        return "\n".join([*lines, *self.tables]) + "\n"


def update_page(path: Path, section: Section) -> None:
    """Put a section into the page, whole or not at all; what other benchmarks wrote there stays.

    Raises LightferError where it cannot be written.
    """
    sections: dict[str, str] = {}
    if path.is_file():
        sections = dict(_SECTION.findall(path.read_text(encoding="utf-8", errors="replace")))
    sections[section.name] = section.to_html()
    body = "".join(
        f"<!-- section {name} -->\n{content}<!-- end of {name} -->\n"
        for name, content in sorted(sections.items())
    )
    text = (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f"<title>LightFER benchmark</title>\n<style>{_STYLE}</style>\n</head>\n"
        f"<body>\n<h1>LightFER on this machine</h1>\n{body}</body>\n</html>\n"
    )
    write_whole(path, text.encode("utf-8"))
