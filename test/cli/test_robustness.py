"""`lightfer robustness` leaves a CSV and a plot, whole."""

import csv

import cv2
import numpy as np
import pytest

from lightfer_ros.cli.main import main
from lightfer_ros.evaluation.robustness import CHANGES
from lightfer_ros.model import EMOTIONS
from lightfer_ros.model.manifest import locate


def test_every_strength_has_its_row_and_the_plot_can_be_seen(tmp_path, capsys):
    if locate("default") is None:
        pytest.skip("the default classifier is not here: `lightfer fetch`")
    for i, name in enumerate(EMOTIONS):
        folder = tmp_path / "data" / "PublicTest" / name
        folder.mkdir(parents=True)
        cv2.imwrite(str(folder / "a.png"), np.full((48, 48), 30 * i, np.uint8))
    out = tmp_path / "out"
    options = ["--data", str(tmp_path / "data"), "--out", str(out), "--changes", "padding", "blur"]
    assert main(["robustness", *options]) == 0
    with (out / "robustness.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {r["change"] for r in rows} == {"padding", "blur"}
    assert len(rows) == len(CHANGES["padding"][1]) + len(CHANGES["blur"][1])
    assert all(float(r["low"]) <= float(r["accuracy"]) <= float(r["high"]) for r in rows)
    assert cv2.imread(str(out / "robustness.png")).std() > 10
    assert {path.name for path in out.iterdir()} == {"robustness.csv", "robustness.png"}
    assert "blur 3:" in capsys.readouterr().err
