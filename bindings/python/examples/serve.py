"""Continues prompts beside each other as a service does: they come while others are under way, each
with an adapter of its own, and are left when there is enough of them.

    python serve.py MODEL ADAPTER ... <PROMPTS

Each line is a prompt, and has the next adapter, a folder or "-" for none, in turn. Another joins
every third step. What comes is printed as it comes, behind the number of its prompt. A text is left
after its first sentence, and has 48 tokens at most.
"""

import itertools
import sys

import graft

STEPS_BETWEEN = 3


def main(path: str, *folders: str) -> None:
    model, tokenizer = graft.Model(path), graft.Tokenizer(path)
    generator = graft.Generator(model, tokenizer)
    adapters = itertools.cycle([None if folder == "-" else graft.Adapter.load(model, folder) for folder in folders])
    prompts = (line.rstrip("\n") for line in sys.stdin)
    has_more = True
    for step in itertools.count():
        if has_more and step % STEPS_BETWEEN == 0:
            prompt = next(prompts, None)
            has_more = prompt is not None
            if prompt:
                generator.add([prompt], adapters=[next(adapters)], maximum_tokens=48)
        if not has_more and len(generator) == 0:
            return
        for token in generator.step():
            if token.text:
                print(f"{token.row}\t{token.text}", flush=True)
            if token.end == "none" and "." in token.text:
                generator.remove(token.row)


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit("usage: serve.py MODEL ADAPTER ... <PROMPTS")
    try:
        main(*sys.argv[1:])
    except graft.GraftError as error:
        sys.exit(f"serve.py: {error}")
