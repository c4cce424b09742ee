"""What benchmarks say: aligned lines, Markdown, one page to which each adds its section."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from lightfer_ros.benchmark.columns import Column, head_line, html_table, markdown, number, text_line
from lightfer_ros.benchmark.page import Section, update_page
from lightfer_ros.benchmark.plots import Point, scatter, stacked_bars

COLUMNS = (Column("name", lambda row: row[0], 6, left=True), Column("ms", lambda row: number(row[1], 2), 8))


def test_a_row_is_the_same_in_text_markdown_and_html():
    assert head_line(COLUMNS) == "name         ms"
    assert text_line(COLUMNS, ("a|b", 1234.5)) == "a|b    1,234.50"
    assert markdown(COLUMNS, [("a|b", None)]) == "| name | ms |\n| --- | ---: |\n| a\\|b | – |"
    table = ElementTree.fromstring(html_table(COLUMNS, [("<b>", 2.0)]))
    assert ["".join(cell.itertext()) for cell in table.iter("td")] == ["<b>", "2.00"]


def test_a_benchmark_replaces_its_own_section_of_the_page_and_leaves_the_others(tmp_path):
    page = tmp_path / "benchmark.html"
    update_page(page, Section("pipeline", "Pipeline", ["on <this> machine"], ["<table></table>"]))
    update_page(page, Section("classifier", "Classifier", ["old"], []))
    update_page(page, Section("classifier", "Classifier", ["new"], []))
    text = page.read_text()
    assert text.count("<h2>") == 2 and "old" not in text and "new" in text
    assert "on &lt;this&gt; machine" in text
    assert [path.name for path in tmp_path.iterdir()] == ["benchmark.html"]


def test_a_page_of_somebody_else_is_replaced_not_mixed(tmp_path):
    page = tmp_path / "benchmark.html"
    page.write_text("<html>something else</html>")
    update_page(page, Section("table-1", "Table 1", [], []))
    assert "something else" not in page.read_text() and "Table 1" in page.read_text()


def test_plots_are_elements_that_load_nothing():
    pytest.importorskip("matplotlib")
    (points,) = scatter([Point(1, 60, "fp32"), Point(0.5, 59, "int8")], "ms", "%", "accuracy against time")
    (bars,) = stacked_bars({"ours": {"detect": 3.0, "classify": 1.0}, "paper": {"detect": 22.0}}, "ms", "")
    for plot in (points, bars):
        assert ElementTree.fromstring(plot.svg).tag.endswith("svg")
        assert "xlink:href" not in plot.svg.replace('xlink:href="#', "")
    assert scatter([], "ms", "%", "nothing to show") == []
