"""What ``graft.h`` declares, for ctypes.

Written by bindings/declare.py from include/graft.h: make declarations.
"""

from __future__ import annotations

from ctypes import (
    CFUNCTYPE,
    POINTER,
    Structure,
    c_char_p,
    c_double,
    c_float,
    c_int32,
    c_int64,
    c_size_t,
    c_uint64,
    c_void_p,
)
from enum import IntEnum
from typing import Any

Handle = c_void_p
Handles = POINTER(c_void_p)


class StatusResult(c_int32):
    """The result type of functions that can fail; a subclass so that ctypes leaves the checking to us."""


class Status(IntEnum):
    """What kind of thing went wrong; the values of ``graft_status`` in ``graft.h``."""

    OK = 0
    #: The caller broke a documented rule.
    INVALID_ARGUMENT = 1
    #: No such file, tensor, method or name.
    NOT_FOUND = 2
    #: The system could not read or write.
    IO = 3
    #: The file breaks its own format.
    CORRUPT_FILE = 4
    #: Valid, but outside what this build does.
    UNSUPPORTED = 5
    #: Two valid things that do not fit together.
    INCOMPATIBLE = 6
    #: The needed count was written; retry with it.
    BUFFER_TOO_SMALL = 7
    OUT_OF_MEMORY = 8
    #: A callback or a cancel token asked to stop.
    CANCELLED = 9
    #: Training or inference met a NaN or an infinity.
    DIVERGED = 10
    #: A bug in Graft; please report it.
    INTERNAL = 11


class FileStruct(Structure):
    """``graft_file``."""

    _fields_ = [
        ("name", c_char_p),
        ("data", c_void_p),
        ("size", c_int64),
    ]


FileCallback = CFUNCTYPE(c_int32, c_void_p, POINTER(FileStruct))


PRECISION_CHOICES: dict[str, int] = {
    "float32": 0,
    "bfloat16": 1,
}


class ModelOptions(Structure):
    """``graft_model_options``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("precision", c_int32),
        ("thread_count", c_int32),
    ]


class EncodeOptions(Structure):
    """``graft_encode_options``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("maximum_length", c_int32),
        ("add_special_tokens", c_int32),
        ("text_sizes", POINTER(c_int64)),
        ("pair_sizes", POINTER(c_int64)),
        ("replace_invalid_utf8", c_int32),
        ("keep_words", c_int32),
    ]


UNLIMITED_LENGTH = 1 << 30


class EntityStruct(Structure):
    """``graft_entity``."""

    _fields_ = [
        ("type", c_char_p),
        ("first_byte", c_int64),
        ("end_byte", c_int64),
        ("first_character", c_int64),
        ("end_character", c_int64),
        ("first_token", c_int64),
        ("end_token", c_int64),
    ]


POOLING_DEFAULT = -1
POOLING_CHOICES: dict[str, int] = {
    "mean": 0,
    "first": 1,
    "last": 2,
    "max": 3,
    "weighted_mean": 4,
    "mean_sqrt_length": 5,
}


CompressionCallback = CFUNCTYPE(c_int32, c_void_p, c_void_p, c_double)


class AnswerStruct(Structure):
    """``graft_answer``."""

    _fields_ = [
        ("first_byte", c_int64),
        ("end_byte", c_int64),
        ("first_character", c_int64),
        ("end_character", c_int64),
        ("window", c_int64),
        ("first_token", c_int64),
        ("end_token", c_int64),
        ("score", c_double),
    ]


class TrainerOptions(Structure):
    """``graft_trainer_options``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("cancel_token", Handle),
        ("class_weights", POINTER(c_float)),
        ("checkpoint_path", c_char_p),
        ("optimizer", c_char_p),
        ("optimizer_settings", c_char_p),
        ("schedule", c_char_p),
        ("schedule_settings", c_char_p),
        ("step_plan", c_char_p),
        ("step_plan_settings", c_char_p),
        ("loss", c_char_p),
        ("loss_settings", c_char_p),
        ("masking", c_char_p),
        ("metric", c_char_p),
        ("seed", c_uint64),
        ("pass_token_count", c_int64),
        ("thread_count", c_int32),
        ("learning_rate", c_float),
        ("maximum_gradient_norm", c_float),
        ("label_smoothing", c_float),
        ("total_steps", c_int32),
        ("rows_per_batch", c_int32),
        ("batches_per_step", c_int32),
        ("epoch_count", c_int32),
        ("evaluation_steps", c_int32),
        ("patience", c_int32),
        ("checkpoint_steps", c_int32),
        ("group_by_length", c_int32),
        ("recompute_layers", c_int32),
        ("reserved", c_int32),
    ]


class MetricsStruct(Structure):
    """``graft_metrics``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("evaluation", Handle),
        ("loss", c_double),
        ("learning_rate", c_double),
        ("gradient_norm", c_double),
        ("tokens_per_second", c_double),
        ("step", c_int64),
        ("total_steps", c_int64),
        ("epoch", c_int64),
        ("row_count", c_int64),
        ("token_count", c_int64),
    ]


ProgressCallback = CFUNCTYPE(c_int32, c_void_p, POINTER(MetricsStruct))


class SessionOptions(Structure):
    """``graft_session_options``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("cancel_token", Handle),
        ("pass_token_count", c_int64),
        ("thread_count", c_int32),
        ("reserved", c_int32),
    ]


EARLY_STOPPING_CHOICES: dict[str, int] = {
    "no": 0,
    "yes": 1,
    "never": 2,
}


class GenerateOptions(Structure):
    """``graft_generate_options``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("stop_tokens", POINTER(c_int32)),
        ("stop_strings", POINTER(c_char_p)),
        ("bias_tokens", POINTER(c_int32)),
        ("biases", POINTER(c_float)),
        ("row_seeds", POINTER(c_uint64)),
        ("constraints", POINTER(c_char_p)),
        ("seed", c_uint64),
        ("stop_token_count", c_int32),
        ("stop_string_count", c_int32),
        ("bias_count", c_int32),
        ("maximum_tokens", c_int32),
        ("sample_count", c_int32),
        ("likely_count", c_int32),
        ("repetition_penalty", c_float),
        ("frequency_penalty", c_float),
        ("presence_penalty", c_float),
        ("no_repeat_ngram_size", c_int32),
        ("minimum_tokens", c_int32),
        ("temperature", c_float),
        ("top_k", c_int32),
        ("top_p", c_float),
        ("min_p", c_float),
        ("typical_p", c_float),
        ("beam_count", c_int32),
        ("early_stopping", c_int32),
        ("length_penalty", c_float),
        ("prompt_lookup_tokens", c_int32),
    ]


TOKEN_END_CHOICES: dict[str, int] = {
    "none": 0,
    "stop_token": 1,
    "stop_string": 2,
    "length": 3,
    "constraint": 4,
}


class TokenStruct(Structure):
    """``graft_token``."""

    _fields_ = [
        ("struct_size", c_size_t),
        ("text", c_char_p),
        ("likely_tokens", POINTER(c_int32)),
        ("likely_log_probabilities", POINTER(c_float)),
        ("size", c_int64),
        ("row", c_int64),
        ("sample", c_int32),
        ("id", c_int32),
        ("end", c_int32),
        ("likely_count", c_int32),
        ("log_probability", c_float),
        ("score", c_float),
    ]


TokenCallback = CFUNCTYPE(c_int32, c_void_p, POINTER(TokenStruct))


#: Result and arguments of every function.
SIGNATURES: dict[str, tuple[Any, ...]] = {
    # Version
    "graft_version_number": (c_int32,),
    "graft_version_string": (c_char_p,),
    "graft_kernel_name": (c_char_p,),
    "graft_executor_name": (c_char_p,),
    # Status and errors
    "graft_status_name": (c_char_p, c_int32),
    "graft_last_error_message": (c_char_p,),
    # Threads
    "graft_set_executor": (StatusResult, c_char_p),
    # Cancellation
    "graft_cancel_token_create": (StatusResult, Handles),
    "graft_cancel_token_cancel": (None, Handle),
    "graft_cancel_token_retain": (StatusResult, Handle),
    "graft_cancel_token_release": (None, Handle),
    # Model
    "graft_model_options_init": (None, POINTER(ModelOptions), c_size_t),
    "graft_model_load": (StatusResult, c_char_p, POINTER(ModelOptions), Handles),
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
    "graft_model_prompt": (StatusResult, Handle, c_char_p, POINTER(c_char_p)),
    "graft_model_end_token": (c_int32, Handle, c_int32),
    "graft_model_label_count": (c_int32, Handle),
    "graft_model_task": (c_char_p, Handle),
    "graft_model_label": (c_char_p, Handle, c_int32),
    "graft_model_memory": (c_int64, Handle),
    "graft_model_mapped_memory": (c_int64, Handle),
    "graft_model_checksum": (c_uint64, Handle),
    # Tokenizer
    "graft_encode_options_init": (None, POINTER(EncodeOptions), c_size_t),
    "graft_tokenizer_load": (StatusResult, c_char_p, Handles),
    "graft_tokenizer_load_files": (StatusResult, POINTER(FileStruct), c_int32, Handles),
    "graft_tokenizer_retain": (StatusResult, Handle),
    "graft_tokenizer_release": (None, Handle),
    "graft_tokenizer_vocabulary_size": (c_int32, Handle),
    "graft_tokenizer_mask_token": (c_int32, Handle),
    "graft_tokenizer_maximum_length": (c_int32, Handle),
    "graft_tokenizer_encode": (StatusResult, Handle, c_char_p, c_char_p, POINTER(EncodeOptions), Handles),
    "graft_encoding_token_count": (c_int64, Handle),
    "graft_encoding_ids": (POINTER(c_int32), Handle),
    "graft_encoding_type_ids": (POINTER(c_int32), Handle),
    "graft_encoding_byte_offsets": (POINTER(c_int32), Handle),
    "graft_encoding_character_offsets": (POINTER(c_int32), Handle),
    "graft_encoding_word_ids": (POINTER(c_int32), Handle),
    "graft_encoding_label_words": (
        StatusResult,
        Handle,
        POINTER(c_int32),
        POINTER(c_int32),
        c_int64,
        POINTER(c_char_p),
        c_int32,
        c_int32,
        POINTER(c_int32),
        c_int64,
    ),
    "graft_encoding_label_entities": (
        StatusResult,
        Handle,
        POINTER(c_int32),
        c_int64,
        POINTER(EntityStruct),
        c_int64,
        POINTER(c_char_p),
        c_int32,
        c_int32,
        POINTER(c_int32),
        c_int64,
    ),
    "graft_encoding_entities": (
        StatusResult,
        Handle,
        POINTER(c_int32),
        c_int64,
        POINTER(c_int32),
        POINTER(c_char_p),
        c_int32,
        POINTER(EntityStruct),
        c_int64,
        POINTER(c_int64),
    ),
    "graft_encoding_retain": (StatusResult, Handle),
    "graft_encoding_release": (None, Handle),
    "graft_tokenizer_decode": (
        StatusResult,
        Handle,
        POINTER(c_int32),
        c_int64,
        c_int32,
        c_char_p,
        c_int64,
        POINTER(c_int64),
    ),
    "graft_tokenizer_apply_template": (StatusResult, Handle, c_char_p, c_char_p, c_char_p, c_int64, POINTER(c_int64)),
    "graft_tokenizer_encode_messages": (StatusResult, Handle, c_char_p, c_char_p, Handles),
    "graft_encoding_assistant_mask": (POINTER(c_int32), Handle),
    # Adapter
    "graft_adapter_method_count": (c_int32,),
    "graft_adapter_method_name": (c_char_p, c_int32),
    "graft_task_count": (c_int32,),
    "graft_task_name": (c_char_p, c_int32),
    "graft_adapter_create": (StatusResult, Handle, c_char_p, c_char_p, c_uint64, Handles),
    "graft_adapter_set_head": (StatusResult, Handle, c_char_p, POINTER(c_char_p), c_int32, c_char_p),
    "graft_adapter_load": (StatusResult, Handle, c_char_p, Handles),
    "graft_adapter_load_files": (StatusResult, Handle, POINTER(FileStruct), c_int32, Handles),
    "graft_adapter_save": (StatusResult, Handle, c_char_p),
    "graft_adapter_save_files": (StatusResult, Handle, FileCallback, c_void_p),
    "graft_adapter_retain": (StatusResult, Handle),
    "graft_adapter_release": (None, Handle),
    "graft_adapter_method": (c_char_p, Handle),
    "graft_adapter_config_json": (c_char_p, Handle),
    "graft_adapter_task": (c_char_p, Handle),
    "graft_adapter_label_count": (c_int32, Handle),
    "graft_adapter_label": (c_char_p, Handle, c_int32),
    "graft_adapter_parameter_count": (c_int64, Handle),
    "graft_adapter_memory": (c_int64, Handle),
    "graft_adapter_maximum_length": (c_int32, Handle),
    # Composition
    "graft_composition_create": (StatusResult, Handle, c_float, Handles),
    "graft_composition_stack": (StatusResult, Handles, c_int32, Handles),
    "graft_composition_average": (StatusResult, Handles, POINTER(c_float), c_int32, Handles),
    "graft_composition_retain": (StatusResult, Handle),
    "graft_composition_release": (None, Handle),
    "graft_composition_adapter_count": (c_int32, Handle),
    "graft_composition_adapter": (StatusResult, Handle, c_int32, Handles),
    "graft_composition_scale": (c_float, Handle),
    "graft_composition_label_count": (c_int32, Handle),
    "graft_composition_task": (c_char_p, Handle),
    "graft_composition_label": (c_char_p, Handle, c_int32),
    # Merging and compressing
    "graft_model_merge": (StatusResult, Handle, Handle, c_char_p),
    "graft_model_write_gguf": (StatusResult, Handle, Handle, c_char_p, c_char_p),
    "graft_model_load_merged": (StatusResult, Handle, Handle, POINTER(ModelOptions), Handles),
    "graft_adapter_compress": (
        StatusResult,
        Handle,
        c_int32,
        CompressionCallback,
        c_void_p,
        Handles,
        POINTER(c_double),
    ),
    # Batch and dataset
    "graft_batch_encode": (
        StatusResult,
        Handle,
        POINTER(c_char_p),
        POINTER(c_char_p),
        c_int64,
        POINTER(EncodeOptions),
        Handles,
    ),
    "graft_batch_create": (StatusResult, POINTER(c_int32), POINTER(c_int32), POINTER(c_int32), c_int64, Handles),
    "graft_batch_retain": (StatusResult, Handle),
    "graft_batch_release": (None, Handle),
    "graft_batch_row_count": (c_int64, Handle),
    "graft_batch_token_count": (c_int64, Handle),
    "graft_batch_maximum_length": (c_int32, Handle),
    "graft_batch_truncated_row_count": (c_int64, Handle),
    "graft_batch_unknown_token_count": (c_int64, Handle),
    "graft_batch_row_starts": (POINTER(c_int64), Handle),
    "graft_batch_mask_each": (StatusResult, Handle, c_int32, Handles),
    "graft_batch_set_integers": (StatusResult, Handle, c_char_p, POINTER(c_int32), c_int64, c_int32),
    "graft_batch_set_floats": (StatusResult, Handle, c_char_p, POINTER(c_float), c_int64, c_int32),
    "graft_batch_set_targets": (StatusResult, Handle, Handle),
    "graft_batch_set_adapters": (StatusResult, Handle, Handles, c_int64),
    "graft_dataset_create": (StatusResult, Handles),
    "graft_dataset_append": (StatusResult, Handle, Handle),
    "graft_dataset_row_count": (c_int64, Handle),
    "graft_dataset_retain": (StatusResult, Handle),
    "graft_dataset_token_count": (c_int64, Handle),
    "graft_dataset_maximum_length": (c_int32, Handle),
    "graft_dataset_truncated_row_count": (c_int64, Handle),
    "graft_dataset_unknown_token_count": (c_int64, Handle),
    "graft_dataset_release": (None, Handle),
    # Questions and answers
    "graft_windows_encode": (
        StatusResult,
        Handle,
        POINTER(c_char_p),
        POINTER(c_char_p),
        c_int64,
        POINTER(EncodeOptions),
        c_int32,
        Handles,
    ),
    "graft_windows_retain": (StatusResult, Handle),
    "graft_windows_release": (None, Handle),
    "graft_windows_count": (c_int64, Handle),
    "graft_windows_starts": (POINTER(c_int64), Handle),
    "graft_windows_batch": (StatusResult, Handle, Handles),
    "graft_windows_label": (StatusResult, Handle, POINTER(c_int64), c_int64, POINTER(c_int32), c_int64),
    "graft_windows_spread": (
        StatusResult,
        Handle,
        POINTER(c_int32),
        c_int64,
        POINTER(c_char_p),
        c_int32,
        POINTER(c_int32),
        c_int64,
    ),
    "graft_windows_join": (StatusResult, Handle, POINTER(c_int32), c_int64, POINTER(c_int32), c_int64),
    "graft_windows_answers": (
        StatusResult,
        Handle,
        POINTER(c_float),
        c_int64,
        c_int32,
        c_int32,
        POINTER(AnswerStruct),
        c_int64,
        POINTER(c_double),
    ),
    # Training
    "graft_optimizer_count": (c_int32,),
    "graft_optimizer_name": (c_char_p, c_int32),
    "graft_optimizer_settings": (c_char_p, c_char_p),
    "graft_schedule_count": (c_int32,),
    "graft_schedule_name": (c_char_p, c_int32),
    "graft_schedule_settings": (c_char_p, c_char_p),
    "graft_step_plan_count": (c_int32,),
    "graft_step_plan_name": (c_char_p, c_int32),
    "graft_step_plan_settings": (c_char_p, c_char_p),
    "graft_loss_count": (c_int32,),
    "graft_loss_name": (c_char_p, c_int32),
    "graft_loss_settings": (c_char_p, c_char_p),
    "graft_metric_count": (c_int32,),
    "graft_metric_name": (c_char_p, c_int32),
    "graft_evaluation_retain": (StatusResult, Handle),
    "graft_evaluation_release": (None, Handle),
    "graft_evaluation_value_count": (c_int32, Handle),
    "graft_evaluation_name": (c_char_p, Handle, c_int32),
    "graft_evaluation_value": (c_double, Handle, c_char_p),
    "graft_evaluation_row_count": (c_int64, Handle),
    "graft_evaluation_token_count": (c_int64, Handle),
    "graft_evaluation_label_count": (c_int32, Handle),
    "graft_evaluation_confusion": (StatusResult, Handle, POINTER(c_int64), c_int64),
    "graft_evaluation_table": (
        StatusResult,
        Handle,
        c_char_p,
        POINTER(c_double),
        c_int64,
        POINTER(c_int64),
        POINTER(c_int32),
    ),
    "graft_evaluate_labels": (
        StatusResult,
        POINTER(c_int32),
        POINTER(c_int32),
        POINTER(c_double),
        c_int64,
        c_int32,
        Handles,
    ),
    "graft_evaluate_scores": (
        StatusResult,
        POINTER(c_int32),
        POINTER(c_double),
        POINTER(c_double),
        c_int64,
        c_int32,
        c_char_p,
        Handles,
    ),
    "graft_evaluate_label_sets": (
        StatusResult,
        POINTER(c_int32),
        POINTER(c_double),
        POINTER(c_double),
        c_int64,
        c_int32,
        c_char_p,
        Handles,
    ),
    "graft_evaluate_values": (
        StatusResult,
        POINTER(c_double),
        POINTER(c_double),
        POINTER(c_double),
        c_int64,
        c_int32,
        Handles,
    ),
    "graft_evaluate_tags": (
        StatusResult,
        POINTER(c_int32),
        POINTER(c_int32),
        POINTER(c_int64),
        c_int64,
        POINTER(c_char_p),
        c_int32,
        Handles,
    ),
    "graft_evaluate_answers": (
        StatusResult,
        POINTER(c_char_p),
        POINTER(c_char_p),
        POINTER(c_int64),
        POINTER(c_double),
        c_int64,
        c_char_p,
        Handles,
    ),
    "graft_evaluate_texts": (
        StatusResult,
        POINTER(c_char_p),
        POINTER(c_char_p),
        POINTER(c_int64),
        c_int64,
        c_char_p,
        Handles,
    ),
    "graft_evaluate_rankings": (
        StatusResult,
        POINTER(c_double),
        POINTER(c_double),
        POINTER(c_int64),
        POINTER(c_double),
        c_int64,
        c_char_p,
        Handles,
    ),
    "graft_evaluation_interval": (StatusResult, Handle, c_char_p, c_char_p, c_char_p, Handles),
    "graft_evaluation_compare": (StatusResult, Handle, Handle, c_char_p, c_char_p, c_char_p, Handles),
    "graft_trainer_options_init": (None, POINTER(TrainerOptions), c_size_t),
    "graft_metrics_init": (None, POINTER(MetricsStruct), c_size_t),
    "graft_trainer_create": (StatusResult, Handle, Handle, POINTER(TrainerOptions), Handles),
    "graft_trainer_step": (StatusResult, Handle, Handle, POINTER(MetricsStruct)),
    "graft_trainer_fit": (
        StatusResult,
        Handle,
        Handle,
        Handle,
        ProgressCallback,
        c_void_p,
        POINTER(MetricsStruct),
        Handles,
    ),
    "graft_trainer_evaluate": (StatusResult, Handle, Handle, Handles),
    "graft_trainer_save": (StatusResult, Handle, c_char_p),
    "graft_trainer_resume": (StatusResult, Handle, c_char_p),
    "graft_trainer_memory": (c_int64, Handle),
    "graft_trainer_retain": (StatusResult, Handle),
    "graft_trainer_release": (None, Handle),
    # Inference
    "graft_session_options_init": (None, POINTER(SessionOptions), c_size_t),
    "graft_session_create": (StatusResult, Handle, POINTER(SessionOptions), Handles),
    "graft_session_retain": (StatusResult, Handle),
    "graft_session_release": (None, Handle),
    "graft_session_memory": (c_int64, Handle),
    "graft_session_set_adapters": (StatusResult, Handle, Handle),
    "graft_session_hidden_states": (StatusResult, Handle, Handle, c_int32, POINTER(c_float), c_int64),
    "graft_session_embed": (StatusResult, Handle, Handle, c_int32, c_int32, POINTER(c_float), c_int64),
    "graft_session_classify": (StatusResult, Handle, Handle, POINTER(c_float), c_int64, POINTER(c_int64)),
    "graft_session_fill_masks": (
        StatusResult,
        Handle,
        Handle,
        c_int32,
        c_int64,
        POINTER(c_int32),
        POINTER(c_float),
        c_int64,
        POINTER(c_int64),
    ),
    "graft_session_predict": (StatusResult, Handle, Handle, c_int64, POINTER(c_int32), POINTER(c_float), c_int64),
    "graft_nearest": (
        StatusResult,
        POINTER(c_float),
        c_int64,
        c_int32,
        POINTER(c_float),
        c_int64,
        c_int64,
        c_int32,
        POINTER(c_int64),
        POINTER(c_float),
        c_int64,
    ),
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
    "graft_generator_create": (StatusResult, Handle, Handle, POINTER(SessionOptions), Handles),
    "graft_generator_retain": (StatusResult, Handle),
    "graft_generator_release": (None, Handle),
    "graft_generator_memory": (c_int64, Handle),
    "graft_generator_add": (StatusResult, Handle, Handle, POINTER(GenerateOptions), POINTER(c_int64)),
    "graft_generator_step": (StatusResult, Handle, TokenCallback, c_void_p),
    "graft_generator_row_count": (c_int64, Handle),
    "graft_generator_remove": (StatusResult, Handle, c_int64),
}
