"""Gives other processes the stand-ins of TensorRT and pycuda; a test may hold, fail or spoil their builds."""

from __future__ import annotations

import os
from pathlib import Path

VERSION = "10.3.0"

# Python imports this by itself at start.
SITECUSTOMIZE = """
import ctypes, importlib, os, sys, threading, types
package = types.ModuleType("stand_ins")
package.__path__ = [{folder!r}]
sys.modules["stand_ins"] = package
gpu = importlib.import_module("stand_ins.fake_pycuda").FakeGpu()
trt = importlib.import_module("stand_ins.fake_tensorrt").fake_tensorrt({version!r}, gpu)
pycuda = types.ModuleType("pycuda")
pycuda.driver = gpu.driver
sys.modules.update({{"pycuda": pycuda, "pycuda.driver": gpu.driver, "tensorrt": trt}})

def tell(inside):
    inside.wait()
    with open(os.environ["BUILDING"], "w") as told:  # a FIFO: returns when the test listens
        told.write(str(os.getpid()))

def hang():
    lock, library, inside = ctypes.create_string_buffer(64), ctypes.CDLL(None), threading.Event()
    library.pthread_mutex_lock(lock)
    threading.Thread(target=tell, args=[inside], daemon=True).start()
    sys.setswitchinterval(60)  # the thread that tells runs only once this one is inside the call
    inside.set()
    library.pthread_mutex_lock(lock)  # like the vendor's: in C, endless, deaf to Python's signal handlers

def wait_for_the_gate():
    with open(os.environ["GATE"]) as gate:  # a FIFO: returns when the test opens it
        gate.read()

if "BUILDING" in os.environ:
    trt.faults.during_build = hang
if "GATE" in os.environ:
    trt.faults.during_build = wait_for_the_gate
trt.faults.wrong_answers = "WRONG_ANSWERS" in os.environ
"""


def path_with_stand_ins(folder: Path) -> str:
    """A PYTHONPATH under which every Python finds the stand-ins; `folder` is made for it.

    Environment variables decide how builds go. BUILDING names a FIFO to which a build writes its process id
    and then hangs; GATE names one for whose end a build waits; WRONG_ANSWERS makes engines answer wrongly.
    """
    folder.mkdir()
    text = SITECUSTOMIZE.format(folder=str(Path(__file__).parent), version=VERSION)
    (folder / "sitecustomize.py").write_text(text)
    paths = [str(folder), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    return os.pathsep.join(filter(None, paths))
