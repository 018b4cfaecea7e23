"""Which paragraph answers a question, by their vectors, in PEFT below a loss of
sentence-transformers: a BERT of two layers on the questions of some articles of XQuAD; of other
articles' questions the nDCG@10 and MRR among the paragraphs of all articles, for each seed.

The loss has the other paragraphs of the batch as negatives, which may be the same one: a paragraph
has several questions, and batches are random on both sides. LoRA of rank 16 on all linear modules
with dropout 0.1, the model's own dropout 0.1, mean pooling, texts of up to 256 tokens, AdamW with
rate 2e-3 and decay 0.01, linear schedule with 6 % warm-up, gradients clipped to norm 1, batches of
32 pairs. The measures are Graft's, which equal scikit-learn's and trec_eval's.
"""

import math

import settings
from data import LINEAR_LORA, RETRIEVAL_RECIPE, retrieval, retrieval_parser, shuffled
from peers.adapted_model import collate, load_tokenizer, pair_loss, torch_for, train as train_model, vectors

arguments = retrieval_parser(__doc__).parse_args()
torch = torch_for("medium")
from peft import LoraConfig, get_peft_model  # noqa: E402
from transformers import AutoModel  # noqa: E402

SIZE = RETRIEVAL_RECIPE["pairs_per_batch"]
data = retrieval()
tokenizer = load_tokenizer(RETRIEVAL_RECIPE["model"])
tokenizer.enable_truncation(RETRIEVAL_RECIPE["maximum_length"])
loss_of = pair_loss("in_batch_negatives")


def embed(model, texts: list[str]):
    return vectors(model, collate([encoding.ids for encoding in tokenizer.encode_batch(texts)]))


def measured(model) -> dict[str, float]:
    model.eval()
    with torch.inference_mode():
        stored, asked = (
            torch.cat([embed(model, texts[first : first + 64]) for first in range(0, len(texts), 64)])
            for texts in (data.paragraphs, data.questions)
        )
    return data.measured((asked @ stored.T).tolist())


def losses(model, seed: int):
    for epoch in range(arguments.epochs):
        order = shuffled(len(data.train), seed * arguments.epochs + epoch)
        for first in range(0, len(order), SIZE):
            questions, paragraphs = map(list, zip(*(data.train[row] for row in order[first : first + SIZE])))
            yield loss_of([embed(model, questions), embed(model, paragraphs)], None)


for seed in arguments.seeds:
    torch.manual_seed(seed)
    base = AutoModel.from_pretrained(RETRIEVAL_RECIPE["model"], dtype=torch.float32)
    model = get_peft_model(base, LoraConfig(task_type="FEATURE_EXTRACTION", **LINEAR_LORA))
    before = measured(model)
    model.train()
    total = arguments.epochs * math.ceil(len(data.train) / SIZE)
    seconds = train_model(model, losses(model, seed), total, RETRIEVAL_RECIPE["learning_rate"])
    settings.emit("retrieval", side="PEFT", seed=seed, train_seconds=seconds, before=before, **measured(model))
