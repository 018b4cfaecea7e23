"""Last hidden states by ONNX Runtime."""

from collections.abc import Callable

import numpy
import settings

ONNX_ENGINES = ("onnx", "onnx-fused")


def onnx_states(model: str, engine: str) -> Callable[[numpy.ndarray, numpy.ndarray], list[numpy.ndarray]]:
    """What runs the exported encoder on ids and types of full rows; the engine is one of
    ONNX_ENGINES: the plain or the fused graph.
    """
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = settings.THREADS
    options.inter_op_num_threads = 1
    suffix = ".fused.onnx" if engine == "onnx-fused" else ".onnx"
    path = settings.MODELS / "onnx" / f"{model}{suffix}"
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])

    def run(ids: numpy.ndarray, types: numpy.ndarray) -> list[numpy.ndarray]:
        return session.run(None, {"input_ids": ids, "attention_mask": numpy.ones_like(ids), "token_type_ids": types})

    return run
