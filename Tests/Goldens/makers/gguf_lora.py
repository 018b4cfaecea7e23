"""gguf-lora: a LoRA of PEFT for llama-tiny, with ranks of its own in some modules, and the same as
llama.cpp's converter would write it.
"""

import gguf
import numpy
import peft
import transformers

from .files import ROOT, fresh_folder
from .gguf_tiny import reordered
from .lora import randomise_trainable, save_adapter

NAME = "gguf-lora"


def make() -> None:
    top = fresh_folder(NAME)
    base = transformers.LlamaForCausalLM.from_pretrained(ROOT / "llama-tiny/plain")
    base.name_or_path = "llama-tiny/plain"
    config = peft.LoraConfig(
        task_type="CAUSAL_LM",
        r=4,
        lora_alpha=6,
        target_modules=["q_proj", "k_proj", "v_proj", "down_proj"],
        rank_pattern={"v_proj": 2},
    )
    model = peft.get_peft_model(base, config)
    randomise_trainable(model, seed=3)
    save_adapter(model, top / "peft")
    count = base.config.num_hidden_layers
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, count)
    writer = gguf.GGUFWriter(top / "adapter.gguf", "llama")
    writer.add_type(gguf.GGUFType.ADAPTER)
    writer.add_string(gguf.Keys.Adapter.TYPE, "lora")
    writer.add_float32(gguf.Keys.Adapter.LORA_ALPHA, 6.0)
    tensors = {name: value.detach().numpy() for name, value in peft.get_peft_model_state_dict(model).items()}
    for name, value in tensors.items():
        module, _, end = name.removeprefix("base_model.model.").partition(".lora_")
        is_a = end.startswith("A")
        if ".q_proj" in module and not is_a:
            value = reordered(value, base.config.num_attention_heads)
        if ".k_proj" in module and not is_a:
            value = reordered(value, base.config.num_key_value_heads)
        stored = names.get_name(module + ".weight", try_suffixes=(".weight",))
        writer.add_tensor(stored + (".lora_a" if is_a else ".lora_b"), numpy.ascontiguousarray(value))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
