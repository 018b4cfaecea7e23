"""The IA3 cases, as those of lora_cases."""

from .lora_cases import Case

KV = ["key", "value"]

CASES = [
    Case("default", "PEFT's default targets, the attention's output among the feed-forward modules."),
    Case("no-feed-forward", "Outputs alone are scaled.", dict(target_modules=KV, feedforward_modules=[])),
    Case(
        "all-feed-forward",
        "Inputs alone are scaled, of modules that read the same among them.",
        dict(target_modules=["query", "value", "intermediate.dense"], feedforward_modules=["query", "value", "intermediate.dense"]),
    ),
    Case(
        "mixed",
        "Of modules that read the same, one scales what it reads and one what it gives.",
        dict(target_modules=["query", "key", "output.dense"], feedforward_modules=["key"]),
    ),
    Case(
        "regular-expressions",
        "Texts are regular expressions.",
        dict(target_modules=r".*layer\.1\..*(key|dense)", feedforward_modules=r".*intermediate\.dense"),
    ),
    Case(
        "targets-half-a-name",
        "The end of a path is a feed-forward module's name wherever it begins.",
        dict(target_modules=["intermediate.dense", "dense"], feedforward_modules=["intermediate.dense"]),
        edits=dict(feedforward_modules=["iate.dense"], target_modules=["intermediate.dense", "dense", "iate.dense"]),
    ),
    Case(
        "exclude-and-save",
        "Excluded modules, and one in full.",
        dict(target_modules=["key", "dense"], feedforward_modules=["dense"], exclude_modules=["attention.output.dense"], modules_to_save=["pooler"]),
    ),
    Case("targets-null", "No targets: the defaults of the architecture.", edits=dict(target_modules=None, feedforward_modules=None)),
    Case("all-linear", "Every product, as PEFT saves it.", dict(target_modules="all-linear", feedforward_modules=[])),
    Case("no-task", "No task: the classifier is the base model's.", task=None),
    Case("feature-extraction", "Trained on the bare encoder.", dict(target_modules=KV, feedforward_modules=[]), task="FEATURE_EXTRACTION"),
    Case("stored-float16", "Stored in float16.", dtype="float16"),
]
