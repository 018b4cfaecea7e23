"""The same sentences by the same Marian in CTranslate2 or transformers."""

import settings
from texts import NEW_TOKENS, translated_sentences, translating_parser
from tokenizers import Tokenizer

parser = translating_parser(__doc__)
parser.add_argument("--engine", choices=("ctranslate2", "transformers"), default="ctranslate2")
arguments = parser.parse_args()
sentences = translated_sentences(arguments.rows)
tokenizer = Tokenizer.from_file(str(settings.MARIAN / "tokenizer.json"))
END, PAD = 0, 32000


def ctranslate2_translator():
    import ctranslate2

    folder = str(settings.MODELS / "marian-enpt-ctranslate2")
    translator = ctranslate2.Translator(folder, compute_type="float32", intra_threads=settings.THREADS)

    def translate() -> list[str]:
        rows = [[*encoding.tokens, tokenizer.id_to_token(END)] for encoding in tokenizer.encode_batch(sentences)]
        found = translator.translate_batch(rows, beam_size=arguments.beams, max_decoding_length=NEW_TOKENS)
        return [tokenizer.decode([tokenizer.token_to_id(token) for token in own.hypotheses[0]]) for own in found]

    return translate


def transformers_translator():
    torch = settings.prepare_torch("medium")
    from transformers import MarianMTModel

    model = MarianMTModel.from_pretrained(settings.MARIAN, dtype=torch.float32).eval()

    def translate() -> list[str]:
        rows = [[*encoding.ids, END] for encoding in tokenizer.encode_batch(sentences)]
        longest = max(map(len, rows))
        ids = torch.tensor([row + [PAD] * (longest - len(row)) for row in rows])
        with torch.inference_mode():
            found = model.generate(
                input_ids=ids,
                attention_mask=(ids != PAD).long(),
                num_beams=arguments.beams,
                do_sample=False,
                max_new_tokens=NEW_TOKENS,
            )
        return tokenizer.decode_batch([[token for token in row if token not in (END, PAD)] for row in found.tolist()])

    return translate


translate = ctranslate2_translator() if arguments.engine == "ctranslate2" else transformers_translator()
found = translate()
times = settings.measure(translate)
settings.emit("translating", side=arguments.engine, **vars(arguments), **times, characters=sum(map(len, found)))
