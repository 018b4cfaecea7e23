"""The quality recipe in PEFT or AdapterHub: a labelled data set, test accuracy and seconds for each
seed.

A method of methods.py: LoRA with dropout 0.1; seq_bn with AdapterHub's head of two layers; virtual
rows. The model's own dropout 0.1, AdamW with the method's rate (1e-3 for LoRA and seq_bn) and decay
0.01, linear schedule with 6 % warm-up, gradients clipped to norm 1, batches of 32 grouped by
length, five epochs.
"""

import math

import settings
from data import DATA_SETS, length_grouped_batches, quality_data, quality_parser
from methods import METHODS
from peers.adapted_model import PRECISIONS, collate, load, load_tokenizer, torch_for, train as train_model

BATCH_ROWS, MAXIMUM_TOKENS = 32, 128

parser = quality_parser(__doc__)
parser.add_argument("--method", choices=list(METHODS), default="lora")
parser.add_argument("--precision", choices=PRECISIONS, default="medium")
arguments = parser.parse_args()

torch = torch_for(arguments.precision)

train, test, names = quality_data(arguments)
data_set = DATA_SETS[arguments.data]
tokenizer = load_tokenizer(data_set.model)
tokenizer.enable_truncation(MAXIMUM_TOKENS)
train_ids = [encoding.ids for encoding in tokenizer.encode_batch(train.texts)]
test_ids = [encoding.ids for encoding in tokenizer.encode_batch(test.texts)]


def accuracy(model) -> float:
    model.eval()
    right = 0
    with torch.inference_mode():
        for start in range(0, len(test), 64):
            predicted = model(**collate(test_ids[start : start + 64])).logits.argmax(-1).tolist()
            right += sum(a == b for a, b in zip(predicted, test.labels[start : start + 64], strict=True))
    return right / len(test)


def losses(model, seed: int):
    lengths = [len(ids) for ids in train_ids]
    for epoch in range(arguments.epochs):
        for rows in length_grouped_batches(lengths, BATCH_ROWS, seed * arguments.epochs + epoch):
            batch = collate([train_ids[i] for i in rows]) | {"labels": torch.tensor([train.labels[i] for i in rows])}
            with torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.precision == "bfloat16"):
                loss = model(**batch).loss
            yield loss


for seed in arguments.seeds:
    torch.manual_seed(seed)
    total = arguments.epochs * math.ceil(len(train) / BATCH_ROWS)
    model = load(
        data_set.model,
        len(names),
        model_dropout=0.1,
        lora_dropout=0.1,
        method=arguments.method,
        steps=total,
        learns_pooler=data_set.learns_pooler,
    ).train()
    rate = METHODS[arguments.method].learning_rate
    seconds = train_model(model, losses(model, seed), total, rate)
    result = {"method": arguments.method, "data": arguments.data, "precision": arguments.precision, "seed": seed, "train_seconds": seconds}
    settings.emit("quality", side=METHODS[arguments.method].side, **result, test_accuracy=round(accuracy(model), 5))
