"""One PEFT LoRA training step on a language model and rows of random tokens: time and peak memory.
"""

import argparse

import settings
from data import random_tokens
from peers.adapted_model import PRECISIONS, stepper, torch_for

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--model", default="smollm2-135m")
parser.add_argument("--rows", type=int, default=4)
parser.add_argument("--tokens", type=int, default=256)
parser.add_argument("--precision", choices=PRECISIONS, default="medium")
parser.add_argument("--repeats", type=int, default=7)
arguments = parser.parse_args()

torch = torch_for(arguments.precision)
from peft import LoraConfig, get_peft_model  # noqa: E402
from transformers import AutoModelForCausalLM  # noqa: E402

base = AutoModelForCausalLM.from_pretrained(settings.MODELS / arguments.model, dtype=torch.float32)
lora = LoraConfig(
    task_type="CAUSAL_LM", r=8, lora_alpha=16, target_modules=["q_proj", "v_proj"]
)
ids = torch.tensor(random_tokens(arguments.rows, arguments.tokens, base.config.vocab_size))
step = stepper(get_peft_model(base, lora), arguments.precision)
times = settings.measure(lambda: step({"input_ids": ids, "labels": ids}), repeats=arguments.repeats)
settings.emit("language model step", side="PEFT", **vars(arguments) | times)
