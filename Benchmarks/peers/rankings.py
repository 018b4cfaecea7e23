"""Which paragraph answers a question, each read together with it, in PEFT and transformers: a BERT
of two layers on questions of some articles of XQuAD; of other articles' questions the nDCG@10 and
MRR among ten paragraphs, five of them of the same article, for each seed.

The losses are pairwise, -log σ of how much higher the right paragraph's score is than another's
(rank_net, which is BPR), and listwise, the cross-entropy of the scores' softmax against that of 1
for the right paragraph and 0 for the others (list_net). Pairs of up to 128 tokens, batches of 4
questions, a rate of 2e-3; for the rest scored_groups.py. The measures are Graft's, which equal
scikit-learn's and trec_eval's.
"""

import graft
import settings
from data import order_figures
from groups import RANKING_RECIPE, Groups, ranking_parser, rankings
from peers.scored_groups import all_scores, encode, learn, load, torch
from transformers import AutoModelForSequenceClassification

arguments = ranking_parser(__doc__).parse_args()
train, test = rankings(arguments.rows)
relevance = torch.tensor(train.relevance)


def scores(model, part: Groups, rows: list[int]):
    return model(**encode(part, rows, RANKING_RECIPE)).logits.view(len(rows), -1)


def rank_net(found, wanted):
    """The mean over all pairs."""
    differences = found.unsqueeze(2) - found.unsqueeze(1)
    ordered = wanted.unsqueeze(2) > wanted.unsqueeze(1)
    return -torch.nn.functional.logsigmoid(differences[ordered]).mean()


def list_net(found, wanted):
    """The mean over all groups."""
    return torch.nn.functional.cross_entropy(found, wanted.softmax(-1))


LOSSES = {"rank_net": rank_net, "list_net": list_net}


def loss(model, rows: list[int]):
    return LOSSES[arguments.loss](scores(model, train, rows), relevance[rows])


def measured(model) -> dict[str, float]:
    return order_figures(graft.evaluation.rankings(test.relevance, all_scores(model, test, RANKING_RECIPE, scores)))


for seed in arguments.seeds:
    model = load(AutoModelForSequenceClassification, seed, num_labels=1)
    before = measured(model)
    seconds = learn(model, len(train), RANKING_RECIPE, loss, arguments.epochs, seed)
    settings.emit(
        "rankings", side="PEFT", loss=arguments.loss, seed=seed, train_seconds=seconds, before=before, **measured(model)
    )
