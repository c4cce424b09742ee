"""Engines built on this machine, kept in a folder and found again by everything they depend on."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator, List, Optional

from lightfer_ros.errors import RuntimeUnavailableError

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EngineKey:
    """All that an engine depends on: with any other value it is another engine.

    model: the model's name, for people only. shapes: the largest input, "16x48x48x1".
    """

    model: str
    model_sha256: str
    tensorrt: str
    cuda: str
    gpu: str
    compute_capability: str
    precision: str
    shapes: str

    @property
    def digest(self) -> str:
        """SHA-256 over every field but the name."""
        fields = {**dataclasses.asdict(self), "model": ""}
        return hashlib.sha256(json.dumps(fields, sort_keys=True).encode()).hexdigest()


@dataclass(frozen=True)
class CachedEngine:
    """An engine in the cache. whole: its bytes are those that were written. size: bytes."""

    key: EngineKey
    path: Path
    size: int
    whole: bool


class EngineCache:
    """A folder of engines. Each has its key and its own hash in a JSON file beside it, written last."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: EngineKey) -> Path:
        """Where the engine of this key lies, if it is there."""
        return self.folder / f"{key.model}-{key.digest[:16]}.engine"

    def read(self, key: EngineKey) -> Optional[bytes]:
        """The engine's bytes, or None when it is absent, unreadable or not the one that was written.

        The hash is checked because TensorRT may crash on a damaged engine instead of refusing it.
        """
        try:
            record = json.loads(self._record(key).read_text(encoding="utf-8"))
            engine = self.path(key).read_bytes()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            _log.warning("engine %s cannot be read and counts as absent: %s", self.path(key), error)
            return None
        if not isinstance(record, dict) or record.get("sha256") != hashlib.sha256(engine).hexdigest():
            _log.warning("engine %s is damaged and counts as absent", self.path(key))
            return None
        return engine

    def write(self, key: EngineKey, engine: bytes) -> Path:
        """Keep an engine, whole or not at all; return its path. Call it inside `building`."""
        record = {**dataclasses.asdict(key), "sha256": hashlib.sha256(engine).hexdigest()}
        with self._refusal():
            _write(self.path(key), engine)
            _write(self._record(key), (json.dumps(record, indent=2) + "\n").encode())
        return self.path(key)

    def discard(self, key: EngineKey) -> bool:
        """Forget an engine; False for one in a read-only folder, which stays."""
        try:
            self._record(key).unlink()
        except FileNotFoundError:
            pass
        except OSError as error:
            _log.warning("engine %s is of no use and cannot be deleted: %s", self.path(key), error)
            return False
        return True

    def entries(self) -> List[CachedEngine]:
        """Every engine that has a record which can be read, by the name of its file."""
        found = []
        for record in sorted(self.folder.glob("*.engine.json")):
            path = record.with_suffix("")
            try:
                values = json.loads(record.read_text(encoding="utf-8"))
                sha256 = values.pop("sha256")
                key, engine = EngineKey(**values), path.read_bytes()
            except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
                _log.warning("%s is no record of an engine: %r", record, error)
                continue
            whole = hashlib.sha256(engine).hexdigest() == sha256
            found.append(CachedEngine(key, path, len(engine), whole))
        return found

    def remove(self, path: Path) -> bool:
        """Delete an engine, its record and what a killed build left of it; False while one is being built.

        Raises RuntimeUnavailableError when the folder cannot be written.
        """
        lock_path = path.with_suffix(".lock")
        with self._refusal(), lock_path.open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            # the record first: an engine without one counts as absent
            record = path.with_name(path.name + ".json")
            for file in (record, path, *(_partial(each) for each in (record, path)), lock_path):
                with contextlib.suppress(FileNotFoundError):
                    file.unlink()
        return True

    def files(self) -> List[Path]:
        """The path of every engine that is there, was begun or is being built, with or without a record."""
        endings = (".engine", ".lock", ".engine.partial", ".engine.json", ".engine.json.partial")
        names = {path.name[: -len(ending)] for ending in endings for path in self.folder.glob("*" + ending)}
        return [self.folder / f"{name}.engine" for name in sorted(names)]

    @contextlib.contextmanager
    def building(self, key: EngineKey) -> Iterator[None]:
        """Hold the only right to build this engine; a second process waits here until the first is done.

        Raises RuntimeUnavailableError before anything is built when the folder cannot be written.
        """
        with self._refusal():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = self.path(key).with_suffix(".lock").open("w")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _record(self, key: EngineKey) -> Path:
        path = self.path(key)
        return path.with_name(path.name + ".json")

    @contextlib.contextmanager
    def _refusal(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise RuntimeUnavailableError(
                f"engine cache {self.folder} cannot be written ({error.strerror or error}); "
                "choose another with engine_cache"
            ) from error


def _write(path: Path, content: bytes) -> None:
    partial = _partial(path)
    partial.write_bytes(content)
    os.replace(partial, path)


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")
