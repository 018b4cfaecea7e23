"""Recommends: learns which candidates come first for a query, prints how well others are ordered
before and after, and then the candidates of the last query in their order.

    python rank.py MODEL TRAIN.tsv TEST.tsv ADAPTER

A line of the files is: query TAB candidate TAB relevance, any number. Lines of a query stand
together. ADAPTER is the folder to save to. `--loss` is list_net, which learns from all candidates
of a query at once, or rank_net, from every two of them: Bayesian personalised ranking (BPR).
"""

import argparse
import sys
from itertools import groupby
from pathlib import Path

import graft


def read_groups(path: Path) -> tuple[list[str], list[list[str]], list[list[float]]]:
    """Queries, the candidates of each, and how relevant they are."""
    fields = [line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()]
    groups = [(query, list(rows)) for query, rows in groupby(fields, lambda row: row[0])]
    return (
        [query for query, _ in groups],
        [[row[1] for row in rows] for _, rows in groups],
        [[float(row[2]) for row in rows] for _, rows in groups],
    )


def print_order(when: str, measured: graft.Evaluation) -> None:
    print(f"{when}  nDCG@10 {measured.ndcg_at_k:.4f}  MRR {measured.mrr:.4f}")


def main() -> None:
    parser = argparse.ArgumentParser(description="Learn which candidates come first for a query.")
    parser.add_argument("model", type=Path, help="folder of the base model")
    parser.add_argument("train", type=Path)
    parser.add_argument("test", type=Path)
    parser.add_argument("adapter", type=Path, help="folder to save to")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--loss", choices=["list_net", "rank_net"], default="list_net")
    arguments = parser.parse_args()

    model, tokenizer = graft.Model(arguments.model), graft.Tokenizer(arguments.model)
    groups = [read_groups(path) for path in (arguments.train, arguments.test)]
    train, test = (graft.Dataset.from_rankings(tokenizer, *part, maximum_length=128) for part in groups)
    adapter = graft.Adapter.create(model)
    adapter.set_head("regression", ["score"], dense_layer=True)
    with graft.Trainer(
        model,
        adapter,
        loss=arguments.loss,
        # As BPR has it.
        loss_settings={"reduction_log": "natural"} if arguments.loss == "rank_net" else {},
        learning_rate=2e-3,
        rows_per_batch=32,
        epoch_count=arguments.epochs,
    ) as trainer:
        print_order("before", trainer.evaluate(test))
        trainer.fit(train)
        print_order("after ", trainer.evaluate(test))
    adapter.save(arguments.adapter)

    queries, candidates, _ = groups[1]
    (scores,) = graft.Session(model, tokenizer, adapter).score(queries[-1:], candidates[-1:])
    print(queries[-1])
    order = sorted(zip(scores, candidates[-1]), key=lambda found: -found[0])
    for rank, (_, candidate) in enumerate(order, 1):
        print(f"{rank}  {candidate}")


if __name__ == "__main__":
    try:
        main()
    except (graft.GraftError, ValueError, IndexError) as error:
        sys.exit(f"rank.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
