"""Texts under way in PEFT: milliseconds of a step that gives each row of a mixed batch its next
token, each under another LoRA.
"""

import settings
from generating import ROW_LORA, generating_parser, model_file, prompts

WARMUP = 5

arguments = generating_parser(__doc__).parse_args()
torch = settings.prepare_torch("medium")
from peft import LoraConfig, get_peft_model  # noqa: E402
from transformers import AutoModelForCausalLM, AutoTokenizer  # noqa: E402

file = model_file(arguments.precision)
place = {"pretrained_model_name_or_path": file.parent, "gguf_file": file.name}
tokenizer = AutoTokenizer.from_pretrained(**place)
base = AutoModelForCausalLM.from_pretrained(**place, dtype=getattr(torch, arguments.precision))
lora = LoraConfig(task_type="CAUSAL_LM", init_lora_weights=False, **ROW_LORA)
names = [f"row{row}" for row in range(arguments.rows)]
model = get_peft_model(base, lora, adapter_name=names[0])
for name in names[1:]:
    model.add_adapter(name, lora)
model.eval()
ids = torch.tensor(tokenizer(prompts(arguments.rows, arguments.context))["input_ids"])
assert ids.shape[1] == arguments.context
own = {"adapter_names": names} if arguments.adapters else {}
with torch.inference_mode():
    state = {"ids": ids, "past": None}

    def step() -> None:
        found = model(input_ids=state["ids"], past_key_values=state["past"], use_cache=True, **own)
        state["ids"], state["past"] = found.logits[:, -1:].argmax(-1), found.past_key_values

    times = settings.measure(step, warmup=WARMUP, repeats=arguments.steps)
settings.emit("generating", side="PEFT", **vars(arguments) | times)
