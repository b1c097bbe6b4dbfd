"""How a model card tells what changes of photos cost."""

import pandas as pd

from fercomp.core.tables import ROBUSTNESS
from fercomp.modeling.bundle.robustness import robustness_section, sentence_of_losses

ROWS = (
    ("unchanged", 0, 0.6),
    ("blur", 0.01, 0.6),
    ("blur", 0.02, 0.5),
    ("jpeg", 25, 0.62),
    ("roll", 40, 0.3),
)


def measured():
    frame = pd.DataFrame(ROWS, columns=["change", "strength", "accuracy"])
    low, high = frame["accuracy"] - 0.05, frame["accuracy"] + 0.05
    return frame.assign(n=1200, macro_f1=0.4, accuracy_low=low, accuracy_high=high)


def test_the_largest_losses_come_first():
    assert sentence_of_losses(measured()) == (
        "Accuracy is 0.600 on 1,200 photos as they are, and at the worst -0.300 with roll (40 degrees), "
        "-0.100 with blur (sigma 0.02 of the side), +0.020 with jpeg (quality 25)."
    )
    assert sentence_of_losses(measured(), most=1).endswith("at the worst -0.300 with roll (40 degrees).")
    assert sentence_of_losses(measured()[:1]) == "Accuracy is 0.600 on 1,200 photos as they are."


def test_the_section_has_a_row_of_each(tmp_path):
    assert robustness_section(tmp_path, has_learned_them=False) == ""
    ROBUSTNESS.write(measured(), tmp_path / "robustness.csv")
    section = robustness_section(tmp_path, has_learned_them=False)
    assert section.startswith("\n## Robustness\n\nAccuracy is 0.600 on 1,200 photos")
    assert "| unchanged |  | 0.600 | 0.550 to 0.650 | +0.000 | 0.400 |" in section
    assert "| roll | 40 degrees | 0.300 | 0.250 to 0.350 | -0.300 | 0.400 |" in section
    assert section.count("\n| ") == 1 + len(ROWS)
    assert "only the differences count" not in section
    assert "only the differences count" in robustness_section(tmp_path, has_learned_them=True)
