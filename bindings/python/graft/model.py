"""Base models."""

from __future__ import annotations

import os
from ctypes import byref, c_char_p, c_void_p
from typing import TYPE_CHECKING, Literal

from .declarations import PRECISION_CHOICES, ModelOptions
from .handle import Handle
from .library import initialised, lib
from .values import choice, path_bytes, set_numbers, text_bytes

if TYPE_CHECKING:
    from .adapter import Adapter, Composition

Precision = Literal["float32", "bfloat16"]


class Model(Handle):
    """A frozen base model: architecture and weights, shared by any number of sessions, trainers and
    threads.

    The files, of float64, float32, float16 or bfloat16, must not change while the model lives. The
    status of an error is NOT_FOUND where a file or tensor is missing, CORRUPT_FILE, UNSUPPORTED for
    another ``model_type``, INCOMPATIBLE where a tensor's shape contradicts ``config.json``, or IO.

    :param path: directory in Hugging Face layout: ``config.json`` with ``model.safetensors`` or its
        shards; or a GGUF file of llama.cpp.
    :param precision: how weights are held and multiplied; sums are always float32.
    :param threads: threads that load it; 0: one per core.
    """

    _release_function = "graft_model_release"

    def __init__(self, path: str | os.PathLike[str], precision: Precision = "float32", threads: int = 0) -> None:
        options = initialised(ModelOptions, "graft_model_options_init")
        set_numbers(options, precision=choice(precision, PRECISION_CHOICES, "precision"), thread_count=threads)
        out = c_void_p()
        lib.graft_model_load(path_bytes(path), byref(options), byref(out))
        super().__init__(out)

    def merge(self, adapter: Adapter | Composition, path: str | os.PathLike[str]) -> None:
        """Writes directory ``path``: the model with the adapter in its weights, as a Hugging Face
        folder that transformers and :class:`Model` open as a model of its own, with the same
        results.

        What changes is computed in float32 and rounded to the type it is stored in; shards,
        tokenizer and all else are as they were. The adapter's head becomes the model's. The
        directory is written whole or not at all. The status of an error is UNSUPPORTED for what no
        weights can do, such as ``"bottleneck"``, and for a head that no class of transformers has.

        With an adapter for ``sentence_embedding``, sentence-transformers opens the directory and
        makes the vectors of :meth:`Session.embed`: the modules of a model that has none are added,
        and texts are cut where those were that the adapter learned from.
        """
        from .adapter import acting

        with acting(adapter) as composition:
            lib.graft_model_merge(self.pointer, composition.pointer, path_bytes(path))

    def write_gguf(
        self,
        path: str | os.PathLike[str],
        adapter: Adapter | Composition | None = None,
        type: str | None = None,
    ) -> None:
        """Writes the model, with the adapter in its weights if there is one, as one GGUF file for
        llama.cpp, with the tokenizer that lies beside it.

        :param type: ``"F32"``, ``"F16"``, ``"BF16"`` or ``"Q8_0"``, for all but norms, biases and
            tables of positions, which are F32; None: the type that each is stored in, or F32 where
            that is one of blocks.
        """
        from .adapter import acting

        name = None if type is None else type.encode()
        if adapter is None:
            lib.graft_model_write_gguf(self.pointer, None, name, path_bytes(path))
            return
        with acting(adapter) as composition:
            lib.graft_model_write_gguf(self.pointer, composition.pointer, name, path_bytes(path))

    def merged(self, adapter: Adapter | Composition, precision: Precision | None = None) -> Model:
        """The same model without writing it, unrounded; None: at this model's precision."""
        from .adapter import acting

        options = initialised(ModelOptions, "graft_model_options_init")
        if precision is not None:
            set_numbers(options, precision=choice(precision, PRECISION_CHOICES, "precision"))
        out = c_void_p()
        given = byref(options) if precision is not None else None
        with acting(adapter) as composition:
            lib.graft_model_load_merged(self.pointer, composition.pointer, given, byref(out))
        model = Model.__new__(Model)
        Handle.__init__(model, out)
        return model

    @property
    def architecture(self) -> str:
        """As ``model_type`` in ``config.json``, such as ``"bert"``."""
        return str(lib.graft_model_architecture(self.pointer).decode())

    @property
    def layer_count(self) -> int:
        """Number of layers."""
        return int(lib.graft_model_layer_count(self.pointer))

    @property
    def hidden_size(self) -> int:
        """Width of a hidden state, and of an embedding."""
        return int(lib.graft_model_hidden_size(self.pointer))

    @property
    def vocabulary_size(self) -> int:
        """Number of token ids the model knows."""
        return int(lib.graft_model_vocabulary_size(self.pointer))

    @property
    def maximum_length(self) -> int:
        """Most tokens a row may have."""
        return int(lib.graft_model_maximum_length(self.pointer))

    @property
    def embedding_size(self) -> int:
        """Width of the vectors of :meth:`Session.embed` when it is asked for no pooling of its
        own."""
        return int(lib.graft_model_embedding_size(self.pointer))

    @property
    def prompt_names(self) -> list[str]:
        """Names of the prompts that the folder has for texts to embed."""
        names: list[str] = []
        while (name := lib.graft_model_prompt_name(self.pointer, len(names))) is not None:
            names.append(name.decode())
        return names

    def prompt(self, name: str | None = None) -> str:
        """What stands before a text that is embedded: the prompt of that name, or the default one,
        ``""`` where the folder has none. Another name is an error of status NOT_FOUND."""
        out = c_char_p()
        lib.graft_model_prompt(self.pointer, None if name is None else text_bytes(name, "name"), byref(out))
        return (out.value or b"").decode()

    @property
    def parameter_count(self) -> int:
        """Number of weights."""
        return int(lib.graft_model_parameter_count(self.pointer))

    @property
    def end_tokens(self) -> list[int]:
        """Tokens that end a text; empty for an encoder."""
        tokens: list[int] = []
        while (token := lib.graft_model_end_token(self.pointer, len(tokens))) >= 0:
            tokens.append(token)
        return tokens

    @property
    def labels(self) -> list[str]:
        """Labels of the checkpoint's own classification head, which acts where no adapter has one;
        empty without it."""
        count = max(0, lib.graft_model_label_count(self.pointer))
        return [lib.graft_model_label(self.pointer, index).decode() for index in range(count)]

    @property
    def task(self) -> str | None:
        """What that head is for, one of :func:`tasks`; None without it."""
        return lib.graft_model_task(self.pointer).decode() or None

    @property
    def memory(self) -> int:
        """Bytes of memory that the packed weights take."""
        return int(lib.graft_model_memory(self.pointer))

    @property
    def mapped_memory(self) -> int:
        """Bytes of the tables that are read from the mapped files, which processes share."""
        return int(lib.graft_model_mapped_memory(self.pointer))

    @property
    def checksum(self) -> int:
        """A hash of the weights: the same before and after any use of the model."""
        return int(lib.graft_model_checksum(self.pointer))

    def _description(self) -> str:
        return f" {self.architecture}, {self.layer_count} layers of {self.hidden_size}"


def architectures() -> list[str]:
    """The architectures this library loads."""
    return [lib.graft_architecture_name(index).decode() for index in range(lib.graft_architecture_count())]
