"""Logits of a qwen3_5_text checkpoint (dense, float32) in float64, a token at a time: the definition of the gated delta rule (arXiv 2412.06464, equation 10).

usage: qwen35_float64.py FOLDER WORK TOKENS DRAWS     (torch, safetensors)
WORK/ids.bin is int64 rows of TOKENS ids. The logits go to WORK/judge.bin. Then every weight is moved by half a unit of float32's last place or by none, up or down at random, and
the logits are computed again, DRAWS times; the largest change of each logit goes to WORK/moved.bin.
"""
import json, os, sys

import torch
from safetensors.torch import load_file
from torch.nn import functional as F

torch.set_num_threads(1)
folder, work, tokens, draws = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
with open(os.path.join(folder, "config.json")) as file:
    c = json.load(file)
with open(os.path.join(work, "ids.bin"), "rb") as file:
    ids = torch.frombuffer(bytearray(file.read()), dtype=torch.int64).view(-1, tokens)
EPS = c["rms_norm_eps"]


def rms(x, weight):
    return x * torch.rsqrt(x.square().mean(-1, keepdim=True) + EPS) * weight


def unit(x):
    return x * torch.rsqrt(x.square().sum(-1, keepdim=True) + 1e-6)


def delta(x, w):
    h, hk, n, p, taps = (c[f"linear_{k}"] for k in ("num_value_heads", "num_key_heads", "key_head_dim", "value_head_dim", "conv_kernel_dim"))
    qkv = F.pad(F.linear(x, w["in_proj_qkv.weight"]), (0, 0, taps - 1, 0))
    qkv = F.silu(sum(qkv[:, i : i + tokens] * w["conv1d.weight"][:, 0, i] for i in range(taps)))
    q, k, v = qkv.split([hk * n, hk * n, h * p], -1)
    q, k = (unit(m.unflatten(-1, (hk, n))).repeat_interleave(h // hk, 2) for m in (q, k))
    v, z = v.unflatten(-1, (h, p)), F.linear(x, w["in_proj_z.weight"]).unflatten(-1, (h, p))
    beta = torch.sigmoid(F.linear(x, w["in_proj_b.weight"]))
    keep = torch.exp(-torch.exp(w["A_log"]) * F.softplus(F.linear(x, w["in_proj_a.weight"]) + w["dt_bias"]))
    state, out = torch.zeros(len(x), h, n, p, dtype=x.dtype), []
    for t in range(tokens):
        state = state * keep[:, t, :, None, None]
        answer = torch.einsum("bhnp,bhn->bhp", state, k[:, t])
        state = state + torch.einsum("bhn,bhp->bhnp", k[:, t], beta[:, t, :, None] * (v[:, t] - answer))
        out.append(torch.einsum("bhnp,bhn->bhp", state, q[:, t]) * n**-0.5)
    return F.linear((rms(torch.stack(out, 1), w["norm.weight"]) * F.silu(z)).flatten(-2), w["out_proj.weight"])


def attention(x, w):
    h, kv, d = c["num_attention_heads"], c["num_key_value_heads"], c["head_dim"]
    q, gate = F.linear(x, w["q_proj.weight"]).unflatten(-1, (h, 2 * d)).split([d, d], -1)
    k, v = (F.linear(x, w[f"{name}_proj.weight"]).unflatten(-1, (kv, d)) for name in "kv")
    rope = c["rope_parameters"]
    s = int(d * rope["partial_rotary_factor"])
    theta = (torch.arange(tokens, dtype=x.dtype)[:, None] * rope["rope_theta"] ** (-torch.arange(0, s, 2, dtype=x.dtype) / s))[:, None]

    def turned(m, name):
        a, b, rest = rms(m, 1 + w[f"{name}_norm.weight"]).split([s // 2, s // 2, d - s], -1)
        return torch.cat([a * theta.cos() - b * theta.sin(), a * theta.sin() + b * theta.cos(), rest], -1)

    q, k = turned(q, "q"), turned(k, "k").repeat_interleave(h // kv, 2)
    scores = torch.einsum("blhd,bmhd->bhlm", q, k) * d**-0.5
    scores = scores.masked_fill(torch.ones(tokens, tokens, dtype=torch.bool).triu(1), float("-inf"))
    y = torch.einsum("bhlm,bmhd->blhd", scores.softmax(-1), v.repeat_interleave(h // kv, 2))
    return F.linear((y * torch.sigmoid(gate)).flatten(-2), w["o_proj.weight"])


def logits(state):
    x = state["model.embed_tokens.weight"][ids]
    for i, kind in enumerate(c["layer_types"]):
        at = f"model.layers.{i}."
        part, mixer = ("linear_attn.", delta) if kind == "linear_attention" else ("self_attn.", attention)
        w = {name[len(at + part) :]: t for name, t in state.items() if name.startswith(at + part)}
        x = x + mixer(rms(x, 1 + state[f"{at}input_layernorm.weight"]), w)
        y = rms(x, 1 + state[f"{at}post_attention_layernorm.weight"])
        up, gate = (F.linear(y, state[f"{at}mlp.{name}_proj.weight"]) for name in ("up", "gate"))
        x = x + F.linear(up * F.silu(gate), state[f"{at}mlp.down_proj.weight"])
    head = state["model.embed_tokens.weight"] if c["tie_word_embeddings"] else state["lm_head.weight"]
    return F.linear(rms(x, 1 + state["model.norm.weight"]), head)


def put(name, values):
    with open(os.path.join(work, name), "wb") as file:
        file.write(values.contiguous().numpy().tobytes())


weights = {name: t.double() for name, t in load_file(os.path.join(folder, "model.safetensors")).items()}
generator = torch.Generator().manual_seed(1)
with torch.no_grad():
    exact = logits(weights)
    put("judge.bin", exact)
    moved = torch.zeros_like(exact)
    for _ in range(draws):
        near = {name: t * (1 + 2**-24 * torch.randint(-1, 2, t.shape, generator=generator)) for name, t in weights.items()}
        moved = torch.maximum(moved, (logits(near) - exact).abs())
    put("moved.bin", moved)
