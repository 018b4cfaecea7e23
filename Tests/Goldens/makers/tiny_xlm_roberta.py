"""xlm-roberta-tiny: small random XLM-RoBERTas, and what they compute."""

from transformers import XLMRobertaConfig, XLMRobertaForSequenceClassification, XLMRobertaForTokenClassification

from .files import fresh_folder, write_json
from .tiny_bert import randomise
from .tiny_llama import LABELS, TAGS, write_expected
from .tiny_roberta import PLAIN, inputs


def make() -> None:
    top = fresh_folder("xlm-roberta-tiny")
    rows = inputs()
    write_json(top / "inputs.json", rows)
    for name, kind, labels, seed in (
        ("sequence-classification", XLMRobertaForSequenceClassification, LABELS, 1),
        ("token-classification", XLMRobertaForTokenClassification, TAGS, 2),
    ):
        model = randomise(kind(XLMRobertaConfig(**PLAIN, id2label=labels)), seed)
        model.save_pretrained(top / name)
        write_expected(top / name, model, rows)
