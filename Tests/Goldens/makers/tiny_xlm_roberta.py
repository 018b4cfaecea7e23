"""xlm-roberta-tiny: small random XLM-RoBERTas, and what they compute."""

from transformers import XLMRobertaForSequenceClassification, XLMRobertaForTokenClassification

from .tiny_llama import LABELS, TAGS
from .tiny_models import randomise, write_models
from .tiny_roberta import PLAIN, inputs


def make() -> None:
    cases = [
        ("sequence-classification", XLMRobertaForSequenceClassification, dict(PLAIN, id2label=LABELS), 1),
        ("token-classification", XLMRobertaForTokenClassification, dict(PLAIN, id2label=TAGS), 2),
    ]
    write_models("xlm-roberta-tiny", inputs(), randomise, cases)
