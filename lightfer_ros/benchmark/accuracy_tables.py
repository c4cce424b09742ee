"""The paper's Tables 1 and 2, what is recognised: its figures, and ours on a data set that is here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from lightfer_ros.benchmark.model_files import ModelFile
from lightfer_ros.benchmark.paper_tables import TABLE_1, TABLE_2
from lightfer_ros.benchmark.table_row import HERE, PAPER, TableRow
from lightfer_ros.errors import LightferError
from lightfer_ros.evaluation.evaluate import evaluate
from lightfer_ros.evaluation.metrics import Scores
from lightfer_ros.evaluation.readers import read_faces
from lightfer_ros.model import EMOTIONS
from lightfer_ros.runtimes import RuntimeOptions, load

TRAINING = "Training"
TABLE_1_DIGITS = dict.fromkeys(EMOTIONS, 3)
TABLE_2_DIGITS = {"train %": 2, "test %": 2, "low %": 1, "high %": 1}


def table_1(file: ModelFile, data: Path, split: str | None, threads: int) -> Iterator[TableRow]:
    """Of each true class the share that was called each class: the paper's row, then ours.

    Raises what loading the model or the data raises.
    """
    scores = _score(file, data, split, threads)
    for index, name in enumerate(EMOTIONS):
        yield TableRow(name, PAPER, _by_class(TABLE_1[name]))
        row = scores.confusion[index]
        shares = _by_class(row / row.sum()) if row.sum() else {}
        yield TableRow(name, HERE, shares, f"{row.sum()} faces of {data.name} {split or ''}".strip())


def table_2(
    files: Sequence[ModelFile], data: Path, split: str | None, with_training: bool, threads: int
) -> Iterator[TableRow]:
    """Accuracy: the paper's rows, then each of our files; low and high are the 95 % interval of `test %`.

    with_training: also score the split named Training, eight times as many faces.
    """
    for name, (train, test) in TABLE_2.items():
        note = "" if name == "Light-FER" else "cited by the paper"
        yield TableRow(name, PAPER, {"train %": train, "test %": test}, note)
    for file in files:
        name = f"{file.network} {file.metadata.precision} {file.metadata.format}"
        try:
            scores = _score(file, data, split, threads)
            train = _score(file, data, TRAINING, threads).accuracy if with_training else None
        except LightferError as error:
            yield TableRow(name, HERE, error=str(error))
            continue
        low, high = scores.accuracy_interval
        values = {
            "train %": None if train is None else 100 * train,
            "test %": 100 * scores.accuracy,
            "low %": 100 * low,
            "high %": 100 * high,
        }
        yield TableRow(name, HERE, values, f"{scores.images} faces of {data.name} {split or ''}".strip())


def _score(file: ModelFile, data: Path, split: str | None, threads: int) -> Scores:
    faces = read_faces(data, split, file.metadata.input_size)
    with load(file.path, RuntimeOptions(threads=threads)) as session:
        return evaluate(session, faces, data.name).scores


def _by_class(shares: Sequence[float]) -> dict[str, float | None]:
    return {name: float(shares[index]) for index, name in enumerate(EMOTIONS)}
