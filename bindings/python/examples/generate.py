"""Continues a text, printing it as it comes.

python generate.py MODEL PROMPT [TEMPERATURE [SEED [ADAPTER]]]
"""

import sys

import graft


def main(
    model_path: str, prompt: str, temperature: str = "0", seed: str = "0", adapter_path: str | None = None
) -> None:
    with graft.Model(model_path) as model, graft.Tokenizer(model_path) as tokenizer:
        adapter = None if adapter_path is None else graft.Adapter.load(model, adapter_path)
        session = graft.Session(model, tokenizer, adapter)
        print(prompt, end="", flush=True)
        session.generate(
            [prompt],
            temperature=float(temperature),
            seed=int(seed),
            on_text=lambda _row, text: print(text, end="", flush=True),
        )
        print()


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 6:
        sys.exit("usage: generate.py MODEL PROMPT [TEMPERATURE [SEED [ADAPTER]]]")
    try:
        main(*sys.argv[1:])
    except graft.GraftError as error:
        sys.exit(f"generate.py: {error}")
