"""optimizers: a hundred steps of torch's optimizers on one vector, gradient clipping, and
learning-rate schedules.
"""

import torch
from transformers import get_scheduler

from .files import fresh_folder, write_json, write_tensors

STEPS = 100
SIZE = 37
KEPT_AFTER = (1, 2, 10, 100)

OPTIMIZERS = {
    "adamw": (torch.optim.AdamW, dict(lr=1e-3, weight_decay=0.01)),
    "adamw-other-settings": (torch.optim.AdamW, dict(lr=3e-2, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.3)),
    "adamw-no-decay": (torch.optim.AdamW, dict(lr=1e-2, weight_decay=0.0)),
    "adam": (torch.optim.Adam, dict(lr=1e-3)),
    "adam-l2": (torch.optim.Adam, dict(lr=3e-2, betas=(0.8, 0.95), eps=1e-4, weight_decay=0.3)),
    "adagrad": (torch.optim.Adagrad, dict(lr=1e-2)),
    "adagrad-all-settings": (
        torch.optim.Adagrad,
        dict(lr=3e-2, lr_decay=0.05, weight_decay=0.1, initial_accumulator_value=0.1, eps=1e-6),
    ),
    "sgd": (torch.optim.SGD, dict(lr=1e-2)),
    "sgd-decay": (torch.optim.SGD, dict(lr=1e-2, weight_decay=0.1)),
    "sgd-momentum": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, weight_decay=0.01)),
    "sgd-nesterov": (torch.optim.SGD, dict(lr=1e-2, momentum=0.9, nesterov=True, weight_decay=0.01)),
}

# transformers' names and settings; Graft's names where they are others.
SCHEDULES = [
    ("constant_with_warmup", {}),
    ("linear", {}),
    ("cosine", {}),
    ("cosine", {"num_cycles": 1.25}),
    ("cosine_with_min_lr", {"min_lr_rate": 0.1}),
    ("cosine_with_restarts", {}),
    ("cosine_with_restarts", {"num_cycles": 3}),
    ("polynomial", {}),
    ("polynomial", {"lr_end": 0.05, "power": 2.0}),
    ("inverse_sqrt", {}),
    ("inverse_sqrt", {"timescale": 5}),
]
GRAFT_NAMES = {"constant_with_warmup": "constant", "cosine_with_min_lr": "cosine"}


def run(kind, settings: dict, start: torch.Tensor, gradients: torch.Tensor) -> dict:
    """The vector after some of the steps; float32 all through, as it is trained."""
    vector = torch.nn.Parameter(start.clone())
    optimizer = kind([vector], **settings)
    kept = {}
    for step in range(1, STEPS + 1):
        vector.grad = gradients[step - 1].clone()
        optimizer.step()
        if step in KEPT_AFTER:
            kept[step] = vector.detach().clone()
    return kept


def learning_rates(name: str, settings: dict, warmup: int, total: int) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = get_scheduler(name, optimizer, warmup, total, scheduler_specific_kwargs=settings)
    rates = []
    # Past the end, where transformers' cosine rises again, nothing trains.
    for _ in range(total + 1):
        rates.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        schedule.step()
    return rates


def make() -> None:
    top = fresh_folder("optimizers")
    generator = torch.Generator().manual_seed(5)
    start = torch.randn(SIZE, generator=generator)
    # Gradients of many sizes, some zero: where the epsilon of Adam and the order of operations
    # show.
    scale = torch.logspace(-6, 1, SIZE)
    gradients = torch.randn(STEPS, SIZE, generator=generator) * scale
    gradients[:, 3] = 0
    gradients[::2, 5] = 0
    tensors = {"start": start, "gradients": gradients}
    for name, (kind, settings) in OPTIMIZERS.items():
        for step, value in run(kind, settings, start, gradients).items():
            tensors[f"{name}.after_{step}"] = value

    clipped = torch.nn.Parameter(start.clone())
    clipped.grad = gradients[0].clone()
    norm = torch.nn.utils.clip_grad_norm_([clipped], 1.0)
    tensors["clipped_gradient"] = clipped.grad
    write_tensors(top / "vectors.safetensors", tensors)

    schedules = [
        {
            "schedule": GRAFT_NAMES.get(name, name),
            "settings": settings,
            "warmup_steps": warmup,
            "total_steps": total,
            "factors": learning_rates(name, settings, warmup, total),
        }
        for name, settings in SCHEDULES
        for warmup, total in ((0, 10), (3, 12), (12, 12), (1, 1))
        # Where nothing is left after the warm-up, transformers' polynomial divides by zero.
        if warmup < total or name != "polynomial"
    ]
    optimizers = {name: {"optimizer": kind.__name__, **settings} for name, (kind, settings) in OPTIMIZERS.items()}
    write_json(
        top / "settings.json",
        {
            "optimizers": optimizers,
            "kept_after": list(KEPT_AFTER),
            "clipping": {"maximum_norm": 1.0, "norm": norm.item()},
            "schedules": schedules,
        },
    )
