"""The rows of the benchmark table: what is run on both sides, which figure is compared, and the
goal.
"""

import sys
from dataclasses import dataclass

from data import DATA_SETS, TOKENIZED
from methods import METHODS
from settings import TOKENIZERS, TRAINING_SHAPES


@dataclass(frozen=True)
class Run:
    """One process: a module below this folder with its arguments, and the Python that has its
    packages.
    """

    side: str
    module: str
    arguments: tuple[str, ...] = ()
    python: str = sys.executable


@dataclass(frozen=True)
class Row:
    """`peers` are alternatives, of which the best counts. The ratio is peer / Graft: above 1 is
    better than the peer.

    A goal of 0 is no goal: the row informs.
    """

    work: str
    ours: Run
    peers: tuple[Run, ...]
    goal: float
    figure: str = "median_ms"
    where: tuple[tuple[str, int | str], ...] = ()


def arguments(**values) -> tuple[str, ...]:
    return tuple(part for name, value in values.items() for part in (f"--{name}", str(value)))


def training_rows() -> list[Row]:
    """Full-length steps: the time of each precision at dropout 0.1 and at 0, and the peak memory.
    """
    goals = {
        ("minilm", 32, 64): (1.5, 1.8, 3.0),
        ("bert-base", 16, 128): (1.4, 1.6, 3.0),
        ("bert-base", 8, 512): (2.8, 3.5, 5.0),
    }
    made = []
    for (model, rows, tokens), (float32, bfloat16, memory) in goals.items():
        repeats = 5 if tokens == 512 else 7
        for ours, theirs, goal in (("float32", "medium", float32), ("bfloat16", "bfloat16", bfloat16)):
            for dropout in (0.1, 0.0):
                common = {"model": model, "rows": rows, "tokens": tokens, "dropout": dropout, "repeats": repeats}
                graft = Run("Graft", "ours.training_step", arguments(precision=ours, **common))
                peer = Run(f"PEFT {theirs}", "peers.training_step", arguments(precision=theirs, **common))
                work = f"LoRA step, {model} {rows}×{tokens}, {ours}, dropout {dropout}"
                made.append(Row(work, graft, (peer,), goal if dropout else 0.0))
                if dropout:
                    work = f"peak memory of LoRA steps, {model} {rows}×{tokens}, {ours}"
                    made.append(Row(work, graft, (peer,), memory, figure="peak_mb"))
    return made


def bottleneck_rows() -> list[Row]:
    """Full-length steps with AdapterHub's seq_bn: time and peak memory."""
    made = []
    for model, rows, tokens in (("minilm", 32, 64), ("bert-base", 16, 128)):
        for ours, theirs, goal in (("float32", "medium", 1.4), ("bfloat16", "bfloat16", 1.6)):
            common = {"method": "bottleneck", "model": model, "rows": rows, "tokens": tokens}
            graft = Run("Graft", "ours.training_step", arguments(precision=ours, **common))
            peer = Run(
                f"AdapterHub {theirs}",
                "peers.training_step",
                arguments(precision=theirs, **common),
                python=METHODS["bottleneck"].python,
            )
            work = f"{model} {rows}×{tokens}, {ours}"
            made.append(Row(f"bottleneck step, {work}", graft, (peer,), goal))
            made.append(
                Row(f"peak memory of bottleneck steps, {work}", graft, (peer,), 3.0, figure="peak_mb")
            )
    return made


def method_rows() -> list[Row]:
    """Full-length steps of PEFT's other methods: time and peak memory."""
    made = []
    names = (("adalora", "AdaLoRA"), ("prefix_tuning", "prefix-tuning"), ("prompt_tuning", "prompt tuning"))
    for method, name in names:
        common = {"method": method, "model": "minilm", "rows": 32, "tokens": 64}
        graft = Run("Graft", "ours.training_step", arguments(precision="float32", **common))
        peer = Run("PEFT medium", "peers.training_step", arguments(precision="medium", **common))
        work = "minilm 32×64, float32"
        made.append(Row(f"{name} step, {work}", graft, (peer,), 1.4))
        made.append(Row(f"peak memory of {name} steps, {work}", graft, (peer,), 3.0, figure="peak_mb"))
    return made


def language_model_rows() -> list[Row]:
    made = []
    for ours, theirs, goal in (("float32", "medium", 1.4), ("bfloat16", "bfloat16", 1.7)):
        graft = Run("Graft", "ours.language_step", arguments(precision=ours))
        peer = Run(f"PEFT {theirs}", "peers.peft_language_step", arguments(precision=theirs))
        work = f"smollm2-135m 4×256, causal LM, {ours}"
        made.append(Row(f"LoRA step, {work}", graft, (peer,), goal))
        made.append(Row(f"peak memory of LoRA steps, {work}", graft, (peer,), 4.0, figure="peak_mb"))
    return made


def ragged_rows() -> list[Row]:
    return [
        Row(
            f"LoRA steps, SST-2 sentences, 32 rows, {ours}",
            Run("Graft", "ours.ragged_steps", arguments(precision=ours)),
            (Run(f"PEFT {theirs}", "peers.peft_ragged", arguments(precision=theirs)),),
            2.0,
        )
        for ours, theirs in (("float32", "medium"), ("bfloat16", "bfloat16"))
    ]


def encoder_rows() -> list[Row]:
    goals = {(1, 32): 1.3, (1, 128): 1.2, (8, 128): 1.1, (32, 128): 1.1}
    made = []
    for model in ("minilm", "bert-base"):
        onnx = tuple(Run(e, "peers.encoder", arguments(model=model, engine=e)) for e in ("onnx", "onnx-fused"))
        compiled = Run("torch.compile", "peers.encoder", arguments(model=model, engine="torch-compile-bfloat16"))
        for precision, peers in (("float32", onnx), ("bfloat16", (compiled,))):
            graft = Run("Graft", "ours.encoder", arguments(model=model, precision=precision))
            for (rows, tokens), goal in goals.items():
                made.append(
                    Row(
                        f"encoder forward, {model} {rows}×{tokens}, {precision}",
                        graft,
                        peers,
                        goal if precision == "float32" else 1.1,
                        where=(("rows", rows), ("tokens", tokens)),
                    )
                )
            if (model, precision) == ("minilm", "float32"):
                shape = (("rows", 32), ("tokens", 128))
                made.append(
                    Row("peak memory of encoder, minilm 32×128", graft, peers, 2.0, figure="peak_mb", where=shape)
                )
    return made


def first_embedding_rows(models: str) -> list[Row]:
    graft = Run("Graft", "ours.first_embedding", (models,))
    onnx = tuple(
        Run(name, "peers.onnx_first_embedding", (models, file))
        for name, file in (("onnx", "minilm.onnx"), ("onnx-fused", "minilm.fused.onnx"))
    )
    return [Row("process start → first embedding, minilm, from Python", graft, onnx, 2.0, figure="process_ms")]


def tokenizer_rows() -> list[Row]:
    """Encoding one by one, on one thread; the peer may take all texts in one call."""
    made = []
    for name in TOKENIZERS:
        graft = Run("Graft", "ours.tokenizing", arguments(tokenizer=name))
        peers = tuple(
            Run(call, "peers.tokenizing", arguments(tokenizer=name, call=call)) for call in ("encode", "encode_batch")
        )
        for texts in TOKENIZED:
            where = (("texts", texts),)
            made.append(Row(f"tokenizer {name}, {texts}", graft, peers, 1.0, figure="ms_per_mb", where=where))
    return made


@dataclass(frozen=True)
class QualityRow:
    """One recipe on every side; what of it has no program in C has no such run."""

    data: str
    method: str
    peer: Run
    ours: Run
    in_c: Run | None


def quality_rows(options: tuple[str, ...]) -> list[QualityRow]:
    """Both data sets with each method; `options` are those of data.quality_parser."""
    made = []
    for method, peer in METHODS.items():
        for data in DATA_SETS:
            recipe = arguments(data=data) + options
            both = arguments(method=method) + recipe
            made.append(
                QualityRow(
                    data,
                    method,
                    Run(peer.side, "peers.quality", both, peer.python),
                    Run("Graft", "ours.quality", both),
                    Run("Graft in C", "ours.quality_in_c", recipe) if method == "lora" else None,
                )
            )
    return made


def dropout_runs() -> list[tuple[str, Run]]:
    """What dropout costs each of the training steps."""
    made = []
    for model, shapes in TRAINING_SHAPES.items():
        for rows, tokens in shapes:
            for precision in ("float32", "bfloat16"):
                step = arguments(model=model, rows=rows, tokens=tokens, precision=precision)
                made.append((f"LoRA step, {model} {rows}×{tokens}, {precision}", Run("Graft", "ours.dropout_cost", step)))
    return made


def all_rows(models: str) -> list[Row]:
    return (
        training_rows()
        + bottleneck_rows()
        + method_rows()
        + language_model_rows()
        + ragged_rows()
        + encoder_rows()
        + first_embedding_rows(models)
        + tokenizer_rows()
    )
