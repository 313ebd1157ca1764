"""What PyTorch's optimisers make of two parameters in 20 steps, what its schedulers make of a rate,
what clip_grad_norm_ makes of gradients, and how PyTorch counts the fan of a layer.

Run in this folder with PyTorch 2.15: python export.py
"""

import json

import torch

torch.set_num_threads(1)
torch.manual_seed(11)
STEPS = 20
SHAPES = {"a.weight": [3, 7], "b.bias": [5]}


def numbers(tensor):
    # Nine digits tell every float32 from the next.
    return [float(f"{x:.9g}") for x in tensor.detach().flatten().tolist()]


weights = {name: torch.randn(shape) for name, shape in SHAPES.items()}
# Of very different sizes, with a parameter whose gradient is always zero.
gradients = [
    {name: torch.randn(shape) * 10.0 ** (step % 5 - 3) for name, shape in SHAPES.items()}
    for step in range(STEPS)
]
for step in gradients:
    step["b.bias"][2] = 0


def rate(step, highest):
    return highest * (1 - step / 40)


def trained(make, highest):
    parameters = {name: torch.nn.Parameter(w.clone()) for name, w in weights.items()}
    optimizer = make(parameters.values(), highest)
    kept = {}
    for step in range(STEPS):
        for name, parameter in parameters.items():
            parameter.grad = gradients[step][name].clone()
        optimizer.param_groups[0]["lr"] = rate(step, highest)
        optimizer.step()
        if step in (0, 4, STEPS - 1):
            kept[str(step + 1)] = {name: numbers(p) for name, p in parameters.items()}
    state = {}
    for name, parameter in parameters.items():
        for slot, value in optimizer.state[parameter].items():
            if value is not None:
                state[f"{name}.{slot}"] = numbers(value)
    return {"rate": highest, "weights": kept, "state": state}


optim = torch.optim
optimizers = {
    "adam": trained(lambda p, r: optim.Adam(p, r), 1e-2),
    "adam-decay": trained(
        lambda p, r: optim.Adam(p, r, betas=(0.8, 0.99), eps=1e-4, weight_decay=0.1), 1e-2
    ),
    "adamw": trained(lambda p, r: optim.AdamW(p, r, weight_decay=0.1), 1e-2),
    "sgd": trained(lambda p, r: optim.SGD(p, r), 1e-1),
    "sgd-momentum": trained(lambda p, r: optim.SGD(p, r, momentum=0.9, weight_decay=0.1), 1e-1),
}


def rates(make, highest=2e-3):
    optimizer = optim.SGD([torch.nn.Parameter(torch.zeros(1))], highest)
    scheduler = make(optimizer)
    result = []
    for _ in range(STEPS):
        result.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if len(result) < STEPS:
            scheduler.step()
    return result


schedule = optim.lr_scheduler


def warm(optimizer, steps):
    return schedule.LinearLR(optimizer, start_factor=1 / (steps + 1), total_iters=steps)


def cosine(optimizer, warmup, floor):
    return schedule.CosineAnnealingLR(optimizer, T_max=STEPS - warmup - 1, eta_min=2e-3 * floor)


schedules = {
    "constant": rates(lambda o: schedule.ConstantLR(o, factor=1)),
    "constant-warm": rates(lambda o: warm(o, 4)),
    "step-warm": rates(
        lambda o: schedule.ChainedScheduler(
            [warm(o, 3), schedule.MultiStepLR(o, milestones=[5, 12], gamma=0.4)]
        )
    ),
    "cosine": rates(lambda o: cosine(o, 0, 0.01)),
    "cosine-warm": rates(
        lambda o: schedule.SequentialLR(o, [warm(o, 4), cosine(o, 4, 0)], milestones=[4])
    ),
    "one-cycle": rates(
        lambda o: schedule.OneCycleLR(
            o,
            max_lr=2e-3,
            total_steps=STEPS,
            final_div_factor=1 / (25 * 1e-2),
            cycle_momentum=False,
        )
    ),
}

clipped = {}
for limit in (0.5, 1e6):
    parameters = [torch.nn.Parameter(w.clone()) for w in weights.values()]
    for name, parameter in zip(SHAPES, parameters):
        parameter.grad = gradients[4][name].clone()
    norm = torch.nn.utils.clip_grad_norm_(parameters, limit)
    clipped[str(limit)] = {
        "norm": float(norm),
        "gradients": {name: numbers(p.grad) for name, p in zip(SHAPES, parameters)},
    }

fan = torch.nn.init._calculate_fan_in_and_fan_out
layers = {
    "convolution": torch.nn.Conv2d(8, 16, (3, 5), groups=2),
    "transposed": torch.nn.ConvTranspose2d(8, 6, (3, 4), stride=2, groups=2),
    "linear": torch.nn.Linear(12, 7),
}

json.dump(
    {
        "initial": {name: numbers(w) for name, w in weights.items()},
        "gradients": [{name: numbers(g) for name, g in step.items()} for step in gradients],
        "optimizers": optimizers,
        "schedules": schedules,
        "clipped": clipped,
        "fans": {name: fan(layer.weight)[0] for name, layer in layers.items()},
    },
    open("torch.json", "w"),
)
