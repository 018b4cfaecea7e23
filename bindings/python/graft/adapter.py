"""Adapters, and how they act on a row."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from ctypes import Array, byref, c_double, c_float, c_int32, c_uint64, c_void_p, string_at
from typing import Any, Literal, NamedTuple

from .declarations import CompressionCallback, FileCallback
from .errors import invalid
from .handle import Handle
from .library import lib
from .model import Model
from .values import as_list, c_number, file_array, name_bytes, name_list, path_bytes, text_array

HeadPooling = Literal["mean", "first", "last"]


class Adapter(Handle):
    """Trainable parameters shaped for one base model and, for a task, its output head.

    Made by :meth:`create` or :meth:`load`.
    """

    _release_function = "graft_adapter_release"

    @classmethod
    def create(
        cls, model: Model, method: str = "lora", config: Mapping[str, Any] | None = None, seed: int = 0
    ) -> Adapter:
        """A fresh adapter: the same seed gives the same parameters on every machine.

        The status of an error is NOT_FOUND where there is no such method or target module,
        INVALID_ARGUMENT for a value out of range, or UNSUPPORTED for a setting that the library
        does not do.

        :param method: one of :func:`adapter_methods`.
        :param config: the method's settings. An unknown one is an error. For ``"lora"``, spelt as
            in PEFT's ``adapter_config.json``; what is not given is as there, but ``lora_alpha`` is
            16 and ``target_modules`` all linear modules (None is PEFT's own choice of them);
            ``init_lora_weights`` ``"pissa"`` and ``"pissa_niter_N"`` need LAPACK, as
            :meth:`compress`, and are saved as the plain LoRA of twice the rank. For
            ``"bottleneck"``, AdapterHub's, over those of the configuration that ``"config"`` names:
            ``"seq_bn"`` (the default), ``"double_seq_bn"`` or ``"par_bn"``; ``"name"`` is the
            adapter's. For ``"prefix_tuning"`` and ``"prompt_tuning"``, PEFT's;
            ``num_virtual_tokens`` is 20, and ``prompt_tuning_init`` ``"TEXT"`` reads the tokenizer
            in the folder ``tokenizer_name_or_path``. What they put before a row takes positions of
            the model. For ``"ia3"``, PEFT's settings and defaults; so for ``"adalora"``, whose
            ``total_step`` may be None: that of the training. It prunes ranks after the trainer's
            steps, counted from 1, and saves those that are kept.
        """
        import json  # here, since most programs only load adapters

        settings = None if config is None else json.dumps(dict(config)).encode()
        out = c_void_p()
        number = c_number(c_uint64, seed, "seed")
        lib.graft_adapter_create(Model.pointer_of(model), name_bytes(method, "method"), settings, number, byref(out))
        return cls(out)

    @classmethod
    def load(cls, model: Model, path: str | os.PathLike[str]) -> Adapter:
        """Reads an adapter directory in PEFT's or AdapterHub's layout, or LoRA in a GGUF file of
        llama.cpp. All is honoured, or the call names what is not."""
        out = c_void_p()
        lib.graft_adapter_load(Model.pointer_of(model), path_bytes(path), byref(out))
        return cls(out)

    @classmethod
    def from_files(cls, model: Model, files: Mapping[str, bytes]) -> Adapter:
        """The same from the files of such a directory in memory, by their names."""
        array, out = file_array(files), c_void_p()
        lib.graft_adapter_load_files(Model.pointer_of(model), array, len(array), byref(out))
        return cls(out)

    def set_head(
        self,
        task: str | None = "sequence_classification",
        labels: Iterable[str] = (),
        *,
        dropout: float | None = None,
        dense_layer: bool = False,
        pooling: HeadPooling | None = None,
        crf: bool = False,
    ) -> None:
        """Gives the adapter a fresh output head, in place of the one it had.

        That is an error while a trainer uses it; compositions made before keep the head it had. A
        language model needs no more than the task: its output is the model's own. Settings that
        name modules in full must have been given with ``"task_type"``: a head that would change
        which modules are adapted is refused.

        :param task: one of :func:`tasks`; None: none.
        :param labels: names of the labels; for ``"regression"`` of the values, without any of which
            there is one.
        :param dropout: before the last layer, and not saved; None: as the model's ``config.json``
            says.
        :param dense_layer: trains the dense + tanh layer before it as well; that of RoBERTa's head
            in PEFT's layout is trained in any case.
        :param pooling: what the head reads of a row's last hidden states: their mean, the first or
            the last; None: as the architecture's own class does. Another head is none that PEFT or
            AdapterHub knows.
        :param crf: for ``"token_classification"``: the labels of a row are likely together, by
            which follows which, and no longer each by itself: a linear-chain conditional random
            field, which PEFT leaves out with a warning and AdapterHub refuses.
        """
        import json

        name = b"" if task is None else name_bytes(task, "task")
        names = name_list(labels, "labels")
        count = 1 if task == "regression" and not names else len(names)
        probability = None if dropout is None else c_number(c_double, dropout, "dropout")
        given: dict[str, Any] = {
            "dropout": probability,
            "dense_layer": bool(dense_layer) or None,
            "pooling": pooling,
            "crf": bool(crf) or None,
        }
        settings = {key: value for key, value in given.items() if value is not None}
        text = json.dumps(settings).encode() if settings else None
        lib.graft_adapter_set_head(self.pointer, name, text_array(names) if names else None, count, text)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes directory ``path``: a bottleneck in AdapterHub's layout, else in PEFT's. Missing
        folders are made. A path that ends in ``.gguf`` is a file for llama.cpp, which holds LoRA
        alone.

        It is written whole or not at all. Where ``path`` is the root of a disk, the current folder,
        or in a folder that may not be written, the files are replaced one by one,
        ``adapter_config.json`` last. An adapter that was loaded and not trained is written as it
        was. While a call of its trainer is at work, this is an error.
        """
        lib.graft_adapter_save(self.pointer, path_bytes(path))

    def to_files(self) -> dict[str, bytes]:
        """The files that :meth:`save` writes, by their names."""
        files: dict[str, bytes] = {}

        def receive(_data: int | None, file: Any) -> int:
            name, size = file.contents.name.decode(), file.contents.size
            files[name] = string_at(file.contents.data, size) if size else b""
            return 0

        lib.graft_adapter_save_files(self.pointer, FileCallback(receive), None)
        return files

    def compress(self, rank: int) -> tuple[Adapter, CompressionError]:
        """A LoRA of rank ``rank`` that comes closest to what this adapter does to the weights of
        the model, and what that costs. Of each change of a weight it has the largest singular
        values, which OpenBLAS' LAPACK finds; head, norms and biases are the same.

        The status of an error is UNSUPPORTED for an adapter that is no change of weights, such as
        ``"bottleneck"``, and where LAPACK (Debian's libopenblas0) is not installed.
        """
        modules: dict[str, float] = {}

        def receive(_data: int | None, module: int, error: float) -> int:
            modules[string_at(module).decode()] = error
            return 0

        number = c_number(c_int32, rank, "rank")
        callback, out, error = CompressionCallback(receive), c_void_p(), c_double()
        lib.graft_adapter_compress(self.pointer, number, callback, None, byref(out), byref(error))
        return Adapter(out), CompressionError(error.value, modules)

    @property
    def method(self) -> str:
        """Its method, such as ``"lora"``."""
        return str(lib.graft_adapter_method(self.pointer).decode())

    @property
    def config(self) -> dict[str, Any]:
        """Its settings, as in ``adapter_config.json``."""
        import json

        settings: dict[str, Any] = json.loads(lib.graft_adapter_config_json(self.pointer))
        return settings

    @property
    def task(self) -> str | None:
        """The task of its head; None without one."""
        return lib.graft_adapter_task(self.pointer).decode() or None

    @property
    def labels(self) -> list[str]:
        """Names of its classes; empty without a head."""
        count = max(0, lib.graft_adapter_label_count(self.pointer))
        return [lib.graft_adapter_label(self.pointer, index).decode() for index in range(count)]

    @property
    def maximum_length(self) -> int | None:
        """Most tokens of the rows that it was trained on, which is saved with it; None where that
        is not known."""
        return int(lib.graft_adapter_maximum_length(self.pointer)) or None

    @property
    def parameter_count(self) -> int:
        """Number of trained parameters."""
        return int(lib.graft_adapter_parameter_count(self.pointer))

    @property
    def memory(self) -> int:
        """Bytes of memory that its numbers take, and the files that it was read from."""
        return int(lib.graft_adapter_memory(self.pointer))

    def _description(self) -> str:
        return f" {self.method}, {self.parameter_count} parameters, {len(self.labels)} labels"


class CompressionError(NamedTuple):
    """What :meth:`Adapter.compress` lost: norms of it, divided by those of the changes."""

    #: Of all modules together.
    total: float
    #: Of each module.
    modules: dict[str, float]


class Composition(Handle):
    """An adapter as it acts on a row, or several together: see :func:`stack` and :func:`average`.
    Immutable.

    :param scale: multiplies its effect on the hidden states; 1: as trained, 0: as if there were
        none. An adapter that replaces weights of the model has no other scale than 1; one that puts
        something before the rows has 1 and 0.
    """

    _release_function = "graft_composition_release"

    def __init__(self, adapter: Adapter, scale: float = 1.0) -> None:
        out = c_void_p()
        lib.graft_composition_create(Adapter.pointer_of(adapter), c_number(c_float, scale, "scale"), byref(out))
        self._take(out)

    def _take(self, out: c_void_p) -> None:
        super().__init__(out)
        count = lib.graft_composition_label_count(out)
        #: What a row's logits are for: the adapter's task, or that of the model's own head; None
        #: without any.
        self.task: str | None = lib.graft_composition_task(out).decode() or None
        #: What a row's logits stand for.
        self.labels = [lib.graft_composition_label(out, index).decode() for index in range(count)]
        lengths = [adapter.maximum_length for adapter in self.adapters]
        known = [length for length in lengths if length is not None]
        #: Where the rows that it acts on are cut: where those of any of its adapters were.
        self.maximum_length = min(known) if known else None

    @classmethod
    def _made(cls, out: c_void_p) -> Composition:
        made = cls.__new__(cls)
        made._take(out)
        return made

    @property
    def adapters(self) -> list[Adapter]:
        """Its adapters in the order in which they were given; they need not have been kept."""
        return [self._adapter(index) for index in range(lib.graft_composition_adapter_count(self.pointer))]

    def _adapter(self, index: int) -> Adapter:
        out = c_void_p()
        lib.graft_composition_adapter(self.pointer, index, byref(out))
        return Adapter(out)

    @property
    def scale(self) -> float:
        """What multiplies its effect; 1 for several together."""
        return float(lib.graft_composition_scale(self.pointer))


def stack(*adapters: Adapter | Composition) -> Composition:
    """Several, one after the other at each place of the model, as AdapterHub's Stack; the changes
    of LoRA add up.

    Each takes for the model's what those before it made of it. What logits stand for are the labels
    of the last that has a head. An adapter that has a module in full (``modules_to_save``,
    ``bias``) has it with all of them; two of the same module are INCOMPATIBLE.

    >>> graft.Session(model, tokenizer, graft.stack(language, task)).classify(texts)
    """
    members = _members(adapters)
    out = c_void_p()
    lib.graft_composition_stack(_handles(members), len(members), byref(out))
    return Composition._made(out)


def average(*adapters: Adapter | Composition, weights: Iterable[float] | None = None) -> Composition:
    """Several at once: at each place of the model the weighted mean of what each makes of it, as
    AdapterHub's Average.

    What logits stand for are the labels of the last that has a head. An adapter that has a module
    in full is INCOMPATIBLE.

    :param weights: one for each, at least 0; they are divided by their sum. None: equal ones.
    """
    members = _members(adapters)
    numbers = None
    if weights is not None:
        given = [c_number(c_float, weight, "weights") for weight in weights]
        if len(given) != len(members):
            raise invalid(f"weights: expected {len(members)}, found {len(given)}")
        numbers = (c_float * len(given))(*given)
    out = c_void_p()
    lib.graft_composition_average(_handles(members), numbers, len(members), byref(out))
    return Composition._made(out)


def _members(adapters: tuple[Adapter | Composition, ...]) -> list[Composition]:
    members = [composition for composition in compositions(adapters) if composition is not None]
    if len(members) != len(adapters):
        raise TypeError("expected adapters and compositions, found None")
    return members


def _handles(members: list[Composition]) -> Array[c_void_p]:
    """Their pointers, while they live."""
    return (c_void_p * len(members))(*[member.pointer.value for member in members])


#: What may act on a row: an adapter as trained, a composition, or what the session has.
RowAdapter = Adapter | Composition | None


@contextmanager
def acting(adapter: Adapter | Composition) -> Iterator[Composition]:
    """An adapter as trained, or a composition, for a call."""
    if isinstance(adapter, Composition):
        yield adapter
    else:
        with Composition(adapter) as composition:
            yield composition


def compositions(adapters: Iterable[RowAdapter]) -> list[Composition | None]:
    """What acts on each row; rows of one adapter share its composition."""
    rows = as_list(adapters, "adapters", "adapters, one for each row")
    made: dict[int, Composition] = {}
    for row, adapter in enumerate(rows):
        if adapter is not None and not isinstance(adapter, Composition):
            if id(adapter) not in made:
                made[id(adapter)] = Composition(adapter)
            rows[row] = made[id(adapter)]
    return rows


def tasks() -> list[str]:
    """The tasks that an adapter may have a head for."""
    return [lib.graft_task_name(index).decode() for index in range(lib.graft_task_count())]


def adapter_methods() -> list[str]:
    """The methods this library trains."""
    return [lib.graft_adapter_method_name(index).decode() for index in range(lib.graft_adapter_method_count())]
