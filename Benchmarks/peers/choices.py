"""Which of four sentences of its paragraph answers a question, in PEFT and transformers: a BERT of
two layers on the questions of some articles of XQuAD; of other articles' questions the accuracy,
for each seed.

The class of transformers for multiple choice with its loss, pairs of up to 128 tokens, batches of 8
questions, a rate of 2e-3; for the rest scored_groups.py.
"""

import settings
from groups import CHOICE_RECIPE, Groups, choice_parser, choices
from peers.scored_groups import all_scores, encode, learn, load, torch
from transformers import AutoModelForMultipleChoice

arguments = choice_parser(__doc__).parse_args()
train, test = choices()


def output(model, part: Groups, rows: list[int], **labels):
    tokens = encode(part, rows, CHOICE_RECIPE)
    return model(**{name: values.view(len(rows), CHOICE_RECIPE.candidates, -1) for name, values in tokens.items()}, **labels)


def loss(model, rows: list[int]):
    return output(model, train, rows, labels=torch.tensor([train.right[row] for row in rows])).loss


def accuracy(model) -> float:
    found = all_scores(model, test, CHOICE_RECIPE, lambda *of: output(*of).logits)
    right = sum(own.index(max(own)) == place for own, place in zip(found, test.right, strict=True))
    return round(right / len(test), 4)


for seed in arguments.seeds:
    model = load(AutoModelForMultipleChoice, seed)
    before = accuracy(model)
    seconds = learn(model, len(train), CHOICE_RECIPE, loss, arguments.epochs, seed)
    settings.emit(
        "choices", side="PEFT", seed=seed, train_seconds=seconds, before=before, test_accuracy=accuracy(model)
    )
