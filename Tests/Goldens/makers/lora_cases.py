"""The LoRA cases: what to ask of PEFT, and what to change in the file it writes."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Case:
    """One adapter folder.

    `settings` go to LoraConfig. `edits` replace fields of the saved adapter_config.json: PEFT
    resolves null and "all-linear" before saving, but files that still hold them exist. `dtype` is
    the type the tensors are stored in. What is `pruned` lacks ranks at random.
    """

    name: str
    about: str
    settings: dict = field(default_factory=dict)
    edits: dict = field(default_factory=dict)
    task: str | None = "SEQ_CLS"
    dtype: str = "float32"
    pruned: bool = False


QV = ["query", "value"]

CASES = [
    Case("default", "Every setting at PEFT's default."),
    Case("rank-and-alpha", "The factor is alpha / r = 4.", dict(r=4, lora_alpha=16, target_modules=QV)),
    Case("rslora", "The factor is alpha / sqrt(r).", dict(r=4, lora_alpha=16, use_rslora=True, target_modules=QV)),
    Case("dropout", "Dropout does nothing at inference.", dict(r=2, lora_dropout=0.5, target_modules=QV)),
    Case(
        "patterns",
        "Several rank and alpha patterns match a module: the first in the file's order decides.",
        dict(
            r=3,
            lora_alpha=6,
            target_modules=["query", "key", "value"],
            rank_pattern={r"encoder.layer.0.attention.self.query": 2, r"layer\.1\..*": 4, "query": 5, "value": 1},
            alpha_pattern={r".*\.0\..*value": 9, "self.key": 3, "value": 20},
        ),
    ),
    Case(
        "patterns-rslora",
        "rsLoRA takes the root of each module's own rank.",
        dict(
            r=4, lora_alpha=8, use_rslora=True, target_modules=QV, rank_pattern={"query": 9}, alpha_pattern={"value": 3}
        ),
    ),
    Case(
        "patterns-unsorted",
        "A file whose patterns are not in alphabetical order: the file's order still decides.",
        dict(r=2, lora_alpha=4, target_modules=QV),
        edits=dict(
            alpha_pattern={
                "query": 10,
                r"encoder.layer.0.attention.self.query": 1,
                "attention.self.value": 6,
                "value": 2,
            }
        ),
    ),
    Case(
        "targets-list",
        "Four names of modules.",
        dict(r=2, target_modules=["query", "key", "value", "attention.output.dense"]),
    ),
    Case(
        "targets-suffix",
        "One name that ends several paths, the pooler's among them.",
        dict(r=2, target_modules=["dense"]),
    ),
    Case(
        "targets-feed-forward",
        "Both feed-forward products.",
        dict(r=4, target_modules=["intermediate.dense", r"1.output.dense"]),
    ),
    Case("targets-full-path", "One full path.", dict(r=2, target_modules=["bert.encoder.layer.1.attention.self.key"])),
    Case(
        "targets-regex", "A text is a regular expression.", dict(r=2, target_modules=r".*layer\.1\..*\.(query|value)")
    ),
    Case("targets-all-linear", "all-linear as PEFT saves it: resolved.", dict(r=2, target_modules="all-linear")),
    Case(
        "targets-all-linear-unresolved",
        "all-linear as a file may still hold it; case does not matter.",
        dict(r=2, target_modules="all-linear"),
        edits=dict(target_modules="All-Linear"),
    ),
    Case("targets-null", "No targets: the default of the architecture.", dict(r=2), edits=dict(target_modules=None)),
    Case(
        "exclude-list",
        "Excluded names are tested first.",
        dict(r=2, target_modules=["query", "dense"], exclude_modules=["pooler.dense", "intermediate.dense"]),
    ),
    Case(
        "exclude-regex",
        "A text in exclude_modules is a regular expression.",
        dict(r=2, target_modules=QV, exclude_modules=r".*layer\.0.*query"),
    ),
    Case("layers-list", "Only some layers.", dict(r=2, target_modules=QV, layers_to_transform=[1])),
    Case("layers-number", "A number is one layer.", dict(r=2, target_modules=QV, layers_to_transform=0)),
    Case(
        "layers-pattern",
        "The name before the layer's number is given.",
        dict(r=2, target_modules=QV, layers_to_transform=[1], layers_pattern="layer"),
    ),
    Case(
        "modules-to-save-pooler",
        "A whole module is trained and stored beside the classifier.",
        dict(r=2, target_modules=QV, modules_to_save=["pooler"]),
    ),
    Case(
        "modules-to-save-pooler-dense",
        "The same weights, named by the inner module.",
        dict(r=2, target_modules=QV, modules_to_save=["classifier", "pooler.dense"]),
    ),
    Case("bias-all", "Every bias of the model travels with the adapter.", dict(r=2, target_modules=QV, bias="all")),
    Case("bias-lora-only", "The biases of the targets travel with it.", dict(r=2, target_modules=QV, bias="lora_only")),
    Case(
        "lora-bias", "B has a bias, scaled like the rest.", dict(r=2, lora_alpha=6, target_modules=QV, lora_bias=True)
    ),
    Case(
        "lora-bias-and-bias-all",
        "Both kinds of bias in one file.",
        dict(r=2, target_modules=QV, lora_bias=True, bias="all"),
    ),
    Case(
        "embedding-word",
        "The word embeddings are a target: no `.weight` in their names.",
        dict(r=3, lora_alpha=6, target_modules=["word_embeddings", "query"]),
    ),
    Case(
        "embedding-all",
        "All three embeddings are targets.",
        dict(r=2, target_modules=["word_embeddings", "position_embeddings", "token_type_embeddings", "value"]),
    ),
    Case(
        "init-gaussian",
        "A setting that matters to training only.",
        dict(r=2, target_modules=QV, init_lora_weights="gaussian"),
    ),
    Case(
        "init-random", "A setting that matters to training only.", dict(r=2, target_modules=QV, init_lora_weights=False)
    ),
    Case("target-pooler", "The pooler's product is the only target.", dict(r=2, target_modules=["pooler.dense"])),
    Case(
        "no-task",
        "No task: the classifier is the base model's, and auto_mapping is written.",
        dict(r=2, target_modules=QV),
        task=None,
    ),
    Case(
        "target-classifier",
        "No task and all-linear: the classifier is a target like any other product.",
        dict(r=2, target_modules="all-linear"),
        task=None,
    ),
    Case(
        "feature-extraction",
        "Trained on the bare encoder: no `bert.` in the names.",
        dict(r=2, target_modules=QV),
        task="FEATURE_EXTRACTION",
    ),
    Case(
        "feature-extraction-dense",
        "The bare encoder, every product but the pooler's, and every bias.",
        dict(r=2, target_modules=["dense", "key"], exclude_modules=["pooler.dense"], bias="all"),
        task="FEATURE_EXTRACTION",
    ),
    Case(
        "stored-float16",
        "Tensors stored in float16 are computed with in float32.",
        dict(r=4, target_modules=QV),
        dtype="float16",
    ),
    Case(
        "stored-bfloat16",
        "Tensors stored in bfloat16 are computed with in float32.",
        dict(r=4, target_modules=QV),
        dtype="bfloat16",
    ),
    Case("dora", "A magnitude for each output.", dict(r=4, lora_alpha=6, target_modules=QV, use_dora=True)),
    Case(
        "dora-all-linear",
        "Every product, every bias, and another factor.",
        dict(r=2, target_modules="all-linear", use_dora=True, bias="all", use_rslora=True),
    ),
    Case(
        "dora-embeddings",
        "A magnitude for each column of a table.",
        dict(r=2, target_modules=["word_embeddings", "position_embeddings", "token_type_embeddings"], use_dora=True),
    ),
    Case(
        "dora-patterns",
        "Ranks and factors of their own, a module in full, stored in float16.",
        dict(
            r=3,
            target_modules=["query", "intermediate.dense"],
            rank_pattern={"query": 2},
            alpha_pattern={"dense": 5},
            modules_to_save=["pooler"],
            use_dora=True,
        ),
        dtype="float16",
    ),
]
