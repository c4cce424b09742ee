"""One cell of the classifier's table, measured in this process: `python -m` this module, JSON in, JSON out.

The process imports NumPy and the one engine, nothing else, so that its peak memory is theirs.
"""

# Worth most on a robot, so it stays importable on Python 3.8.
from __future__ import annotations

import json
import math
import os
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lightfer_ros.benchmark.machine import ProcessLoad
from lightfer_ros.errors import LightferError, RuntimeUnavailableError
from lightfer_ros.runtimes import RuntimeOptions, Session, load

WARM_UP_RUNS, WARM_UP_S = 5, 0.2
FEWEST_RUNS = 100
"""A 99th percentile of fewer is a guess."""
TIGHT = 0.02
"""The 95 % interval of the median may reach this share of it to either side."""


class EngineUnavailableError(RuntimeUnavailableError):
    """The engine does not open this file here at all, whatever the batch within `largest_batch`."""


@dataclass(frozen=True)
class Timing:
    """Times of one batch, milliseconds. interval: half of the median's 95 % interval, as a share of it.

    cpu_ms: processor time of all threads; far below `p50_ms` · threads, others were at work here.
    """

    p50_ms: float
    p99_ms: float
    cpu_ms: float
    interval: float
    runs: int


def main() -> int:
    """Measure what standard input asks for; 0 with the result, 1 with an error, both as JSON on stdout."""
    asked = json.load(sys.stdin)
    try:
        result = measure(asked)
    except LightferError as error:
        unavailable = isinstance(error, EngineUnavailableError)
        print(json.dumps({"error": str(error), "unavailable": unavailable}))
        return 1
    print(json.dumps(result))
    return 0


def measure(asked: dict[str, Any]) -> dict[str, Any]:
    """Load, classify by one look each (whatever the metadata says of mirror images), count.

    asked: `path` of the model file, `runtime`, `threads`, `batch`, `seconds` that the runs may take, `faces`
    (a .npy file, float32 [n, h, w, c]), `labels` (a .npy file, int [n], the reference's; may be absent), and
    `answers`, where to write the probabilities as .npy instead of timing. Raises EngineUnavailableError where
    `load` finds no engine, another LightferError where this cell alone fails.
    """
    faces = np.load(asked["faces"], mmap_mode="r")
    count = asked["batch"]
    batch = np.resize(faces[:count], (count, *faces.shape[1:]))
    register_extra(asked.get("extra", ()))
    options = RuntimeOptions(
        runtime=asked["runtime"],
        threads=asked["threads"],
        allow_fallback=False,
        max_batch=largest_batch(count),
    )
    start = time.perf_counter()
    with _open(Path(asked["path"]), options) as session:
        session.look(batch)
        load_s = time.perf_counter() - start
        if "answers" in asked:
            np.save(asked["answers"], session.look(np.ascontiguousarray(faces)))
            return {"provider": session.provider}
        timing = time_batch(session, batch, asked["seconds"])
        load_of_process = ProcessLoad.of(os.getpid())  # before the rest of the faces is touched
        agreement = None
        if asked.get("labels"):
            labels = np.load(asked["labels"])
            parts = [session.look(np.array(faces[i : i + count])) for i in range(0, len(faces), count)]
            agreement = float((np.concatenate(parts).argmax(axis=1) == labels).mean())
        return {
            "provider": session.provider,
            "arithmetic": session.arithmetic,
            "load_s": load_s,
            "peak_rss_mb": load_of_process.peak_memory_mb,
            "agreement": agreement,
            **asdict(timing),
        }


def largest_batch(batch: int) -> int:
    """The largest batch that a session for batches of this size is opened for; a GPU engine depends on it."""
    return max(RuntimeOptions().max_batch, batch)


def time_batch(session: Session, batch: np.ndarray, seconds: float) -> Timing:
    """Run one batch again and again until its median is known to 2 %, or for so many seconds."""
    end = time.perf_counter() + WARM_UP_S
    warm = 0
    while warm < WARM_UP_RUNS or time.perf_counter() < end:
        session.look(batch)
        warm += 1
    times: list[float] = []
    began, cpu = time.perf_counter(), 0.0
    while True:
        cpu_start = time.process_time()
        for _ in range(10):
            start = time.perf_counter()
            session.look(batch)
            times.append(time.perf_counter() - start)
        cpu += time.process_time() - cpu_start
        spent = time.perf_counter() - began
        if spent >= seconds or (len(times) >= FEWEST_RUNS and interval_of_median(times) <= TIGHT):
            break
    p50, p99 = _quantiles(np.sort(times), (0.5, 0.99))
    return Timing(
        p50_ms=1000.0 * float(p50),
        p99_ms=1000.0 * float(p99),
        cpu_ms=1000.0 * cpu / len(times),
        interval=interval_of_median(times),
        runs=len(times),
    )


def interval_of_median(times: list[float]) -> float:
    """Half the width of the median's 95 % interval, as a share of the median; infinite for fewer than 6.

    Order statistics, which ask nothing of the distribution: the binomial's normal approximation, Conover,
    Practical Nonparametric Statistics (1999), 3.2.
    """
    n = len(times)
    if n < 6:
        return math.inf
    ordered = np.sort(times)
    reach = 0.98 * math.sqrt(n)  # 1.96 · √(n · ½ · ½)
    low, high = ordered[max(0, math.floor(n / 2 - reach))], ordered[min(n - 1, math.ceil(n / 2 + reach))]
    return float((high - low) / 2 / _quantiles(ordered, 0.5))


def _quantiles(ordered: np.ndarray, shares: Any) -> Any:
    """What np.quantile says of sorted numbers; that imports numpy.ma, 3 MB which are not the engine's."""
    return np.interp(np.multiply(shares, len(ordered) - 1), np.arange(len(ordered)), ordered)


def register_extra(targets: Any) -> None:
    """Register runtimes that are the benchmark's alone, each by the name of its module."""
    from importlib import import_module

    for target in targets:
        import_module(target).register_runtime()


def _open(path: Path, options: RuntimeOptions) -> Session:
    try:
        return load(path, options)
    except RuntimeUnavailableError as error:
        raise EngineUnavailableError(str(error)) from error


if __name__ == "__main__":
    sys.exit(main())
