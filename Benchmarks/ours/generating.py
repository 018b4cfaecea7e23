"""Texts under way in Graft: milliseconds of a step that gives each row its next token, beside those
of a step without adapters, after 100 tokens, in the same process; or of reading the context.
"""

import statistics
import time

import graft
import settings
from generating import ROW_LORA, generating_parser, model_file, prompts

SHORT, WARMUP, READS = 100, 5, 9

arguments = generating_parser(__doc__).parse_args()
file = model_file(arguments.precision)
model, tokenizer = graft.Model(file, precision=arguments.precision), graft.Tokenizer(file)


def under_way(context: int, adapters: list | None) -> graft.Generator:
    """A generator whose rows have read their contexts."""
    generator = graft.Generator(model, tokenizer, settings.THREADS)
    texts = prompts(arguments.rows, context)
    assert all(len(tokenizer.encode(text).ids) == context for text in texts)
    tokens = arguments.steps + WARMUP + 1
    generator.add(texts, adapters=adapters, maximum_tokens=tokens, stop_tokens=[])
    generator.step()
    return generator


def timed(generator: graft.Generator) -> float:
    settings.Turns.wait()
    start = time.perf_counter()
    generator.step()
    return (time.perf_counter() - start) * 1e3


def stepping() -> dict:
    lora = ROW_LORA | {"init_lora_weights": False}
    rows = range(arguments.rows)
    adapters = [graft.Adapter.create(model, "lora", lora, seed=row) for row in rows] if arguments.adapters else None
    both = under_way(arguments.context, adapters), under_way(SHORT, None)
    times = [[timed(generator) for generator in both] for _ in range(WARMUP + arguments.steps)][WARMUP:]
    own, short = (statistics.median(column) for column in zip(*times))
    return {"median_ms": round(own, 3), "short_ms": round(short, 3), "ratio": round(own / short, 4)}


def reading() -> dict:
    texts = iter(prompts(READS + WARMUP, arguments.context))
    generator = graft.Generator(model, tokenizer, settings.THREADS)

    def read() -> None:
        generator.add([next(texts)], maximum_tokens=1, stop_tokens=[])
        generator.step()

    return settings.measure(read, warmup=WARMUP, repeats=READS)


times = stepping() if arguments.steps else reading()
settings.emit("generating", side="Graft", **vars(arguments) | times)
