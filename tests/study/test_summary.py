"""What a terminal prints of a study, and what a program reads of it."""

from __future__ import annotations

import json

from opsin import terminal
from opsin.study import page
from opsin.study.summary import summary


def test_table_and_conclusion_are_printed(drawn, tmp_path, capsys):
    terminal.print_result(summary(drawn, tmp_path / "study.html"), "text")
    shown = capsys.readouterr().out
    lines = shown.splitlines()
    heads = ["setting", "mean", "sd", "95", "%", "best", "n", "seconds", "images/s"]
    assert lines[0].split() == heads
    assert lines[1].startswith("network3, rotation-elastic ") and len(lines[1].split()) == 9
    assert "The best mean is that of" in shown or "The best is" in shown
    assert f"report: {tmp_path / 'study.html'}" in shown


def test_table_fits_a_narrow_terminal(drawn):
    for width in (80, 120):
        rows = summary(drawn).table(width)
        wide = sum(max(len(key), *(len(row[key]) for row in rows)) + 2 for key in rows[0])
        assert wide <= width


def test_json_is_whole_and_has_no_nan(drawn, tmp_path, capsys):
    terminal.print_result(summary(drawn), "json")
    found = json.loads(capsys.readouterr().out, parse_constant=lambda word: 1 / 0)
    assert found["best"] == {"net": "network3", "augment": "rotation-elastic"}
    assert len(found["cells"]) == 12 and found["against_best"]["made"] == 66
    assert {"seeds", "pictures", "both"} <= set(found["against_best"]["differences"][0])
    assert found["ranks"]["blocks"] == 15 and found["conclusion"][0] == page.tell(drawn).lead
