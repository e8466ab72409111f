"""What was measured is found again, and measured again where it would be another thing."""

import json

import pytest

from benchmark.studies.analyses.kept import kept


@pytest.fixture
def measured():
    """How often `measure` was called."""
    return []


@pytest.fixture
def measure(measured):
    def run():
        measured.append(1)
        return {"values": (0.5, float("nan"))}

    return run


def test_the_same_settings_are_measured_once(tmp_path, measure, measured):
    first = kept(tmp_path, "a b", {"crops": (4, 8)}, measure)
    again = kept(tmp_path, "a b", {"crops": [4, 8]}, measure)
    assert repr(first) == repr(again) and len(measured) == 1


def test_other_settings_are_measured_beside_them(tmp_path, measure, measured):
    for crops in (4, 8, 4, 8):
        kept(tmp_path, "a", {"crops": crops}, measure)
    assert len(measured) == 2 and len(list(tmp_path.iterdir())) == 2


def test_a_damaged_file_is_measured_again(tmp_path, measure, measured):
    kept(tmp_path, "a", {}, measure)
    (path,) = tmp_path.iterdir()
    whole = path.read_text()
    for damaged in (whole[:40], "[]", "{}"):
        path.write_text(damaged)
        assert kept(tmp_path, "a", {}, measure)["values"][0] == 0.5
    assert len(measured) == 4


def test_what_is_stopped_leaves_nothing(tmp_path):
    def stopped():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        kept(tmp_path, "a", {}, stopped)
    assert not list(tmp_path.iterdir())


def test_what_other_code_measured_is_measured_again(tmp_path, measure, measured):
    for code in ({"a": "1"}, {"a": "1"}, {"a": "2"}, {"a": "2"}):
        kept(tmp_path, "a", {}, measure, code=code)
    assert len(measured) == 2
    (path,) = tmp_path.iterdir()
    record = json.loads(path.read_text())
    del record["code"]  # as files were before they said it
    path.write_text(json.dumps(record))
    kept(tmp_path, "a", {}, measure, code={"a": "3"})
    assert len(measured) == 2
