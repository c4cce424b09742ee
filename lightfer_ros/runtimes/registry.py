"""The runtimes there are, and the choice of the one that runs a model on this machine."""

from __future__ import annotations

import importlib
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple, Type, Union

from lightfer_ros.errors import ConfigurationError, ModelError, RuntimeUnavailableError
from lightfer_ros.model.metadata import ModelMetadata, read_metadata
from lightfer_ros.runtimes.agreement import BOUNDS, largest_difference
from lightfer_ros.runtimes.options import RuntimeOptions
from lightfer_ros.runtimes.session import Session

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Runtime:
    """One engine: its name, the model formats it reads, where its Session class is, how to install it.

    target: "package.module:Class", imported when first used. reference_provider: the one whose answers every
    other engine for these formats must give; empty when this runtime has none.
    """

    name: str
    target: str
    formats: Tuple[str, ...]
    install: str
    reference_provider: str = ""

    def session_class(self) -> Type[Session]:
        """Import the engine. Raises RuntimeUnavailableError with the reason where that fails."""
        module, _, name = self.target.partition(":")
        try:
            return getattr(importlib.import_module(module), name)  # type: ignore[no-any-return]
        except Exception as error:  # a vendor's broken library may raise anything at import
            raise RuntimeUnavailableError(
                f"{self.name} cannot be imported ({type(error).__name__}: {error}); {self.install}"
            ) from error


_RUNTIMES: Dict[str, Runtime] = {}


def register(runtime: Runtime) -> None:
    """Add a runtime. Those registered first are preferred by "auto"."""
    _RUNTIMES[runtime.name] = runtime


def runtimes() -> Tuple[Runtime, ...]:
    """All registered runtimes, in the order in which "auto" prefers them. Imports none of them."""
    return tuple(_RUNTIMES.values())


register(
    Runtime(
        "tensorrt",
        "lightfer_ros.runtimes.tensorrt:TensorRtSession",
        ("onnx",),
        "comes with JetPack, or from NVIDIA; needs pycuda as well",
    )
)
register(
    Runtime(
        "onnxruntime",
        "lightfer_ros.runtimes.onnxruntime:OnnxRuntimeSession",
        ("onnx",),
        "pip install onnxruntime (onnxruntime-gpu with an NVIDIA GPU)",
        reference_provider="CPUExecutionProvider",
    )
)
register(
    Runtime(
        "litert",
        "lightfer_ros.runtimes.litert:LiteRtSession",
        ("litert",),
        "pip install ai-edge-litert",
        reference_provider="CPU",
    )
)


def load(
    path: Union[str, Path],
    options: Optional[RuntimeOptions] = None,
    metadata: Optional[ModelMetadata] = None,
) -> Session:
    """Open a model file on the best engine that works here, warmed up and proven.

    metadata: what the file is, for one that has no record beside it; its hash is not checked then.
    An engine other than the CPU reference must first give the reference's answers on a fixed input. What was
    preferred and could not be used is logged and kept in the session's `passed_over`.
    Raises ModelError when the metadata is wrong, or when nothing allowed works and an engine cannot read the
    file; ConfigurationError for an unknown runtime, RuntimeUnavailableError with every reason when nothing
    allowed works here.
    """
    path, options = Path(path), options or RuntimeOptions()
    if options.runtime != "auto" and options.runtime not in _RUNTIMES:
        raise ConfigurationError(f"runtime is {options.runtime!r}, expected auto, {', '.join(_RUNTIMES)}")
    metadata = metadata or read_metadata(path)
    if not any(metadata.format in runtime.formats for runtime in runtimes()):
        raise ModelError(f"no runtime reads {metadata.format} files such as {path}")
    passed_over: List[Tuple[str, str]] = []
    unreadable: Optional[ModelError] = None
    for runtime, provider in _candidates(metadata, options, passed_over):
        try:
            session = _open(path, metadata, options, runtime, provider)
        except (ModelError, RuntimeUnavailableError) as error:
            # to an old engine a good file of a newer opset is unreadable: another may read it
            if isinstance(error, ModelError):
                unreadable = unreadable or error
            passed_over.append((f"{runtime.name} {provider}", str(error)))
            continue
        session.passed_over = tuple(passed_over)
        named = options.runtime != "auto" or options.providers
        for candidate, reason in passed_over:
            _log.log(logging.WARNING if named else logging.INFO, "%s passed over: %s", candidate, reason)
        _log.debug("%s runs in %s on %s", metadata.name, session.runtime, session.provider)
        return session
    if unreadable is not None:
        raise unreadable
    reasons = "; ".join(f"{candidate}: {reason}" for candidate, reason in passed_over)
    raise RuntimeUnavailableError(f"no runtime can run {path} here: {reasons}")


Candidate = Tuple[Runtime, str]


def _candidates(
    metadata: ModelMetadata, options: RuntimeOptions, passed_over: List[Tuple[str, str]]
) -> Iterator[Candidate]:
    """What to try, in order: first what the options name, then, if allowed, the rest."""
    named = [r for r in runtimes() if options.runtime in ("auto", r.name)]
    first = _offers(named, metadata, options, passed_over)
    order = first
    if options.providers:
        there = [provider for _, provider in first]
        for provider in options.providers:
            if provider not in there:
                passed_over.append((provider, f"not built in here; there are: {', '.join(there) or 'none'}"))
        order = [offer for provider in options.providers for offer in first if offer[1] == provider]
    yield from order
    if options.allow_fallback:
        yield from (offer for offer in first if offer not in order)
        yield from _offers([r for r in runtimes() if r not in named], metadata, options, passed_over)


def _offers(
    candidates: List[Runtime],
    metadata: ModelMetadata,
    options: RuntimeOptions,
    passed_over: List[Tuple[str, str]],
) -> List[Candidate]:
    offers: List[Candidate] = []
    for runtime in candidates:
        if metadata.format not in runtime.formats:
            if runtime.name == options.runtime:
                passed_over.append(
                    (runtime.name, f"reads {', '.join(runtime.formats)}, not {metadata.format}")
                )
            continue
        try:
            offers += [(runtime, name) for name in runtime.session_class().providers(metadata, options)]
        except RuntimeUnavailableError as error:
            passed_over.append((runtime.name, str(error)))
    return offers


def _open(
    path: Path, metadata: ModelMetadata, options: RuntimeOptions, runtime: Runtime, provider: str
) -> Session:
    session = runtime.session_class()(path, metadata, options, provider)
    try:
        session.warm_up()
        if provider != runtime.reference_provider:
            _prove(session, path, options)
    except BaseException:
        session.close()
        raise
    return session


def _prove(session: Session, path: Path, options: RuntimeOptions) -> None:
    """Compare with the plain CPU answer. Raises RuntimeUnavailableError when they differ too much."""
    metadata = session.metadata
    for runtime in runtimes():
        if not runtime.reference_provider or metadata.format not in runtime.formats:
            continue
        try:
            reference = runtime.session_class()(path, metadata, options, runtime.reference_provider)
        except (ModelError, RuntimeUnavailableError) as error:
            _log.info("%s is not compared with a CPU: %s", session.runtime, error)
            continue
        with reference:
            difference = largest_difference(session, reference)
        bound = BOUNDS[session.arithmetic]
        if difference > bound:
            raise RuntimeUnavailableError(
                f"its probabilities differ from the CPU's by {difference:.3f}, expected at most {bound:g}"
            )
        return
