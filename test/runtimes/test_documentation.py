"""docs/runtimes.md says what is there, and its example works as it stands."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path

import numpy as np
import pytest

from lightfer_ros.errors import ModelError
from lightfer_ros.runtimes import RuntimeOptions, load, registry, runtimes

PAGE = (Path(__file__).parents[2] / "docs" / "runtimes.md").read_text(encoding="utf-8")


def test_the_page_names_every_runtime_and_every_option_with_its_default():
    for runtime in runtimes():
        assert f"| `{runtime.name}` |" in PAGE
    for option in dataclasses.fields(RuntimeOptions):
        assert f"| `{option.name}` |" in PAGE
        if option.default is not dataclasses.MISSING and option.name != "providers":
            row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{option.name}` |"))
            assert str(option.default).lower() in row.split("|")[2]


def test_the_runtime_of_the_page_runs_as_it_stands(tiny, tmp_path, monkeypatch):
    pytest.importorskip("cv2")
    runtime, registration = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "opencv_runtime.py").write_text(runtime)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "opencv_runtime", raising=False)
    monkeypatch.setattr(registry, "_RUNTIMES", dict(registry._RUNTIMES))
    exec(registration, {})
    options = RuntimeOptions("opencv", allow_fallback=False, max_batch=4)
    path, batch = tiny.save_as("onnx", "fp32", tmp_path), tiny.crops(7)
    with load(path, options) as session:
        assert (session.runtime, session.provider) == ("opencv", "CPU")
        np.testing.assert_allclose(session.run(batch), tiny.answer(batch), atol=1e-4)
        assert session.run(batch[:0]).shape == (0, 7)
    tiny.rewrite(path, b"no network")
    with pytest.raises(ModelError, match=re.escape(str(path))):
        load(path, options)
