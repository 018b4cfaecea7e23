"""The quality recipe in Graft: the settings, epochs and batches of peers/quality.py, which are
grouped by length there to save padding."""

import math
import time

import graft
import settings
from data import DATA_SETS, quality_data, quality_parser
from methods import METHODS
from ours.adapted_model import load_model, make_adapter

parser = quality_parser(__doc__)
parser.add_argument("--method", choices=list(METHODS), default="lora")
parser.add_argument("--precision", choices=("float32", "bfloat16"), default="float32")
arguments = parser.parse_args()

RECIPE = {
    "learning_rate": METHODS[arguments.method].learning_rate,
    "weight_decay": 0.01,
    "schedule": "linear",
    "warmup_ratio": 0.06,
    "maximum_gradient_norm": 1.0,
    "rows_per_batch": 32,
    "epoch_count": arguments.epochs,
    "group_by_length": 1,
    "threads": settings.THREADS,
}

train_rows, test_rows, names = quality_data(arguments)
data_set = DATA_SETS[arguments.data]
model = load_model(data_set.model, arguments.precision)
tokenizer = graft.Tokenizer(data_set.model)
train, test = (
    graft.Dataset(tokenizer, part.texts, part.labels, label_names=names, maximum_length=128)
    for part in (train_rows, test_rows)
)
for seed in arguments.seeds:
    steps = arguments.epochs * math.ceil(len(train_rows) / RECIPE["rows_per_batch"])
    adapter = make_adapter(
        model,
        names,
        lora_dropout=0.1,
        seed=seed,
        method=arguments.method,
        steps=steps,
        learns_pooler=data_set.learns_pooler,
    )
    with graft.Trainer(model, adapter, seed=seed, **RECIPE) as trainer:
        start = time.perf_counter()
        trainer.fit(train, progress=False)
        seconds = round(time.perf_counter() - start, 1)
        accuracy = round(trainer.evaluate(test).accuracy, 5)
    result = {"method": arguments.method, "data": arguments.data, "precision": arguments.precision, "seed": seed, "train_seconds": seconds}
    settings.emit("quality", side="Graft", **result, test_accuracy=accuracy)
