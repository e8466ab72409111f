"""What a check writes for people and for machines."""

import xml.etree.ElementTree as ET
from dataclasses import replace

from benchmark.cells import Cell
from benchmark.cells.scores import Scale
from benchmark.reporting.gate.baseline import Line
from benchmark.reporting.gate.compare import Pace, compare
from benchmark.reporting.gate.outputs import (
    MOST,
    changes,
    failures,
    junit,
    markdown,
    sentence,
    table,
    warnings,
)

SCALES = {"psnr": Scale("psnr", True, "dB", 2)}
CELL = Cell("mine", "photos", "gaussian", 25, 0)
LINE = Line(CELL, 3, {"noisy": "a", "psnr": "b"}, {"psnr": 30.0}, {"psnr": 0.0})


def of(model: str, psnr: float = 30.0, noisy: str = "a") -> Line:
    cell = replace(CELL, model=model)
    return replace(LINE, cell=cell, scores={"psnr": psnr}, settings={"noisy": noisy, "psnr": "b"})


COMPARED = compare(
    [of("worse"), of("missing"), of("other"), of("better"), of("equal")],
    [of("worse", 29.0), of("other", noisy="z"), of("better", 31.0), of("equal"), of("new")],
    SCALES,
    {replace(CELL, model="broken"): "broken on photos <&\x1b[0m: no picture"},
)
SPEED = Pace("equal", "photos", 2.0, 5.0)
SLOW = {SPEED: "equal on photos is slow"}

# attributes which the schema of Jenkins has, by element; the first of each it cannot do without
SCHEMA = {
    "testsuites": {"name", "tests", "failures", "errors", "time", "disabled"},
    "testsuite": {"name", "tests", "failures", "errors", "skipped", "time", "hostname", "id"},
    "testcase": {"name", "classname", "time", "assertions", "status"},
    "failure": {"type", "message"},
    "skipped": {"type", "message"},
    "system-out": set(),
}


def test_junit_has_a_case_for_each_cell_and_speed_and_fails_what_the_gate_fails():
    suites = ET.fromstring(junit(COMPARED, [SPEED], SLOW).encode())
    (suite,) = suites
    cases = {case.get("classname"): case for case in suite if case.get("name") != "speed"}
    assert len(suite) == len(COMPARED) + 1 == int(suite.get("tests")) == int(suites.get("tests"))
    failed = {name for name, case in cases.items() if case.find("failure") is not None}
    assert failed == {"worse.photos", "missing.photos", "broken.photos"}
    assert suite.get("failures") == suites.get("failures") == str(len(failed) + 1)
    skipped = {name for name, case in cases.items() if case.find("skipped") is not None}
    assert skipped == {"other.photos"} and suite.get("skipped") == "1"
    message = cases["worse.photos"].find("failure").get("message")
    assert "psnr is 29.0000 dB, -1.0000 from 30.0000 in the baseline" in message
    assert "no picture" in cases["broken.photos"].find("failure").text
    assert suite[-1].find("failure").get("message") == "equal on photos is slow"


def test_junit_keeps_to_the_common_schema():
    for element in ET.fromstring(junit(COMPARED, [SPEED], {}).encode()).iter():
        assert set(element.attrib) <= SCHEMA[element.tag]
        if element.tag == "testcase":
            assert {"name", "classname"} <= set(element.attrib)


def test_the_table_has_every_cell_with_its_score_and_change():
    shown = table(COMPARED, SCALES)
    assert shown.header[4:] == ["PSNR (dB) ↑", "change of psnr"]
    rows = {row[1]: row for row in shown.rows}
    assert rows["worse"][:1] + rows["worse"][3:] == ["worse", "gaussian 25", "29.00", "-1.0000"]
    assert rows["new"][4:] == ["30.00", "–"]
    assert rows["other"][4:] == ["30.00", "–"]  # no number: it is of something else
    assert rows["missing"][4:] == rows["broken"][4:] == ["–", "–"]


def test_the_page_says_first_whether_the_check_passed_and_why_not():
    failed = markdown(COMPARED, SCALES, "b.csv", [SPEED], SLOW)
    assert failed.startswith("## bench check: failed\n")
    assert "- mine" not in failed and "- equal on photos is slow" in failed
    for reason in failures(COMPARED, SLOW):
        assert f"- {reason}\n" in failed
    equal = compare([LINE], [LINE], SCALES, {})
    assert markdown(equal, SCALES, "b.csv").startswith("## bench check: passed\n")
    assert markdown(equal, SCALES, "b.csv").count("| equal") == 1
    assert markdown(equal, SCALES, "b.csv", [SPEED], SLOW).startswith("## bench check: failed\n")


def test_a_page_of_cells_which_cannot_be_compared_says_no_check_passed():
    other = compare([LINE], [of("mine", noisy="z")], SCALES, {})
    assert markdown(other, SCALES, "b.csv").startswith("## bench check: failed\n")


def test_of_many_cells_which_are_not_compared_a_few_are_named():
    new = compare([LINE], [LINE, *(of(f"new{number}") for number in range(20))], SCALES, {})
    assert warnings(new)[-1] == f"and {20 - MOST} more like these"
    assert len(warnings(new)) == MOST + 1
    assert markdown(new, SCALES, "b.csv").startswith("## bench check: passed\n")


def test_counts_are_a_sentence_and_those_of_an_update_speak_of_removed_cells():
    assert sentence(COMPARED) == "7 cells: 2 worse, 1 missing, 1 other, 1 better, 1 new, 1 equal"
    assert "1 removed" in changes(COMPARED) and "missing" not in changes(COMPARED)


def test_a_page_folds_all_cells_only_where_some_are_not_shown_above():
    page = markdown(COMPARED, SCALES, "b.csv")
    assert "<details>" in page
    moved = [one for one in COMPARED if one.verdict != "equal"]
    assert "<details>" not in markdown(moved, SCALES, "b.csv")
