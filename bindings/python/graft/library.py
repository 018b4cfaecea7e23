"""Finds ``libgraft.so.1``, opens it, and declares its functions as ``graft.h`` does.

Looked for in this order: the file that the environment variable ``GRAFT_LIBRARY`` names; beside this module, where
an installed package has it; ``build/lib`` of the source tree around this module; wherever the system's loader looks.
"""

from __future__ import annotations

import os
from ctypes import (
    CDLL,
    CFUNCTYPE,
    POINTER,
    Structure,
    byref,
    c_char_p,
    c_float,
    c_int32,
    c_int64,
    c_size_t,
    c_uint64,
    c_void_p,
    sizeof,
)
from typing import Any, TypeVar

from .errors import GraftError, Status
from .structs import (
    EncodeOptions,
    FileStruct,
    GenerateOptions,
    HeadOptions,
    MetricsStruct,
    ModelOptions,
    SessionOptions,
    TrainerOptions,
)

NAME = "libgraft.so.1"

Handle = c_void_p
Texts = POINTER(c_char_p)
Floats = POINTER(c_float)
Ints = POINTER(c_int32)
Longs = POINTER(c_int64)
Out = POINTER(c_void_p)
Files = POINTER(FileStruct)

ProgressCallback = CFUNCTYPE(c_int32, c_void_p, POINTER(MetricsStruct))
TokenCallback = CFUNCTYPE(c_int32, c_void_p, c_int64, c_int32, c_void_p, c_int64)
FileCallback = CFUNCTYPE(c_int32, c_void_p, Files)


class StatusResult(c_int32):
    """The result type of functions that can fail; a subclass so that ctypes leaves the checking to us."""


#: Result and arguments of every function, in the order of the header.
SIGNATURES: dict[str, tuple[Any, ...]] = {
    "graft_version_number": (c_int32,),
    "graft_version_string": (c_char_p,),
    "graft_kernel_name": (c_char_p,),
    "graft_executor_name": (c_char_p,),
    "graft_status_name": (c_char_p, c_int32),
    "graft_last_error_message": (c_char_p,),
    "graft_set_executor": (StatusResult, c_char_p),
    "graft_cancel_token_create": (StatusResult, Out),
    "graft_cancel_token_cancel": (None, Handle),
    "graft_cancel_token_retain": (StatusResult, Handle),
    "graft_cancel_token_release": (None, Handle),
    "graft_model_options_init": (None, POINTER(ModelOptions), c_size_t),
    "graft_model_load": (StatusResult, c_char_p, POINTER(ModelOptions), Out),
    "graft_model_retain": (StatusResult, Handle),
    "graft_model_release": (None, Handle),
    "graft_architecture_count": (c_int32,),
    "graft_architecture_name": (c_char_p, c_int32),
    "graft_model_architecture": (c_char_p, Handle),
    "graft_model_layer_count": (c_int32, Handle),
    "graft_model_hidden_size": (c_int32, Handle),
    "graft_model_vocabulary_size": (c_int32, Handle),
    "graft_model_maximum_length": (c_int32, Handle),
    "graft_model_parameter_count": (c_int64, Handle),
    "graft_model_embedding_size": (c_int32, Handle),
    "graft_model_prompt_name": (c_char_p, Handle, c_int32),
    "graft_model_prompt": (StatusResult, Handle, c_char_p, Texts),
    "graft_model_end_token": (c_int32, Handle, c_int32),
    "graft_model_label_count": (c_int32, Handle),
    "graft_model_label": (c_char_p, Handle, c_int32),
    "graft_model_memory": (c_int64, Handle),
    "graft_model_mapped_memory": (c_int64, Handle),
    "graft_model_checksum": (c_uint64, Handle),
    "graft_encode_options_init": (None, POINTER(EncodeOptions), c_size_t),
    "graft_tokenizer_load": (StatusResult, c_char_p, Out),
    "graft_tokenizer_load_files": (StatusResult, Files, c_int32, Out),
    "graft_tokenizer_retain": (StatusResult, Handle),
    "graft_tokenizer_release": (None, Handle),
    "graft_tokenizer_vocabulary_size": (c_int32, Handle),
    "graft_tokenizer_maximum_length": (c_int32, Handle),
    "graft_tokenizer_encode": (StatusResult, Handle, c_char_p, c_char_p, POINTER(EncodeOptions), Out),
    "graft_encoding_token_count": (c_int64, Handle),
    "graft_encoding_ids": (Ints, Handle),
    "graft_encoding_type_ids": (Ints, Handle),
    "graft_encoding_byte_offsets": (Ints, Handle),
    "graft_encoding_character_offsets": (Ints, Handle),
    "graft_encoding_word_ids": (Ints, Handle),
    "graft_encoding_retain": (StatusResult, Handle),
    "graft_encoding_release": (None, Handle),
    "graft_tokenizer_decode": (StatusResult, Handle, Ints, c_int64, c_int32, c_char_p, c_int64, Longs),
    "graft_head_options_init": (None, POINTER(HeadOptions), c_size_t),
    "graft_adapter_method_count": (c_int32,),
    "graft_adapter_method_name": (c_char_p, c_int32),
    "graft_adapter_create": (StatusResult, Handle, c_char_p, c_char_p, c_uint64, Out),
    "graft_adapter_set_head": (StatusResult, Handle, c_int32, POINTER(HeadOptions)),
    "graft_adapter_load": (StatusResult, Handle, c_char_p, Out),
    "graft_adapter_load_files": (StatusResult, Handle, Files, c_int32, Out),
    "graft_adapter_save": (StatusResult, Handle, c_char_p),
    "graft_adapter_save_files": (StatusResult, Handle, FileCallback, c_void_p),
    "graft_adapter_retain": (StatusResult, Handle),
    "graft_adapter_release": (None, Handle),
    "graft_adapter_method": (c_char_p, Handle),
    "graft_adapter_config_json": (c_char_p, Handle),
    "graft_adapter_task": (c_int32, Handle),
    "graft_adapter_label_count": (c_int32, Handle),
    "graft_adapter_label": (c_char_p, Handle, c_int32),
    "graft_adapter_parameter_count": (c_int64, Handle),
    "graft_adapter_memory": (c_int64, Handle),
    "graft_adapter_maximum_length": (c_int32, Handle),
    "graft_composition_create": (StatusResult, Handle, c_float, Out),
    "graft_composition_retain": (StatusResult, Handle),
    "graft_composition_release": (None, Handle),
    "graft_composition_adapter": (StatusResult, Handle, Out),
    "graft_composition_scale": (c_float, Handle),
    "graft_composition_label_count": (c_int32, Handle),
    "graft_composition_label": (c_char_p, Handle, c_int32),
    "graft_batch_encode": (StatusResult, Handle, Texts, Texts, c_int64, POINTER(EncodeOptions), Out),
    "graft_batch_create": (StatusResult, Ints, Ints, Ints, c_int64, Out),
    "graft_batch_retain": (StatusResult, Handle),
    "graft_batch_release": (None, Handle),
    "graft_batch_row_count": (c_int64, Handle),
    "graft_batch_token_count": (c_int64, Handle),
    "graft_batch_maximum_length": (c_int32, Handle),
    "graft_batch_truncated_row_count": (c_int64, Handle),
    "graft_batch_unknown_token_count": (c_int64, Handle),
    "graft_batch_row_starts": (Longs, Handle),
    "graft_batch_set_labels": (StatusResult, Handle, Ints, c_int64),
    "graft_batch_set_token_labels": (StatusResult, Handle, Ints, c_int64),
    "graft_batch_set_adapters": (StatusResult, Handle, POINTER(c_void_p), c_int64),
    "graft_dataset_create": (StatusResult, Out),
    "graft_dataset_append": (StatusResult, Handle, Handle),
    "graft_dataset_row_count": (c_int64, Handle),
    "graft_dataset_retain": (StatusResult, Handle),
    "graft_dataset_token_count": (c_int64, Handle),
    "graft_dataset_maximum_length": (c_int32, Handle),
    "graft_dataset_truncated_row_count": (c_int64, Handle),
    "graft_dataset_unknown_token_count": (c_int64, Handle),
    "graft_dataset_release": (None, Handle),
    "graft_trainer_options_init": (None, POINTER(TrainerOptions), c_size_t),
    "graft_metrics_init": (None, POINTER(MetricsStruct), c_size_t),
    "graft_trainer_create": (StatusResult, Handle, Handle, POINTER(TrainerOptions), Out),
    "graft_trainer_step": (StatusResult, Handle, Handle, POINTER(MetricsStruct)),
    "graft_trainer_fit": (
        StatusResult,
        Handle,
        Handle,
        Handle,
        ProgressCallback,
        c_void_p,
        POINTER(MetricsStruct),
    ),
    "graft_trainer_evaluate": (StatusResult, Handle, Handle, POINTER(MetricsStruct), Longs, c_int64),
    "graft_trainer_save": (StatusResult, Handle, c_char_p),
    "graft_trainer_resume": (StatusResult, Handle, c_char_p),
    "graft_trainer_memory": (c_int64, Handle),
    "graft_trainer_retain": (StatusResult, Handle),
    "graft_trainer_release": (None, Handle),
    "graft_session_options_init": (None, POINTER(SessionOptions), c_size_t),
    "graft_session_create": (StatusResult, Handle, POINTER(SessionOptions), Out),
    "graft_session_retain": (StatusResult, Handle),
    "graft_session_release": (None, Handle),
    "graft_session_memory": (c_int64, Handle),
    "graft_session_set_adapters": (StatusResult, Handle, Handle),
    "graft_session_hidden_states": (StatusResult, Handle, Handle, c_int32, Floats, c_int64),
    "graft_session_embed": (StatusResult, Handle, Handle, c_int32, c_int32, Floats, c_int64),
    "graft_session_classify": (StatusResult, Handle, Handle, Floats, c_int64, Longs),
    "graft_session_predict": (StatusResult, Handle, Handle, c_int64, Ints, Floats, c_int64),
    "graft_generate_options_init": (None, POINTER(GenerateOptions), c_size_t),
    "graft_session_generate": (
        StatusResult,
        Handle,
        Handle,
        Handle,
        POINTER(GenerateOptions),
        TokenCallback,
        c_void_p,
    ),
}


def _check(result: StatusResult, _function: Any, _arguments: Any) -> None:
    if result.value != Status.OK:
        raise GraftError(result.value, lib.graft_last_error_message().decode("utf-8", "replace"))


def _find() -> str:
    chosen = os.environ.get("GRAFT_LIBRARY")
    if chosen:
        return chosen
    here = os.path.dirname(os.path.realpath(__file__))
    for folder in (here, os.path.join(here, "..", "..", "..", "build", "lib")):
        path = os.path.normpath(os.path.join(folder, NAME))
        if os.path.exists(path):
            return path
    return NAME


def _open() -> CDLL:
    path = _find()
    try:
        library = CDLL(path)
    except OSError as error:
        raise ImportError(
            f"cannot open {path}: {error}. Install the package with the library inside (pip install "
            f"./bindings/python), run make in the source tree, or set GRAFT_LIBRARY."
        ) from error
    for name, (result, *arguments) in SIGNATURES.items():
        try:
            function = getattr(library, name)
        except AttributeError as error:
            raise ImportError(f"{error}: expected a {NAME} no older than this package") from None
        function.restype = result
        function.argtypes = arguments
        if result is StatusResult:
            function.errcheck = _check
    return library


#: The opened library. A function that can fail raises :class:`GraftError` when it does.
lib = _open()

AnyStruct = TypeVar("AnyStruct", bound=Structure)


def initialised(kind: type[AnyStruct], init: str) -> AnyStruct:
    """A struct filled with the library's defaults by its function ``init``."""
    struct = kind()
    getattr(lib, init)(byref(struct), sizeof(struct))
    return struct
