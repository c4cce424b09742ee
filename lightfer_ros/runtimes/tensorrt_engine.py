"""Building a TensorRT engine from an ONNX model file, for the GPU of this machine."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Tuple

from lightfer_ros.errors import ModelError, RuntimeUnavailableError
from lightfer_ros.model.metadata import ModelMetadata, read_metadata
from lightfer_ros.runtimes.cuda import CudaContext, Gpu, find_gpu
from lightfer_ros.runtimes.engine_cache import EngineCache, EngineKey
from lightfer_ros.runtimes.options import RuntimeOptions
from lightfer_ros.runtimes.tensorrt_api import (
    Version,
    create_config,
    create_network,
    tensorrt_module,
    vendor_log,
    version_of,
    watch_progress,
)

_log = logging.getLogger(__name__)

_USUAL_FACES = 4
"""The batch that an engine is tuned for; smaller and larger ones run, a little less well."""


@dataclass(frozen=True)
class EnginePlan:
    """What is to be built for a model on this machine, before anything is."""

    metadata: ModelMetadata
    options: RuntimeOptions
    gpu: Gpu
    precision: str
    key: EngineKey

    @property
    def cache(self) -> EngineCache:
        """Where the engine lies or will lie."""
        return EngineCache(self.options.engine_cache)


def plan_engine(metadata: ModelMetadata, options: RuntimeOptions) -> EnginePlan:
    """Which engine a model needs here. Cheap; raises RuntimeUnavailableError when it cannot have one."""
    trt, gpu = tensorrt_module(), find_gpu(options.device)
    precision = _precision(metadata, options, gpu, version_of(trt))
    side, shapes = metadata.input_size, [options.max_batch]
    nchw = metadata.layout == "nchw"
    shapes += [metadata.channels, side, side] if nchw else [side, side, metadata.channels]
    key = EngineKey(
        model=metadata.name,
        model_sha256=metadata.sha256,
        tensorrt=trt.__version__,
        cuda=gpu.cuda,
        gpu=gpu.name,
        compute_capability="{}.{}".format(*gpu.compute_capability),
        precision=precision,
        shapes="x".join(str(side) for side in shapes),
    )
    return EnginePlan(metadata, options, gpu, precision, key)


def engine_wanted(model: Path, options: RuntimeOptions) -> bool:
    """Whether building an engine would let TensorRT run this model here: it could, and has none yet.

    Not where providers are named: they come first, and an engine would wait for nothing.
    """
    if options.runtime not in ("auto", "tensorrt") or options.providers:
        return False
    metadata = read_metadata(model)
    if metadata.format != "onnx":
        return False
    try:
        plan = plan_engine(metadata, options)
    except RuntimeUnavailableError:
        return False
    return plan.cache.read(plan.key) is None


def build_engine(
    model: Path,
    options: RuntimeOptions,
    report: Callable[[str], None] = _log.info,
    rebuild: bool = False,
) -> Path:
    """Build the engine of a model into the cache, unless it is there; return its path.

    Takes minutes to an hour and cannot be interrupted but by ending the process, so run it in one of its own:
    see engine_build. report: called with a line of text, from any thread, whenever there is news.
    Raises ModelError when the file is wrong, RuntimeUnavailableError when it cannot be built here.
    """
    plan = plan_engine(read_metadata(model), options)
    if not rebuild and plan.cache.read(plan.key) is not None:  # maybe in a cache that only can be read
        report("already built")
        return plan.cache.path(plan.key)
    with plan.cache.building(plan.key):
        if not rebuild and plan.cache.read(plan.key) is not None:
            report("already built by another process")
            return plan.cache.path(plan.key)
        report(f"TensorRT {plan.key.tensorrt} builds {plan.precision} for {plan.gpu.name}")
        with CudaContext(plan.gpu).active("building an engine"):
            engine = _build(model, plan, report)
        return plan.cache.write(plan.key, engine)


def _build(model: Path, plan: EnginePlan, report: Callable[[str], None]) -> bytes:
    """The serialized engine. A function of its own, so that all it made is gone before the context is."""
    trt = tensorrt_module()
    log = vendor_log(trt)
    builder = trt.Builder(log)
    network = create_network(trt, builder)
    parser = trt.OnnxParser(network, log)
    if not parser.parse(model.read_bytes()):
        reasons = "; ".join(str(parser.get_error(i)) for i in range(parser.num_errors))
        raise RuntimeUnavailableError(f"{model}: TensorRT {trt.__version__} cannot parse it: {reasons}")
    config = create_config(trt, builder, plan.precision, plan.options.engine_precision == "fp16")
    watch_progress(trt, config, report)
    name, shape = _only_input(trt, network, model, plan)
    if shape[0] == -1:
        most = plan.options.max_batch
        least, usual, largest = ((n, *shape[1:]) for n in (1, min(_USUAL_FACES, most), most))
        profile = builder.create_optimization_profile()
        profile.set_shape(name, least, usual, largest)
        config.add_optimization_profile(profile)
    engine = builder.build_serialized_network(network, config)
    if engine is None:
        raise RuntimeUnavailableError(f"{model}: TensorRT built no engine: {log.last_error}")
    return bytes(engine)


def _only_input(trt: Any, network: Any, model: Path, plan: EnginePlan) -> Tuple[str, Tuple[int, ...]]:
    if network.num_inputs != 1 or network.num_outputs != 1:
        raise ModelError(
            f"{model}: {network.num_inputs} inputs and {network.num_outputs} outputs, expected one of each"
        )
    tensor = network.get_input(0)
    shape, wanted = tuple(tensor.shape), [int(side) for side in plan.key.shapes.split("x")[1:]]
    if list(shape[1:]) != wanted or tensor.dtype != trt.DataType.FLOAT:
        raise ModelError(
            f"{model}: input is {tensor.dtype} {list(shape)}, expected FLOAT {['n', *wanted]} by its metadata"
        )
    if shape[0] not in (-1, 1):
        raise ModelError(f"{model}: batch is fixed at {shape[0]}, expected any or 1")
    return tensor.name, shape


def _precision(metadata: ModelMetadata, options: RuntimeOptions, gpu: Gpu, version: Version) -> str:
    """What the engine computes in. Raises RuntimeUnavailableError for files that cannot run here."""
    if metadata.precision not in ("fp32", "fp16", "int8_trt"):
        raise RuntimeUnavailableError(
            f"TensorRT takes float files and int8_trt (zero point 0), this one is {metadata.precision}"
        )
    if metadata.precision == "int8_trt" and not gpu.has_int8:
        sm = "{}.{}".format(*gpu.compute_capability)
        raise RuntimeUnavailableError(f"{gpu.name} (SM {sm}) has no INT8 arithmetic; take the float file")
    if version < (8, 4) and (metadata.opset or 0) > 13:
        raise RuntimeUnavailableError(
            f"TensorRT {version[0]}.{version[1]} reads opset 13 at most, this file has {metadata.opset}"
        )
    if version >= (11, 0) or metadata.precision == "int8_trt":
        return metadata.precision  # strong types: the file alone decides
    return options.engine_precision
