"""Continues a text, printing it as it comes, and then how sure the model was of it.

python generate.py MODEL PROMPT [TEMPERATURE [SEED [ADAPTER [STOP]]]]

ADAPTER is a folder, or "" for none; the text ends before the first STOP, if one comes.
"""

import math
import sys

import graft


def main(
    model_path: str, prompt: str, temperature: str = "0", seed: str = "0", adapter_path: str = "", *stops: str
) -> None:
    with graft.Model(model_path) as model, graft.Tokenizer(model_path) as tokenizer:
        adapter = graft.Adapter.load(model, adapter_path) if adapter_path else None
        session = graft.Session(model, tokenizer, adapter)
        print(prompt, end="", flush=True)
        (text,) = session.generate(
            [prompt],
            temperature=float(temperature),
            # With a temperature, nothing comes that is fifty times less likely than the likeliest.
            min_p=0.02,
            seed=int(seed),
            stop_strings=stops,
            # Log-probabilities of the tokens that come, and of no others.
            likely=0,
            on_text=lambda _row, text: print(text, end="", flush=True),
        )
        print(flush=True)
        count = len(text.tokens)
        print(f"{count} tokens, perplexity {math.exp(-sum(text.log_probabilities) / count):.2f}", file=sys.stderr)


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 7:
        sys.exit("usage: generate.py MODEL PROMPT [TEMPERATURE [SEED [ADAPTER [STOP]]]]")
    try:
        main(*sys.argv[1:])
    except graft.GraftError as error:
        sys.exit(f"generate.py: {error}")
