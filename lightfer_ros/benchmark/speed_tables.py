"""The paper's Tables 3 and 4, how fast and at what price: its figures, and ours on this machine."""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lightfer_ros.benchmark.architectures import ARCHITECTURES, model_file
from lightfer_ros.benchmark.model_files import ModelFile, how_to_export
from lightfer_ros.benchmark.paper_tables import TABLE_3, TABLE_4
from lightfer_ros.benchmark.pipeline_run import PipelineRow, measure
from lightfer_ros.benchmark.table_row import HERE, PAPER, TableRow
from lightfer_ros.errors import LightferError

TABLE_3_DIGITS = {"CPU %": 1, "memory %": 1, "FPS": 1, "CPU ms": 1}
TABLE_4_DIGITS = {"FPS": 2, "power mW": 0, "CPU GB": 3, "GPU GB": 3, "total GB": 3, "CPU ms": 1}


@dataclass(frozen=True)
class Cell:
    """One framework and format of Table 4: the engine, the file that it takes, its arithmetic."""

    framework: str
    format: str
    runtime: str
    file_format: str
    precisions: tuple[str, ...]
    """Of files that will do, the best first."""
    engine_precision: str = "fp16"
    export: str = ""
    """The kind of file to ask `lightfer export` for."""


CELLS = (
    Cell("Keras", "FP32", "keras", "keras", ("fp32",), export="keras"),
    Cell("TFLite", "FP32", "litert", "litert", ("fp32",), export="litert_fp32"),
    Cell("TFLite", "FP16", "litert", "litert", ("fp16",), export="litert_fp16"),
    Cell("TFLite", "INT8", "litert", "litert", ("int8",), export="litert_int8"),
    Cell("ONNX Runtime", "FP32", "onnxruntime", "onnx", ("fp32",), export="fp32"),
    Cell("ONNX Runtime", "FP16", "onnxruntime", "onnx", ("fp16",), export="fp16"),
    Cell("ONNX Runtime", "INT8", "onnxruntime", "onnx", ("int8",), export="int8"),
    Cell("TensorRT", "FP32", "tensorrt", "onnx", ("fp32", "fp16"), "fp32", export="fp32"),
    Cell("TensorRT", "FP16", "tensorrt", "onnx", ("fp16", "fp32"), "fp16", export="fp16"),
    Cell("TensorRT", "INT8", "tensorrt", "onnx", ("int8_trt",), export="int8_trt"),
)
"""The paper's seven rows, and INT8 where it has none."""


def table_3(files: Sequence[ModelFile], video: Path, frames: int, threads: int) -> Iterator[TableRow]:
    """The paper's rows; then its networks with random weights, and ours, through our pipeline."""
    for name, row in TABLE_3.items():
        values = {"CPU %": row.cpu_percent, "memory %": row.memory_percent, "FPS": float(row.fps)}
        yield TableRow(name, PAPER, values, "Core i5-10300H, 16 GB")
    for name in ARCHITECTURES:
        label = f"{name}, random weights"
        try:
            path = model_file(name)
        except LightferError as error:
            yield TableRow(label, HERE, error=str(error))
            continue
        settings = {"model": str(path), "threads": threads, "this_file": True}
        yield _pc_row(measure(label, video, settings=settings, frames=frames))
    for file in files:
        settings = {"model": str(file.path), "threads": threads, "this_file": True}
        label = f"{file.network} {file.metadata.precision} {file.metadata.format}"
        yield _pc_row(measure(label, video, settings=settings, frames=frames))


def table_4(files: Sequence[ModelFile], video: Path, frames: int, threads: int) -> Iterator[TableRow]:
    """Each framework × format: the paper's row, where it has one, then ours."""
    for cell in CELLS:
        name = f"{cell.framework} {cell.format}"
        paper = TABLE_4.get((cell.framework, cell.format))
        if paper is not None:
            values = {
                "FPS": paper.fps,
                "power mW": float(paper.power_mw),
                "CPU GB": paper.cpu_gb,
                "GPU GB": paper.gpu_gb,
                "total GB": paper.total_gb,
            }
            yield TableRow(name, PAPER, values, "Jetson Nano")
        file = _file_for(cell, files)
        if file is None:
            yield TableRow(name, HERE, error=f"no such file: {how_to_export(files, cell.export)}")
            continue
        settings = {
            "model": str(file.path),
            "threads": threads,
            "engine": cell.runtime,
            "engine_precision": cell.engine_precision,
        }
        yield _nano_row(measure(name, video, settings=settings, frames=frames))


def engine_files(files: Sequence[ModelFile]) -> Iterator[tuple[ModelFile, str]]:
    """The files that Table 4 wants as TensorRT engines, each with the engine's arithmetic."""
    for cell in CELLS:
        file = _file_for(cell, files)
        if cell.runtime == "tensorrt" and file is not None:
            yield file, cell.engine_precision


def _file_for(cell: Cell, files: Sequence[ModelFile]) -> ModelFile | None:
    for precision in cell.precisions:
        for file in files:
            if (file.metadata.format, file.metadata.precision) == (cell.file_format, precision):
                return file
    return None


def _pc_row(row: PipelineRow) -> TableRow:
    values = {
        "CPU %": row.machine_percent,
        "memory %": row.memory_percent,
        "FPS": row.fps,
        "CPU ms": row.cpu_ms,
    }
    return TableRow(row.name, HERE, values, f"{row.model} in {row.runtime}", row.error)


def _nano_row(row: PipelineRow) -> TableRow:
    on_cpu = None if row.memory_mb is None else row.memory_mb / 1000.0
    on_gpu = None if row.gpu_memory_mb is None else row.gpu_memory_mb / 1000.0
    values = {
        "FPS": row.fps,
        "power mW": row.power_mw,
        "CPU GB": on_cpu,
        "GPU GB": on_gpu,
        "total GB": None if on_cpu is None else on_cpu + (on_gpu or 0.0),
        "CPU ms": row.cpu_ms,
    }
    power = (row.power_of or "not measurable here") if row.power_mw is None else f"of {row.power_of}"
    return TableRow(row.name, HERE, values, f"{row.model} in {row.runtime}; power {power}", row.error)
