"""The rows of the benchmark table: what is run on both sides, which figure is compared, and the
goal.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass

from data import ANSWER_SETS, DATA_SETS, TAG_SETS, TOKENIZED
from groups import RANKING_LOSSES
from methods import METHODS
from settings import TOKENIZERS, TRAINING_SHAPES
from tasks import TASKS
from texts import TEXT_TASKS


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


def task_rows() -> list[Row]:
    """Training and predictions of the tasks of tasks.py that are not classification."""
    made = []
    for task in ("tagging", "answering", "embeddings"):
        rows, tokens = TASKS[task].shapes[-1]
        for ours, theirs, goal in (("float32", "medium", 1.5), ("bfloat16", "bfloat16", 1.8)):
            common = {"task": task, "rows": rows, "tokens": tokens}
            graft = Run("Graft", "ours.training_step", arguments(precision=ours, **common))
            peer = Run(f"PEFT {theirs}", "peers.training_step", arguments(precision=theirs, **common))
            work = f"{task}, minilm {rows}×{tokens}, {ours}"
            made.append(Row(f"LoRA step, {work}", graft, (peer,), goal))
            made.append(Row(f"peak memory of LoRA steps, {work}", graft, (peer,), 3.0, figure="peak_mb"))
            graft = Run("Graft", "ours.predicting", arguments(task=task, precision=ours))
            peft = Run(f"PEFT {theirs}", "peers.predicting", arguments(task=task, engine=theirs))
            onnx = tuple(Run(e, "peers.predicting", arguments(task=task, engine=e)) for e in ("onnx", "onnx-fused"))
            for shape in TASKS[task].shapes:
                where = tuple(zip(("rows", "tokens"), shape))
                work = f"prediction, {task}, minilm {shape[0]}×{shape[1]}, {ours}"
                made.append(Row(f"{work}, PEFT", graft, (peft,), goal, where=where))
                if ours == "float32":
                    made.append(Row(f"{work}, ONNX Runtime", graft, onnx, 1.2, where=where))
    return made


def language_model_rows() -> list[Row]:
    """Full-length steps: time and peak memory."""
    shapes = (
        ("smollm2-135m", "4×256, causal LM", {}, 4.0),
        ("gpt2-small", "4×256, causal LM", {}, 4.0),
        ("qwen2.5-0.5b", "4×256, causal LM", {}, 4.0),
        ("t5-small", "16×64→64", {"rows": 16, "tokens": 64, "targets": 64}, 3.0),
    )
    made = []
    for model, shape, size, memory in shapes:
        for ours, theirs, goal in (("float32", "medium", 1.4), ("bfloat16", "bfloat16", 1.7)):
            common = {"model": model, **size}
            graft = Run("Graft", "ours.language_step", arguments(precision=ours, **common))
            peer = Run(f"PEFT {theirs}", "peers.peft_language_step", arguments(precision=theirs, **common))
            work = f"{model} {shape}, {ours}"
            made.append(Row(f"LoRA step, {work}", graft, (peer,), goal))
            made.append(Row(f"peak memory of LoRA steps, {work}", graft, (peer,), memory, figure="peak_mb"))
    common = {"model": "llama-1b", "rows": 1, "precision": "bfloat16"}
    short = arguments(**common, tokens=256, repeats=3)
    graft, peer = Run("Graft", "ours.language_step", short), Run("PEFT bfloat16", "peers.peft_language_step", short)
    made.append(Row("LoRA step, llama-1b 1×256, causal LM, bfloat16", graft, (peer,), 1.5))
    made.append(Row("peak memory of LoRA steps, llama-1b 1×256, causal LM, bfloat16", graft, (peer,), 0, figure="peak_mb"))
    # The same library is the other side: layers once more backward may take 1.35 times as long.
    long = arguments(**common, tokens=2048, repeats=1)
    graft = Run("Graft, recomputing", "ours.language_step", (*long, "--recompute"))
    keeping = Run("Graft, keeping all", "ours.language_step", long)
    work = "llama-1b 1×2048, causal LM, bfloat16"
    made.append(Row(f"LoRA step, {work}, layers recomputed", graft, (keeping,), 1 / 1.35))
    made.append(Row(f"peak memory of LoRA steps, {work}, layers recomputed", graft, (keeping,), 0, figure="peak_mb"))
    return made


def generating_rows(models: str) -> list[Row]:
    """The real SmolLM2 beside llama.cpp with the same file, and PEFT."""
    made = []
    for precision in ("float32", "bfloat16"):
        work = {
            "reading 512 tokens": ({"context": 512, "steps": 0}, 2.2),
            "decode, batch 1": ({}, 1.3),
        }
        for name, (settings, goal) in work.items():
            both = arguments(precision=precision, **settings)
            llama = Run("llama.cpp", "peers.llama_generating", both)
            made.append(Row(f"{name}, smollm2-135m, {precision}", Run("Graft", "ours.generating", both), (llama,), goal))
        mixed = (*arguments(precision=precision, rows=8), "--adapters")
        graft, llama = Run("Graft", "ours.generating", mixed), Run("llama.cpp", "peers.llama_generating", mixed)
        name = f"a token of 8 rows with 8 adapters, smollm2-135m, {precision}"
        made.append(Row(f"{name}, one by one", graft, (llama,), 3.0))
        made.append(Row(f"{name}, one batch", graft, (Run("PEFT", "peers.peft_generating", mixed),), 5.0))
    file = (f"{models}/smollm2-135m-bfloat16.gguf",)
    graft, llama = Run("Graft", "ours.first_token", file), Run("llama.cpp", "peers.llama_first_token", file)
    name = "process start → first token, smollm2-135m, bfloat16, from Python"
    return [*made, Row(name, graft, (llama,), 1.0, figure="process_ms")]


def translating_rows() -> list[Row]:
    made = []
    for beams, name in ((1, "greedy"), (4, "4 beams")):
        both = arguments(beams=beams)
        graft = Run("Graft", "ours.translating", both)
        for engine, goal in (("ctranslate2", 1.0), ("transformers", 4.0)):
            peer = Run(engine, "peers.translating", (*both, "--engine", engine))
            made.append(Row(f"64 translations, marian-enpt, {name}, {engine}", graft, (peer,), goal))
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
    """Two data sets with each method, the others with LoRA; `options` are those of
    data.quality_parser.
    """
    made = []
    for method, peer in METHODS.items():
        for data, data_set in DATA_SETS.items():
            if method != "lora" and data not in ("trec6", "sst2"):
                continue
            in_c = method == "lora" and not data_set.learns_pooler
            recipe = arguments(data=data) + options
            both = arguments(method=method) + recipe
            made.append(
                QualityRow(
                    data,
                    method,
                    Run(peer.side, "peers.quality", both, peer.python),
                    Run("Graft", "ours.quality", both),
                    Run("Graft in C", "ours.quality_in_c", recipe) if in_c else None,
                )
            )
    return made


@dataclass(frozen=True)
class LearningRow:
    """One recipe on both sides, seed by seed, and a figure that both print; `met` is asked for the
    means of the peer and of Graft.
    """

    work: str
    figure: str
    ours: Run
    peer: Run
    goal: str
    met: Callable[[float, float], bool]
    #: The peer's figure, where it is another.
    peer_figure: str = ""


def learning_rows(seeds: tuple[str, ...]) -> list[LearningRow]:
    """`seeds` are arguments. What models learn to write is trained in the same order from the same
    weights, so that losses are as near as rounding lets them.
    """
    near = "≤ 1 % apart", lambda theirs, ours: abs(ours / theirs - 1) <= 0.01
    as_good = "≥ peer − 0.007", lambda theirs, ours: ours >= theirs - 0.007
    made = []
    for task in TEXT_TASKS:
        both = arguments(task=task) + seeds
        runs = Run("Graft", "ours.text_quality", both), Run("PEFT", "peers.text_quality", both)
        for figure in ("before", "after"):
            made.append(LearningRow(f"{task}, loss {figure}", figure, *runs, *near))
        made.append(LearningRow(f"{task}, loss after, Graft's adapter in PEFT", "after", *runs, *near, "graft_after"))
        for figure in ("bleu", "chrf", "rougeL"):
            made.append(LearningRow(f"{task}, {figure} of texts", figure, *runs, "–", lambda theirs, ours: True))
    for data in TAG_SETS:
        both = arguments(data=data) + seeds
        runs = Run("Graft", "ours.tag_quality", both), Run("PEFT", "peers.tag_quality", both)
        made.append(LearningRow(f"entities of {data}, F1", "entity_f1", *runs, *as_good))
    for data in ANSWER_SETS:
        both = arguments(data=data) + seeds
        runs = Run("Graft", "ours.answers", both), Run("PEFT", "peers.answers", both)
        work = f"answers of XQuAD, {data}"
        made += [LearningRow(f"{work}, {figure}", figure, *runs, *as_good) for figure in ("exact_match", "f1")]
    runs = Run("Graft", "ours.embedding_quality", seeds), Run("PEFT", "peers.embedding_quality", seeds)
    made.append(LearningRow("vectors of STS-B, Spearman", "test_spearman", *runs, *as_good))
    runs = Run("Graft", "ours.regression", seeds), Run("PEFT", "peers.regression", seeds)
    work = "numbers of STS-B"
    made += [LearningRow(f"{work}, {figure}", figure, *runs, *as_good) for figure in ("pearson", "spearman")]
    runs = Run("Graft", "ours.retrieval", seeds), Run("PEFT", "peers.retrieval", seeds)
    work = "paragraphs of XQuAD"
    made += [LearningRow(f"{work}, {figure}", figure, *runs, *as_good) for figure in ("ndcg_at_10", "mrr")]
    runs = Run("Graft", "ours.choices", seeds), Run("PEFT", "peers.choices", seeds)
    made.append(LearningRow("choices of XQuAD, accuracy", "test_accuracy", *runs, *as_good))
    for loss in RANKING_LOSSES:
        both = arguments(loss=loss) + seeds
        runs = Run("Graft", "ours.rankings", both), Run("PEFT", "peers.rankings", both)
        work = f"rankings of XQuAD, {loss}"
        made += [LearningRow(f"{work}, {figure}", figure, *runs, *as_good) for figure in ("ndcg_at_10", "mrr")]
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


def cost_runs() -> list[tuple[str, Run, float]]:
    """What a step of texts under way costs more than one after 100 tokens without adapters, and at
    most may."""
    mixed = (*arguments(rows=8), "--adapters")
    return [
        ("a token after 2,000 tokens", Run("Graft", "ours.generating", arguments(context=2000)), 0.25),
        ("8 rows with 8 adapters", Run("Graft", "ours.generating", mixed), 0.1),
    ]


def all_rows(models: str) -> list[Row]:
    return (
        training_rows()
        + bottleneck_rows()
        + method_rows()
        + task_rows()
        + language_model_rows()
        + generating_rows(models)
        + translating_rows()
        + ragged_rows()
        + encoder_rows()
        + first_embedding_rows(models)
        + tokenizer_rows()
    )
