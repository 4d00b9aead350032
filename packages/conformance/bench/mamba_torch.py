"""Training steps of a Mamba language model in PyTorch, one for each line on stdin: what training.ts times against.

    python3 mamba_torch.py WEIGHTS.json WEIGHTS.bin loop|parallel THREADS

The selective scan has no kernel for processors in PyTorch; `loop` is the plain recurrence over time, `parallel` a work-efficient
scan (up and down sweeps, in place) with its own backward pass, which is the same scan reversed.
"""
import json
import sys
import time

import torch
import torch.nn.functional as F

index, data, form, threads = sys.argv[1:5]
torch.set_num_threads(int(threads))
with open(index) as file:
    setting = json.load(file)
raw = torch.frombuffer(bytearray(open(data, "rb").read()), dtype=torch.float32)
weights = {
    name: raw[entry["offset"] : entry["offset"] + entry["size"]].clone().reshape(entry["shape"]).requires_grad_()
    for name, entry in setting["weights"].items()
}


def pairs(x):
    """[b, l, d, n] with any strides as [b, l / 2, 2, d, n], the same memory."""
    b, l, d, n = x.shape
    s = x.stride()
    return x.as_strided((b, l // 2, 2, d, n), (s[0], 2 * s[1], *s[1:]), x.storage_offset())


def sweeps(a, x):
    """x_t += a_t x_{t-1} for all t along axis 1 of [b, l, d, n], l a power of two, in place; a is overwritten."""
    levels = []
    while x.shape[1] > 1:
        a, x = pairs(a), pairs(x)
        levels.append((a, x))
        x[:, :, 1].addcmul_(a[:, :, 1], x[:, :, 0])
        a[:, :, 1].mul_(a[:, :, 0])
        a, x = a[:, :, 1], x[:, :, 1]
    for a, x in reversed(levels):
        x[:, 1:, 0].addcmul_(a[:, 1:, 0], x[:, :-1, 1])


class ParallelScan(torch.autograd.Function):
    @staticmethod
    def forward(ctx, a, x):
        states = x.clone()
        sweeps(a.clone(), states)
        ctx.save_for_backward(a, states)
        return states

    @staticmethod
    def backward(ctx, dy):
        a, states = ctx.saved_tensors
        back = F.pad(a[:, 1:], (0, 0, 0, 0, 0, 1)).flip(1)
        dx = dy.flip(1)
        sweeps(back, dx)
        dx = dx.flip(1)
        da = torch.zeros_like(a)
        da[:, 1:] = states[:, :-1] * dx[:, 1:]
        return da, dx


def scan(u, delta, A, B, C):
    a = torch.exp(delta.unsqueeze(-1) * A)  # [b, l, d, n]
    x = (delta * u).unsqueeze(-1) * B.unsqueeze(2)
    if form == "parallel":
        return (ParallelScan.apply(a, x) @ C.unsqueeze(-1)).squeeze(-1)
    state = torch.zeros_like(x[:, 0])
    ys = []
    for a_t, x_t, C_t in zip(a.unbind(1), x.unbind(1), C.unbind(1)):
        state = a_t * state + x_t
        ys.append((state @ C_t.unsqueeze(-1)).squeeze(-1))
    return torch.stack(ys, 1)


def norm(x, weight):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + setting["eps"]) * weight


def mixer(x, w):
    u, z = F.linear(x, w("in_proj.weight")).chunk(2, -1)
    d, k = w("conv1d.weight").shape[0], setting["dConv"]
    u = F.conv1d(u.transpose(1, 2), w("conv1d.weight").reshape(d, 1, k), w("conv1d.bias"), padding=k - 1, groups=d)[..., : x.shape[1]]
    u = F.silu(u.transpose(1, 2))
    dt, B, C = F.linear(u, w("x_proj.weight")).split([setting["dtRank"], setting["dState"], setting["dState"]], -1)
    delta = F.softplus(F.linear(dt, w("dt_proj.weight"), w("dt_proj.bias")))
    y = scan(u, delta, -torch.exp(w("A_log")), B, C) + w("D") * u
    return F.linear(y * F.silu(z), w("out_proj.weight"))


def loss_of(ids, targets):
    embedding = weights["backbone.embeddings.weight"]
    x = F.embedding(ids, embedding)
    for i in range(setting["nLayer"]):
        at = f"backbone.layers.{i}."
        x = x + mixer(norm(x, weights[at + "norm.weight"]), lambda name: weights[at + "mixer." + name])
    logits = F.linear(norm(x, weights["backbone.norm_f.weight"]), embedding)
    return F.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=setting["ignored"])


ids = torch.tensor(setting["ids"]).reshape(setting["batch"], -1)
targets = torch.tensor(setting["targets"]).reshape(setting["batch"], -1)
optimizer = torch.optim.AdamW(weights.values(), lr=setting["learningRate"], weight_decay=0)
print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for _ in sys.stdin:
    start = time.perf_counter()
    optimizer.zero_grad(set_to_none=True)
    loss = loss_of(ids, targets)
    loss.backward()
    optimizer.step()
    print(json.dumps({"loss": loss.item(), "ms": 1000 * (time.perf_counter() - start)}), flush=True)
