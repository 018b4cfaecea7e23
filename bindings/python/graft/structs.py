"""The structs of ``graft.h``, field by field; the tests compare sizes and offsets with the compiled header."""

from __future__ import annotations

from ctypes import POINTER, Structure, c_char_p, c_double, c_float, c_int32, c_int64, c_size_t, c_uint64, c_void_p


class FileStruct(Structure):
    _fields_ = [
        ("name", c_char_p),
        ("data", c_void_p),
        ("size", c_int64),
    ]


class ModelOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("precision", c_int32),
        ("thread_count", c_int32),
    ]


class EncodeOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("maximum_length", c_int32),
        ("add_special_tokens", c_int32),
        ("text_sizes", POINTER(c_int64)),
        ("pair_sizes", POINTER(c_int64)),
        ("replace_invalid_utf8", c_int32),
        ("reserved", c_int32),
    ]


class HeadOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("labels", POINTER(c_char_p)),
        ("label_count", c_int32),
        ("dropout", c_float),
        ("dense_layer", c_int32),
        ("pooling", c_int32),
    ]


class TrainerOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("cancel_token", c_void_p),
        ("class_weights", POINTER(c_float)),
        ("checkpoint_path", c_char_p),
        ("seed", c_uint64),
        ("pass_token_count", c_int64),
        ("thread_count", c_int32),
        ("optimizer", c_int32),
        ("schedule", c_int32),
        ("metric", c_int32),
        ("learning_rate", c_float),
        ("weight_decay", c_float),
        ("beta1", c_float),
        ("beta2", c_float),
        ("epsilon", c_float),
        ("momentum", c_float),
        ("maximum_gradient_norm", c_float),
        ("label_smoothing", c_float),
        ("warmup_ratio", c_float),
        ("warmup_steps", c_int32),
        ("total_steps", c_int32),
        ("rows_per_batch", c_int32),
        ("batches_per_step", c_int32),
        ("epoch_count", c_int32),
        ("evaluation_steps", c_int32),
        ("patience", c_int32),
        ("checkpoint_steps", c_int32),
        ("group_by_length", c_int32),
    ]


class MetricsStruct(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("loss", c_double),
        ("accuracy", c_double),
        ("macro_f1", c_double),
        ("learning_rate", c_double),
        ("gradient_norm", c_double),
        ("tokens_per_second", c_double),
        ("step", c_int64),
        ("total_steps", c_int64),
        ("epoch", c_int64),
        ("row_count", c_int64),
        ("token_count", c_int64),
        ("evaluation", c_int64),
    ]


class SessionOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("cancel_token", c_void_p),
        ("pass_token_count", c_int64),
        ("thread_count", c_int32),
        ("reserved", c_int32),
    ]


class GenerateOptions(Structure):
    _fields_ = [
        ("struct_size", c_size_t),
        ("stop_tokens", POINTER(c_int32)),
        ("row_seeds", POINTER(c_uint64)),
        ("seed", c_uint64),
        ("stop_token_count", c_int32),
        ("maximum_tokens", c_int32),
        ("repetition_penalty", c_float),
        ("temperature", c_float),
        ("top_k", c_int32),
        ("top_p", c_float),
    ]
