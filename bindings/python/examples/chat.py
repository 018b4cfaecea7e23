"""Talks with a language model, in the style of one adapter or another, exchanged amid the talk.

    python chat.py MODEL STYLES ADAPTERS

STYLES has a file STYLE.tsv of `question TAB answer` lines for each style. An adapter is trained on
each, once: ADAPTERS keeps them. Then each line that is read is a question; `/adapter STYLE` has the
next answers come in another style, `/adapter none` from the model alone, and `/quit` ends.
"""

import sys
import time
from pathlib import Path

import graft

NONE = "none"


def learned(model: graft.Model, tokenizer: graft.Tokenizer, style: Path, folder: Path) -> graft.Adapter:
    """The adapter of a style: as it was saved, or trained now."""
    if folder.exists():
        return graft.Adapter.load(model, folder)
    started = time.monotonic()
    adapter = graft.Adapter.create(model)
    adapter.set_head("language_model")
    chats = []
    for line in style.read_text("utf-8").splitlines():
        question, _, answer = line.partition("\t")
        chats.append([{"role": "user", "content": question}, {"role": "assistant", "content": answer}])
    # What the assistant says is learned, and nothing else.
    rows = graft.Dataset.from_conversations(tokenizer, chats)
    with graft.Trainer(model, adapter, learning_rate=2e-3, rows_per_batch=4, epoch_count=2) as trainer:
        trainer.fit(rows)
    folder.parent.mkdir(parents=True, exist_ok=True)
    adapter.save(folder)
    print(f"learned {style.stem} from {len(rows)} answers in {time.monotonic() - started:.0f} s", flush=True)
    return adapter


def talk(session: graft.Session, tokenizer: graft.Tokenizer, adapters: dict[str, graft.Adapter]) -> None:
    """Answers what is read, line by line."""
    style = next(iter(adapters))
    chat: list[dict[str, str]] = []
    names = ", ".join([*adapters, NONE])
    print(f"Ask something; /adapter NAME answers in another style ({names}), /quit ends.", flush=True)
    while True:
        # Where nobody types, what is read is shown as if somebody had.
        print(f"{style}> ", end="", flush=True)
        line = sys.stdin.readline()
        if not sys.stdin.isatty():
            print(line.rstrip("\n"), flush=True)
        command, *names_asked = line.split()[:2] or [""]
        if not line or command == "/quit":
            return
        if command == "/adapter":
            (asked,) = names_asked or [""]
            if asked in adapters or asked == NONE:
                # The model is never changed: another adapter is another argument. What was said in
                # one style would be taken up in the next.
                style, chat = asked, []
            else:
                print(f"expected one of {names}, found {asked!r}", flush=True)
            continue
        if not command:
            continue
        chat.append({"role": "user", "content": line.strip()})
        prompt = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
        (answer,) = session.generate(
            [prompt],
            adapters=[adapters.get(style)],
            maximum_tokens=80,
            repetition_penalty=1.1,
            on_text=lambda _row, text: print(text, end="", flush=True),
        )
        print(flush=True)
        chat.append({"role": "assistant", "content": answer})


def main(path: str, styles: str, folder: str) -> None:
    model, tokenizer = graft.Model(path, precision="bfloat16"), graft.Tokenizer(path)
    adapters = {}
    for style in sorted(Path(styles).glob("*.tsv"), reverse=True):
        adapters[style.stem] = learned(model, tokenizer, style, Path(folder) / style.stem)
    if not adapters:
        sys.exit(f"{styles}: expected files of `question TAB answer` lines")
    talk(graft.Session(model, tokenizer), tokenizer, adapters)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit("usage: chat.py MODEL STYLES ADAPTERS")
    try:
        main(*sys.argv[1:])
    except graft.GraftError as error:
        sys.exit(f"chat.py: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
