"""Models in the form of the mamba_ssm package, and what they compute, without CUDA: written from the shapes, names and settings of its public modules.

usage: mamba_ssm_state_dict.py make DIR small|large [CASE ...]   each case: DIR/CASE with pytorch_model.bin and config.json as save_pretrained leaves them
       mamba_ssm_state_dict.py run TASKS                         [{"folder", "ids", "like"?}, ...] as JSON: a line of JSON a task, logits.bin in the folder

`run` loads a folder as MambaLMHeadModel.from_pretrained does (config.json, pytorch_model.bin, every name and shape, none else) and writes its logits, the recurrence
token by token in float64. `like` is a folder whose tensors, types and settings must be the same.
"""
import json, math, os, sys

import torch
from torch.nn import functional as F

torch.set_num_threads(1)
EPS = 1e-5

# What the constructors take, with their defaults: a setting of another name is refused there.
MODEL = dict(d_model=2560, d_intermediate=0, n_layer=64, vocab_size=50277, ssm_cfg={}, attn_layer_idx=[], attn_cfg={}, rms_norm=True, residual_in_fp32=True, fused_add_norm=True, pad_vocab_size_multiple=8, tie_embeddings=True)  # fmt: skip
STEPS = dict(dt_min=0.001, dt_max=0.1, dt_init_floor=1e-4)
MIXERS = {
    "Mamba1": dict(d_state=16, d_conv=4, expand=2, dt_rank="auto", **STEPS, dt_init="random", dt_scale=1.0, conv_bias=True, bias=False, use_fast_path=True),
    "Mamba2": dict(d_state=128, d_conv=4, conv_init=None, expand=2, headdim=64, d_ssm=None, ngroups=1, A_init_range=[1, 16], D_has_hdim=False, rmsnorm=True, norm_before_gate=False, **STEPS, dt_limit=[0.0, math.inf], bias=False, conv_bias=True, chunk_size=256, use_mem_eff_path=True),
    "Mamba3": dict(d_state=128, expand=2, headdim=64, ngroups=1, rope_fraction=0.5, **STEPS, A_floor=1e-4, is_outproj_norm=False, is_mimo=False, mimo_rank=4, fuse_pregate_headwise_norm=True, chunk_size=64, dropout=0.0, n_layer=None),
}  # fmt: skip
ATTENTION = dict(num_heads=None, num_heads_kv=None, head_dim=None, mlp_dim=0, qkv_proj_bias=True, out_proj_bias=True, softmax_scale=None, causal=False, d_conv=0, rotary_emb_dim=0, rotary_emb_base=10000.0, rotary_emb_interleaved=False)  # fmt: skip
# How it is computed, or what a new model begins with: it changes no model that is there.
NO_MATTER = {"chunk_size", "use_fast_path", "use_mem_eff_path", "fused_add_norm", "fuse_pregate_headwise_norm", "conv_init", "A_init_range", "dt_init", "dt_scale", "dropout", "n_layer", "residual_in_fp32"}  # fmt: skip


def known(given, defaults, what):
    for name in given:
        if name not in defaults:
            raise TypeError(f"{what} has no argument {name}")
    return {**defaults, **given}


def up(value, multiple):
    return math.ceil(value / multiple) * multiple


def resolve(given):
    """Settings with all defaults, sizes as the modules round them."""
    config = known(given, MODEL, "MambaConfig")
    config["vocab_size"] = up(config["vocab_size"], config.pop("pad_vocab_size_multiple"))
    config["d_intermediate"] = up(config["d_intermediate"], 128)
    ssm = dict(config["ssm_cfg"])
    layer = ssm.pop("layer", "Mamba1")
    ssm = known(ssm, MIXERS[layer], layer)
    d = config["d_model"]
    ssm["d_inner"] = int(ssm.pop("expand") * d)
    if layer == "Mamba1" and ssm["dt_rank"] == "auto":
        ssm["dt_rank"] = math.ceil(d / 16)
    if layer != "Mamba1":
        ssm["heads"] = ssm["d_inner"] // ssm["headdim"]
    if layer == "Mamba2":
        ssm["d_ssm"] = ssm["d_inner"]
    if layer == "Mamba3":
        ssm["angles"] = int(ssm["d_state"] * ssm.pop("rope_fraction")) // 2
        ssm["mimo_rank"] = ssm["mimo_rank"] if ssm["is_mimo"] else 1
    config["ssm_cfg"] = dict(layer=layer, **ssm)
    if config["attn_layer_idx"]:
        attention = known(config["attn_cfg"], ATTENTION, "MHA")
        attention["num_heads_kv"] = attention["num_heads_kv"] or attention["num_heads"]
        attention["head_dim"] = attention["head_dim"] or d // attention["num_heads"]
        attention["softmax_scale"] = attention["softmax_scale"] or attention["head_dim"] ** -0.5
        attention["mlp_dim"] = up(attention["mlp_dim"], 256)
        config["attn_cfg"] = attention
    else:
        config["attn_cfg"] = {}
    return config


def matters(config):
    """The settings of a model that is there."""
    mixers = {name: {k: v for k, v in config[name].items() if k not in NO_MATTER and k not in STEPS} for name in ("ssm_cfg", "attn_cfg")}
    return {**{k: v for k, v in config.items() if k not in NO_MATTER}, **mixers}


def mixer_tensors(c, d):
    """Names and shapes, and whether the module keeps them in float32."""
    inner, n = c["d_inner"], c["d_state"]
    if c["layer"] == "Mamba1":
        yield "A_log", (inner, n), True
        yield "D", (inner,), True
        yield "in_proj.weight", (2 * inner, d), False
        yield "conv1d.weight", (inner, 1, c["d_conv"]), False
        if c["conv_bias"]:
            yield "conv1d.bias", (inner,), False
        yield "x_proj.weight", (c["dt_rank"] + 2 * n, inner), False
        yield "dt_proj.weight", (inner, c["dt_rank"]), False
        yield "dt_proj.bias", (inner,), False
    if c["layer"] == "Mamba2":
        h, width = c["heads"], inner + 2 * c["ngroups"] * n
        yield "dt_bias", (h,), False
        yield "A_log", (h,), False
        yield "D", (inner if c["D_has_hdim"] else h,), True
        yield "in_proj.weight", (inner + width + h, d), False
        yield "conv1d.weight", (width, 1, c["d_conv"]), False
        if c["conv_bias"]:
            yield "conv1d.bias", (width,), False
        if c["rmsnorm"]:
            yield "norm.weight", (inner,), False
        if c["bias"]:
            yield "in_proj.bias", (inner + width + h,), False
    if c["layer"] == "Mamba3":
        h, r, p = c["heads"], c["mimo_rank"], c["headdim"]
        yield "dt_bias", (h,), True
        yield "B_bias", (h, r, n), True
        yield "C_bias", (h, r, n), True
        if c["is_mimo"]:
            for name in ("mimo_x", "mimo_z", "mimo_o"):
                yield name, (h, r, p), True
        yield "D", (h,), True
        yield "in_proj.weight", (2 * inner + 2 * n * c["ngroups"] * r + 3 * h + c["angles"], d), False
        yield "B_norm.weight", (n,), False
        yield "C_norm.weight", (n,), False
        if c["is_outproj_norm"]:
            yield "norm.weight", (inner,), False
    if c["layer"] == "Mamba1" and c["bias"]:
        yield "in_proj.bias", (2 * inner,), False
    yield "out_proj.weight", (d, inner), False
    if c["layer"] != "Mamba3" and c["bias"]:
        yield "out_proj.bias", (d,), False


def attention_tensors(c, d):
    qkv = c["head_dim"] * (c["num_heads"] + 2 * c["num_heads_kv"])
    yield "in_proj.weight", (qkv + c["mlp_dim"], d), False
    if c["qkv_proj_bias"]:
        yield "in_proj.bias", (qkv + c["mlp_dim"],), False
    if c["d_conv"]:
        yield "conv1d.weight", (qkv, 1, c["d_conv"]), False
        yield "conv1d.bias", (qkv,), False
    yield "out_proj.weight", (d, c["head_dim"] * c["num_heads"] + c["mlp_dim"] // 2), False
    if c["out_proj_bias"]:
        yield "out_proj.bias", (d,), False


def tensors(config):
    """All that load_state_dict wants, in its order."""
    d, norm = config["d_model"], ["weight"] if config["rms_norm"] else ["weight", "bias"]
    yield "backbone.embedding.weight", (config["vocab_size"], d), False
    for i in range(config["n_layer"]):
        at = f"backbone.layers.{i}."
        for name in norm:
            yield f"{at}norm.{name}", (d,), False
        own = attention_tensors(config["attn_cfg"], d) if i in config["attn_layer_idx"] else mixer_tensors(config["ssm_cfg"], d)
        for name, shape, wide in own:
            yield f"{at}mixer.{name}", shape, wide
        hidden = config["d_intermediate"]
        if hidden:
            for name in norm:
                yield f"{at}norm2.{name}", (d,), False
            yield f"{at}mlp.fc1.weight", (2 * hidden, d), False
            yield f"{at}mlp.fc2.weight", (d, hidden), False
    for name in norm:
        yield f"backbone.norm_f.{name}", (d,), False
    yield "lm_head.weight", (config["vocab_size"], d), False


def draw(name, shape, generator):
    """Values of the size that a new model has, each different."""
    last = name.rsplit(".", 1)[-1]
    x = torch.randn(shape, generator=generator)
    if last == "A_log":
        return torch.log(1 + 15 * torch.rand(shape, generator=generator))
    if last == "dt_bias" or name.endswith("dt_proj.bias"):
        dt = torch.exp(torch.rand(shape, generator=generator) * math.log(100) + math.log(0.001))
        return dt + torch.log(-torch.expm1(-dt))
    if last in ("D", "B_bias", "C_bias") or "norm" in name.rsplit(".", 2)[-2] and last == "weight":
        return 1 + 0.1 * x
    if last.startswith("mimo_"):
        return (1 if last == "mimo_z" else 1 / shape[1]) * (1 + 0.3 * x)
    if last == "bias":
        return 0.1 * x
    return x * (1.0 if "embedding" in name else shape[-1] ** -0.5)


# ---- what they compute, in float64


def rms(x, weight, groups=1):
    parts = x.unflatten(-1, (groups, -1))
    return (parts * torch.rsqrt(parts.square().mean(-1, keepdim=True) + EPS)).flatten(-2) * weight


def causal_conv(x, weight, bias):
    k = weight.shape[-1]
    padded = F.pad(x, (0, 0, k - 1, 0))
    return sum(padded[:, i : i + x.shape[1]] * weight[:, 0, i] for i in range(k)) + (0 if bias is None else bias)


def mamba1(x, w, c):
    u, z = F.linear(x, w["in_proj.weight"], w.get("in_proj.bias")).chunk(2, -1)
    u = F.silu(causal_conv(u, w["conv1d.weight"], w.get("conv1d.bias")))
    n = c["d_state"]
    dt, B, C = F.linear(u, w["x_proj.weight"]).split([c["dt_rank"], n, n], -1)
    dt = F.softplus(F.linear(dt, w["dt_proj.weight"], w["dt_proj.bias"]))
    A, state, out = -torch.exp(w["A_log"]), torch.zeros(len(x), c["d_inner"], n, dtype=x.dtype), []
    for t in range(x.shape[1]):
        state = torch.exp(dt[:, t, :, None] * A) * state + (dt[:, t] * u[:, t])[..., None] * B[:, t, None]
        out.append((state * C[:, t, None]).sum(-1) + w["D"] * u[:, t])
    return F.linear(torch.stack(out, 1) * F.silu(z), w["out_proj.weight"], w.get("out_proj.bias"))


def mamba2(x, w, c):
    inner, n, g, h = c["d_inner"], c["d_state"], c["ngroups"], c["heads"]
    z, u, dt = F.linear(x, w["in_proj.weight"], w.get("in_proj.bias")).split([inner, inner + 2 * g * n, h], -1)
    u, B, C = F.silu(causal_conv(u, w["conv1d.weight"], w.get("conv1d.bias"))).split([inner, g * n, g * n], -1)
    u = u.unflatten(-1, (h, -1))
    B, C = (m.unflatten(-1, (g, n)).repeat_interleave(h // g, 2) for m in (B, C))
    dt = F.softplus(dt + w["dt_bias"]).clamp(*c["dt_limit"])
    D = w["D"].view(h, -1)
    A, state, out = -torch.exp(w["A_log"]), torch.zeros(len(x), h, c["headdim"], n, dtype=x.dtype), []
    for t in range(x.shape[1]):
        written = (dt[:, t, :, None] * u[:, t])[..., None] * B[:, t, :, None]
        state = torch.exp(dt[:, t] * A)[..., None, None] * state + written
        out.append((state * C[:, t, :, None]).sum(-1) + D * u[:, t])
    y = torch.stack(out, 1).flatten(-2)
    if not c["rmsnorm"]:
        y = y * F.silu(z)
    elif c["norm_before_gate"]:
        y = rms(y, w["norm.weight"], g) * F.silu(z)
    else:
        y = rms(y * F.silu(z), w["norm.weight"], g)
    return F.linear(y, w["out_proj.weight"], w.get("out_proj.bias"))


def turn(x, theta, halves):
    """Turns pairs of entries of [b, r, h, n] by [b, h, s]."""
    s, out, theta = theta.shape[-1], x.clone(), theta[:, None]
    first, second = (slice(0, s), slice(x.shape[-1] // 2, x.shape[-1] // 2 + s)) if halves else (slice(0, 2 * s, 2), slice(1, 2 * s, 2))
    a, b = x[..., first], x[..., second]
    out[..., first], out[..., second] = a * theta.cos() - b * theta.sin(), a * theta.sin() + b * theta.cos()
    return out


def mamba3(x, w, c):
    inner, n, g, h, r, p = (c[k] for k in ("d_inner", "d_state", "ngroups", "heads", "mimo_rank", "headdim"))
    z, u, B, C, dt, a, trap, rates = F.linear(x, w["in_proj.weight"]).split([inner, inner, n * g * r, n * g * r, h, h, h, c["angles"]], -1)
    z, u = z.unflatten(-1, (h, p)), u.unflatten(-1, (h, p))
    keys, queries = (
        rms(m.unflatten(-1, (r, g, n)), w[f"{name}_norm.weight"]).repeat_interleave(h // g, 3) + w[f"{name}_bias"].transpose(0, 1)
        for name, m in (("B", B), ("C", C))
    )  # [b, l, r, h, n]
    A = -(torch.relu(a) + 1 / (1 - a.clamp(max=0))).clamp(min=c["A_floor"])
    dt, trap = F.softplus(dt + w["dt_bias"]), torch.sigmoid(trap)
    mimo = c["is_mimo"]
    up_x, up_z, down = (w[f"mimo_{k}"].transpose(0, 1) if mimo else torch.ones(1, h, p, dtype=x.dtype) for k in "xzo")  # [r, h, p]
    state, theta, out, before = torch.zeros(len(x), h, p, n, dtype=x.dtype), torch.zeros(len(x), h, c["angles"], dtype=x.dtype), [], None
    for t in range(x.shape[1]):
        theta = theta + math.pi * torch.tanh(rates[:, t, None]) * dt[:, t, :, None]
        k, q = turn(keys[:, t], theta, mimo), turn(queries[:, t], theta, mimo)
        v = u[:, t, None] * up_x
        write = lambda k, v: torch.einsum("brhp,brhn->bhpn", v, k)
        alpha = torch.exp(A[:, t] * dt[:, t])
        share = trap[:, t] * dt[:, t], (1 - trap[:, t]) * dt[:, t] * alpha
        state = alpha[..., None, None] * state + share[0][..., None, None] * write(k, v)
        if before is not None:
            state = state + share[1][..., None, None] * write(*before)
        before = k, v
        y = torch.einsum("bhpn,brhn->brhp", state, q) + w["D"][:, None] * v
        if c["is_outproj_norm"]:
            y = rms(y, w["norm.weight"].view(h, p))
        out.append((y * F.silu(z[:, t, None] * up_z) * down).sum(1).flatten(-2))
    return F.linear(torch.stack(out, 1), w["out_proj.weight"])


def rotary(x, c):
    """Turns the first entries of each head [b, l, h, d] by their place."""
    s = c["rotary_emb_dim"]
    if s == 0:
        return x
    rates = c["rotary_emb_base"] ** (-torch.arange(0, s, 2, dtype=x.dtype) / s)
    theta = (torch.arange(x.shape[1], dtype=x.dtype)[:, None] * rates)[:, None]
    out, turned = x.clone(), x[..., :s]
    a, b = (turned[..., 0::2], turned[..., 1::2]) if c["rotary_emb_interleaved"] else turned.chunk(2, -1)
    pair = a * theta.cos() - b * theta.sin(), a * theta.sin() + b * theta.cos()
    out[..., :s] = torch.stack(pair, -1).flatten(-2) if c["rotary_emb_interleaved"] else torch.cat(pair, -1)
    return out


def attention(x, w, c):
    heads, kv, d, mlp = c["num_heads"], c["num_heads_kv"], c["head_dim"], c["mlp_dim"]
    qkv, gated = F.linear(x, w["in_proj.weight"], w.get("in_proj.bias")).split([d * (heads + 2 * kv), mlp], -1)
    if c["d_conv"]:
        qkv = causal_conv(qkv, w["conv1d.weight"], w["conv1d.bias"])
    q, k, v = (m.unflatten(-1, (-1, d)) for m in qkv.split([heads * d, kv * d, kv * d], -1))
    q, k = rotary(q, c), rotary(k, c)
    k, v = (m.repeat_interleave(heads // kv, 2) for m in (k, v))
    scores = torch.einsum("blhd,bmhd->bhlm", q, k) * c["softmax_scale"]
    if c["causal"]:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -math.inf)
    y = torch.einsum("bhlm,bmhd->blhd", scores.softmax(-1), v).flatten(-2)
    if mlp:
        value, gate = gated.chunk(2, -1)
        y = torch.cat([y, value * F.silu(gate)], -1)
    return F.linear(y, w["out_proj.weight"], w.get("out_proj.bias"))


def forward(config, state, ids):
    norm = lambda x, at: rms(x, state[f"{at}.weight"].double()) if config["rms_norm"] else F.layer_norm(x, x.shape[-1:], state[f"{at}.weight"].double(), state[f"{at}.bias"].double(), EPS)
    ssm = {"Mamba1": mamba1, "Mamba2": mamba2, "Mamba3": mamba3}[config["ssm_cfg"]["layer"]]
    x = state["backbone.embedding.weight"].double()[ids]
    for i in range(config["n_layer"]):
        at = f"backbone.layers.{i}."
        w = {name[len(at) + 6 :]: t.double() for name, t in state.items() if name.startswith(f"{at}mixer.")}
        mixer, settings = (attention, config["attn_cfg"]) if i in config["attn_layer_idx"] else (ssm, config["ssm_cfg"])
        x = x + mixer(norm(x, f"{at}norm"), w, settings)
        if config["d_intermediate"]:
            value, gate = F.linear(norm(x, f"{at}norm2"), state[f"{at}mlp.fc1.weight"].double()).chunk(2, -1)
            x = x + F.linear(value * F.silu(gate), state[f"{at}mlp.fc2.weight"].double())
    return F.linear(norm(x, "backbone.norm_f"), state["lm_head.weight"].double())


# ---- cases


def cases(size):
    small = size == "small"
    d, layers, vocabulary = (64, 3, 253) if small else (768, 12, 32000)
    heads = dict(headdim=16 if small else 64, d_state=16 if small else 64)
    base = dict(d_model=d, n_layer=layers, vocab_size=vocabulary)
    attention = dict(causal=True, num_heads=4 if small else 12, num_heads_kv=2 if small else 4, head_dim=16 if small else 64, rotary_emb_dim=8 if small else 32)
    hybrid = dict(attn_layer_idx=[1] if small else [3, 7, 11])
    yield "mamba1", dict(base, n_layer=2 * layers, ssm_cfg={}), torch.float32
    yield "mamba2", dict(base, n_layer=2 * layers, ssm_cfg=dict(layer="Mamba2", **heads)), torch.float32
    yield "mamba2-attention", dict(base, **hybrid, d_intermediate=128 if small else 1024, ssm_cfg=dict(layer="Mamba2", **heads), attn_cfg=dict(attention, d_conv=4, qkv_proj_bias=False, out_proj_bias=False)), torch.float32
    yield "mamba3", dict(base, n_layer=2 * layers, ssm_cfg=dict(layer="Mamba3", **heads)), torch.float32
    yield "mamba3-mimo", dict(base, n_layer=2 * layers, ssm_cfg=dict(layer="Mamba3", is_mimo=True, mimo_rank=3 if small else 4, is_outproj_norm=True, **heads)), torch.float32
    if not small:
        return
    bf16 = torch.bfloat16
    yield "mamba1-bf16-untied", dict(base, tie_embeddings=False, ssm_cfg=dict(layer="Mamba1", d_state=8, d_conv=3, dt_rank=5, bias=True, conv_bias=False)), bf16
    yield "mamba1-layernorm", dict(base, rms_norm=False, d_intermediate=100, residual_in_fp32=False, fused_add_norm=False, ssm_cfg={}), torch.float16
    yield "mamba2-bf16", dict(base, ssm_cfg=dict(layer="Mamba2", ngroups=2, D_has_hdim=True, norm_before_gate=True, dt_limit=[0.01, 0.05], chunk_size=8, **heads)), bf16
    yield "mamba2-plain", dict(base, tie_embeddings=False, ssm_cfg=dict(layer="Mamba2", rmsnorm=False, bias=True, expand=1.5, **heads)), torch.float32
    yield "mamba1-attention", dict(base, **hybrid, ssm_cfg=dict(layer="Mamba1"), attn_cfg=dict(attention, mlp_dim=200, rotary_emb_interleaved=True, rotary_emb_base=500.0, softmax_scale=0.2)), torch.float32
    yield "mamba3-bf16", dict(base, tie_embeddings=False, ssm_cfg=dict(layer="Mamba3", ngroups=2, rope_fraction=1.0, is_outproj_norm=True, A_floor=0.01, **heads)), bf16
    yield "mamba3-attention", dict(base, **hybrid, d_intermediate=256, ssm_cfg=dict(layer="Mamba3", is_mimo=True, mimo_rank=2, **heads), attn_cfg=attention), bf16


def make(folder, size, names):
    for seed, (name, given, dtype) in enumerate(cases(size)):
        if names and name not in names:
            continue
        to, generator = os.path.join(folder, name), torch.Generator().manual_seed(seed)
        os.makedirs(to)
        config = known(given, MODEL, "MambaConfig")
        full = resolve(given)
        state = {key: draw(key, shape, generator).to(torch.float32 if wide else dtype) for key, shape, wide in tensors(full)}
        if full["tie_embeddings"]:
            state["lm_head.weight"] = state["backbone.embedding.weight"]
        torch.save(state, os.path.join(to, "pytorch_model.bin"))
        with open(os.path.join(to, "config.json"), "w") as file:
            json.dump(config, file, indent=4)
        print(json.dumps(dict(name=name, dtype=str(dtype)[6:], vocabulary=full["vocab_size"], weights=sum(t.numel() for key, t in state.items() if key != "lm_head.weight"))), flush=True)


def load(folder):
    with open(os.path.join(folder, "config.json")) as file:
        given = json.load(file)
    config = resolve(given)
    state = torch.load(os.path.join(folder, "pytorch_model.bin"), map_location="cpu", weights_only=True)
    wanted = {name: shape for name, shape, _ in tensors(config)}
    if wanted.keys() != state.keys():
        raise KeyError(f"missing {sorted(wanted.keys() - state.keys())}, unexpected {sorted(state.keys() - wanted.keys())}")
    for name, shape in wanted.items():
        if tuple(state[name].shape) != shape:
            raise ValueError(f"{name} must be {shape}, got {tuple(state[name].shape)}")
    return given, config, state


def compare(folder, like):
    """What of two folders is not the same."""
    (given, config, own), (given_there, config_there, there) = load(folder), load(like)
    found = [f"config.json has the keys {sorted(given)}, not {sorted(given_there)}"] if given.keys() != given_there.keys() else []
    mine, theirs = matters(config), matters(config_there)
    found += [f"{name} is {mine[name]}, not {theirs[name]}" for name in theirs if mine[name] != theirs[name]]
    for name, tensor in there.items():
        if own[name].dtype != tensor.dtype:
            found.append(f"{name} is {own[name].dtype}, not {tensor.dtype}")
        elif not torch.equal(own[name].view(torch.uint8) if own[name].dim() else own[name], tensor.view(torch.uint8) if tensor.dim() else tensor):
            found.append(f"{name} has other bits")
    tied = lambda state: state["lm_head.weight"].data_ptr() == state["backbone.embedding.weight"].data_ptr()
    if tied(own) != tied(there):
        found.append("the head shares the embedding's memory in one of the two alone")
    return found


def run(tasks):
    for task in tasks:
        try:
            _, config, state = load(task["folder"])
            with torch.no_grad():
                logits = forward(config, state, torch.tensor(task["ids"]))
            with open(os.path.join(task["folder"], "logits.bin"), "wb") as file:
                file.write(logits.contiguous().numpy().tobytes())
            found = compare(task["folder"], task["like"]) if "like" in task else []
            answer = dict(tensors=len(state), different=found)
        except Exception as error:
            answer = dict(error=f"{type(error).__name__}: {error}"[:600])
        print(json.dumps(answer), flush=True)


if sys.argv[1] == "make":
    make(sys.argv[2], sys.argv[3], sys.argv[4:])
else:
    with open(sys.argv[2]) as file:
        run(json.load(file))
