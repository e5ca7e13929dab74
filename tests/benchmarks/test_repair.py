"""The benchmark of repairs, with a few lines."""

from benchmarks import repair
from benchmarks.contest.machine import opening
from benchmarks.contest.records import Repairs
from benchmarks.questions.ui_strings import ui_strings
from benchmarks.report.markdown import filled
from mtcli.checking.spans import protected_spans
from mtcli.decoding.translator import Translator


def test_made_up_strings_are_the_same_each_time_and_differ() -> None:
    found = ui_strings(60, 1)
    assert found == ui_strings(60, 1) != ui_strings(60, 2)
    assert len(set(found)) == 60
    assert found == ui_strings(80, 1)[:60]
    assert not [text for text in found if "⟨" in text or "…" in text]
    assert sum(bool(protected_spans(text)) for text in found) > 50
    assert any(text.isupper() for text in found)


def test_what_is_measured_is_recorded() -> None:
    translator = Translator()
    row = repair.measured(translator, "a", ["Open %s now.", "I am here."], ["Öffne jetzt %s.", "Ich bin hier."])
    assert (row.lines, row.faulty_before, row.faulty_after, row.repaired) == (2, 1, 0, 1)
    assert row.faults_before == {"placeholder": 1} and row.steps == {"around": 1}
    assert row.bleu_before is not None and row.bleu_after is not None
    other = repair.measured(translator, "b", ["I am here."], None)
    assert (other.bleu_before, other.faults_before) == (None, {})
    result = Repairs(**opening("Repairs", "x"), corpora=[row, other], beam=4)
    table = filled("repair", result=result)
    assert "| | a: plain | repaired | b: plain | repaired |" in table
    assert "| `placeholder` | 1 | 0 | 0 | 0 |" in table
    assert "| `around` | 1 | 0 |" in table
