"""The checks of `lightfer doctor`, area by area; each says what it found and, where it can, the cure."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Dict, List, Optional, Tuple

from lightfer_ros.errors import LightferError

SMALL_SHARED_MEMORY = 256 << 20
"""Free bytes below which /dev/shm is called small. Our Fast DDS profile gives each process 16 MB of it, a
container has 64 MB in all unless it is told otherwise."""


class State:
    """How a check came out, as it is printed."""

    OK = "OK"
    WARN = "WARN"
    MISSING = "MISSING"


@dataclass(frozen=True)
class Check:
    """One finding. `needed` says that the node cannot run where it is MISSING."""

    name: str
    state: str
    text: str
    cure: str = ""
    needed: bool = False

    @property
    def stops_the_node(self) -> bool:
        """Whether the node cannot run because of this."""
        return self.needed and self.state == State.MISSING


def machine() -> List[Check]:
    """Python, processor, memory, and the shared memory that images travel through."""
    name = _board() or platform.node()
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    text = f"{name}, {platform.machine()}, {os.cpu_count()} cores, {pages / 2**30:.1f} GB, "
    text += f"Python {platform.python_version()}"
    return [Check("machine", State.OK, text), _shared_memory()]


def _shared_memory(folder: str = "/dev/shm") -> Check:
    try:
        size = os.statvfs(folder)
    except OSError as error:
        return Check("shared memory", State.WARN, f"{folder}: {error.strerror}", "images will travel by UDP")
    total, free = size.f_blocks * size.f_frsize, size.f_bavail * size.f_frsize
    text = f"{free / 2**20:.0f} of {total / 2**20:.0f} MB free in {folder}"
    if free < SMALL_SHARED_MEMORY:
        return Check("shared memory", State.WARN, text, "in a container: docker run --shm-size=512m …")
    return Check("shared memory", State.OK, text)


def ros() -> List[Check]:
    """ROS 2, our messages, and the middleware's profile for large images."""
    # In a process of its own: only the nodes' room imports rclpy, and a broken overlay can crash at import.
    found, complaint = _import_elsewhere("rclpy, sensor_msgs.msg, diagnostic_msgs.msg")
    if not found:
        cure = "source /opt/ros/<distribution>/setup.bash, or `make setup`"
        return [Check("ROS 2", State.MISSING, complaint, cure, needed=True)]
    distribution = os.environ.get("ROS_DISTRO") or _ros_from_wheels() or "unknown"
    middleware = os.environ.get("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp")
    checks = [Check("ROS 2", State.OK, f"{distribution}, {middleware}")]
    found, complaint = _import_elsewhere("lightfer_msgs.msg")
    if found:
        checks.append(Check("lightfer_msgs", State.OK, "built"))
    else:
        cure = "`make setup` in the source tree; in a workspace, build it and source install/setup.bash"
        checks.append(Check("lightfer_msgs", State.MISSING, complaint, cure, needed=True))
    if "fastrtps" in middleware:
        checks.append(_fastdds_profile())
    return checks


def _fastdds_profile() -> Check:
    names = ("FASTDDS_DEFAULT_PROFILES_FILE", "FASTRTPS_DEFAULT_PROFILES_FILE")
    path = next((os.environ[name] for name in names if os.environ.get(name)), None)
    if path is None:
        text = "none set: best-effort images larger than 0.5 MB will get lost"
        cure = "the launch files set it; otherwise export FASTRTPS_DEFAULT_PROFILES_FILE (docs/fastdds.md)"
        return Check("Fast DDS profile", State.WARN, text, cure)
    if not Path(path).is_file():
        return Check("Fast DDS profile", State.WARN, f"{path} does not exist", "set it to config/fastdds.xml")
    return Check("Fast DDS profile", State.OK, path)


def cameras() -> List[Check]:
    """Video devices, and on a Jetson whether this OpenCV can open a CSI camera."""
    checks = []
    for device in sorted(Path("/dev").glob("video*")):
        label = Path("/sys/class/video4linux") / device.name / "name"
        name = label.read_text().strip() if label.is_file() else "unnamed"
        if os.access(device, os.R_OK | os.W_OK):
            checks.append(Check(f"camera {device}", State.OK, name))
        else:
            checks.append(
                Check(
                    f"camera {device}", State.WARN, f"{name}: no permission", "sudo usermod -aG video $USER"
                )
            )
    if not checks:
        cure = "the sample, a file or another machine's topic will do"
        checks.append(Check("camera", State.WARN, "no /dev/video*", cure))
    if _is_jetson():
        _, build = _import_elsewhere("cv2", "cv2.getBuildInformation()")
        if not re.search(r"GStreamer:\s+YES", build):
            cure = "take JetPack's or apt's OpenCV: pip uninstall opencv-python-headless"
            checks.append(Check("CSI camera", State.WARN, "this OpenCV has no GStreamer", cure))
    return checks


def libraries() -> List[Check]:
    """The libraries of the core, and the known clashes between them."""
    installed = _installed()
    checks = []
    for module, what, cure in (
        ("numpy", "NumPy", "pip install numpy"),
        ("cv2", "OpenCV", "pip install opencv-python-headless, or apt install python3-opencv"),
        ("dlib", "dlib", "pip install dlib-bin"),
    ):
        found, text = _import_elsewhere(module, f"{module}.__version__, {module}.__path__[0]")
        checks.append(
            Check(what, State.OK if found else State.MISSING, text, "" if found else cure, needed=True)
        )
    opencvs = sorted(name for name in installed if name.startswith("opencv-"))
    debian = Path("/usr/lib/python3/dist-packages")
    if opencvs and str(debian) in sys.path and any(debian.glob("cv2*")):
        opencvs.append("apt's python3-opencv")
    if len(opencvs) > 1:
        text = f"{' and '.join(opencvs)} hide each other"
        checks.append(Check("OpenCV twice", State.WARN, text, "keep one: pip uninstall the others"))
    if "onnxruntime" in installed and "onnxruntime-gpu" in installed:
        text = "onnxruntime and onnxruntime-gpu overwrite each other's files"
        cure = "pip uninstall -y onnxruntime onnxruntime-gpu, then install the one you want"
        checks.append(Check("ONNX Runtime twice", State.WARN, text, cure))
    if find_spec("cv_bridge") is not None:
        found, text = _import_elsewhere("cv_bridge.boost.cv_bridge_boost")
        if not found:
            cure = "it was built for NumPy 1: pip install 'numpy<2'; we need it for rare encodings only"
            checks.append(Check("cv_bridge", State.WARN, text, cure))
    return checks


def runtimes() -> List[Check]:
    """Every runtime: can it be imported, and on what would it run the default model."""
    from lightfer_ros.model.manifest import find
    from lightfer_ros.model.metadata import read_metadata
    from lightfer_ros.runtimes import RuntimeOptions, load
    from lightfer_ros.runtimes import runtimes as registered

    checks = []
    try:
        path = find("default")
        metadata = read_metadata(path)
    except LightferError as error:
        return [Check("runtimes", State.MISSING, f"not tried: {error}", needed=True)]
    for runtime in registered():
        try:
            providers = runtime.session_class().providers(metadata, RuntimeOptions(runtime=runtime.name))
        except LightferError as error:
            checks.append(Check(f"runtime {runtime.name}", State.WARN, str(error)))
        else:
            checks.append(Check(f"runtime {runtime.name}", State.OK, ", ".join(providers) or "no provider"))
    try:
        with load(path) as session:
            text = f"{metadata.name} runs in {session.runtime} on {session.provider}"
            passed_over = session.passed_over
        checks.append(Check("inference", State.OK, text))
        warned_of = {check.name for check in checks if check.state == State.WARN}
        for name, reason in passed_over:
            if f"runtime {name.split()[0]}" not in warned_of:
                checks.append(Check(f"passed over {name}", State.WARN, reason))
    except LightferError as error:
        checks.append(Check("inference", State.MISSING, str(error), needed=True))
    return checks


def models() -> List[Check]:
    """The files of the manifest that the node reads."""
    from lightfer_ros.model.manifest import find, read_manifest, verify

    manifest = read_manifest()
    checks = []
    for name, needed in (
        ("default", True),
        ("shape_predictor_68", True),
        ("yunet", False),
        ("face_mesh_192", False),
        ("sample", False),
    ):
        asset = manifest[name]
        try:
            path = find(name)
            verify(path, asset)
        except LightferError as error:
            checks.append(Check(f"{asset.kind} {asset.name}", State.MISSING, str(error), needed=needed))
        else:
            checks.append(Check(f"{asset.kind} {asset.name}", State.OK, f"verified, {path}"))
    return checks


def _import_elsewhere(modules: str, told: str = "") -> Tuple[bool, str]:
    """Import modules in a fresh Python: True and what it tells, or False and its last complaint."""
    code = f"import {modules}; print({told})"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    if result.returncode == 0:
        return True, result.stdout.strip()
    lines = result.stderr.strip().splitlines() or [f"{modules}: Python ended with {result.returncode}"]
    return False, lines[-1]


def _installed() -> Dict[str, str]:
    """Installed Python distributions and their versions, names in lower case."""
    from importlib.metadata import distributions

    pairs: List[Tuple[Optional[str], str]] = [(d.metadata["Name"], d.version) for d in distributions()]
    return {name.lower(): version for name, version in pairs if name}


def _board() -> str:
    """The name that a board such as a Jetson gives itself; empty elsewhere."""
    model = Path("/proc/device-tree/model")
    return model.read_text(errors="replace").strip("\0 \n") if model.is_file() else ""


def _is_jetson() -> bool:
    return "jetson" in _board().lower()


def _ros_from_wheels() -> str:
    for name in _installed():
        if name.startswith("ros-") and name.endswith("-rclpy") and name.count("-") == 2:
            return f"{name.split('-')[1]} from wheels"
    return ""
