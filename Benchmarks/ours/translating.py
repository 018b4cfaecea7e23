"""Sentences of Tatoeba from English to Portuguese by the real Marian in Graft: milliseconds of all
of them in one call, texts in and texts out.
"""

import graft
import settings
from texts import NEW_TOKENS, translated_sentences, translating_parser

arguments = translating_parser(__doc__).parse_args()
model, tokenizer = graft.Model(settings.MARIAN), graft.Tokenizer(settings.MARIAN)
session = graft.Session(model, tokenizer, threads=settings.THREADS)
sentences = translated_sentences(arguments.rows)


def translate() -> list[str]:
    return session.generate(sentences, beams=arguments.beams, maximum_tokens=NEW_TOKENS)


found = translate()
times = settings.measure(translate)
settings.emit("translating", side="Graft", **vars(arguments), **times, characters=sum(map(len, found)))
