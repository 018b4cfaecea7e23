"""Exports the encoders of build/models to ONNX, plain and with ONNX Runtime's fused transformer
operators.
"""

import warnings

from settings import MODELS, prepare_torch

torch = prepare_torch()
warnings.filterwarnings("ignore")

from onnxruntime.transformers import optimizer  # noqa: E402
from transformers import AutoModel  # noqa: E402

NAMES = ["input_ids", "attention_mask", "token_type_ids"]


class LastHiddenState(torch.nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, input_ids, attention_mask, token_type_ids):
        return self.model(input_ids=input_ids, attention_mask=attention_mask, token_type_ids=token_type_ids)[0]


def export(name: str) -> None:
    folder = MODELS / "onnx"
    folder.mkdir(exist_ok=True)
    plain, fused = folder / f"{name}.onnx", folder / f"{name}.fused.onnx"
    if fused.exists():
        return
    model = AutoModel.from_pretrained(MODELS / name, attn_implementation="eager").eval()
    ids = torch.randint(5, 1000, (2, 16))
    with torch.no_grad():
        torch.onnx.export(
            LastHiddenState(model),
            (ids, torch.ones_like(ids), torch.zeros_like(ids)),
            plain,
            input_names=NAMES,
            output_names=["hidden"],
            dynamic_axes={key: {0: "rows", 1: "tokens"} for key in [*NAMES, "hidden"]},
            opset_version=17,
            dynamo=False,
        )
    graph = optimizer.optimize_model(
        str(plain), model_type="bert", num_heads=model.config.num_attention_heads, hidden_size=model.config.hidden_size
    )
    print(name, {operator: count for operator, count in graph.get_fused_operator_statistics().items() if count})
    graph.save_model_to_file(str(fused))


for name in ("minilm", "bert-base"):
    export(name)
