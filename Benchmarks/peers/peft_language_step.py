"""One PEFT LoRA training step on a language model and rows of random tokens: time and peak memory.
"""

import argparse

import settings
from data import random_tokens
from methods import LANGUAGE_LORA
from peers.adapted_model import PRECISIONS, stepper, torch_for

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", choices=list(LANGUAGE_LORA), default="smollm2-135m")
parser.add_argument("--rows", type=int, default=4)
parser.add_argument("--tokens", type=int, default=256)
parser.add_argument("--targets", type=int, default=0, help="tokens of what a row becomes, of an encoder–decoder")
parser.add_argument("--precision", choices=PRECISIONS, default="medium")
parser.add_argument("--repeats", type=int, default=7)
arguments = parser.parse_args()

torch = torch_for(arguments.precision)
from peft import LoraConfig, get_peft_model  # noqa: E402
from transformers import AutoModelForCausalLM, AutoModelForSeq2SeqLM  # noqa: E402

kind = AutoModelForSeq2SeqLM if arguments.targets else AutoModelForCausalLM
base = kind.from_pretrained(settings.MODELS / arguments.model, dtype=torch.float32)
task = "SEQ_2_SEQ_LM" if arguments.targets else "CAUSAL_LM"
lora = LoraConfig(task_type=task, **LANGUAGE_LORA[arguments.model])
ids, labels = (
    torch.tensor(random_tokens(arguments.rows, tokens, base.config.vocab_size))
    for tokens in (arguments.tokens, arguments.targets or arguments.tokens)
)
step = stepper(get_peft_model(base, lora), arguments.precision)
times = settings.measure(lambda: step({"input_ids": ids, "labels": labels}), repeats=arguments.repeats)
settings.emit("language model step", side="PEFT", **vars(arguments) | times)
