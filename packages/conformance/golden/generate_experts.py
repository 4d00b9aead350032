"""More golden checkpoints of mixtures of experts: Nemotron-H, whose router has groups, a correction and a latent width; Qwen3.5.

usage: generate_experts.py OUT_DIR SEED      (torch, transformers 5.18, safetensors; no mamba_ssm importable)
As generate_hybrids.py: random tiny checkpoints as transformers saves them, every parameter perturbed.
"""
import json, math, os, sys
import torch, transformers
from safetensors.torch import save_file
from transformers import AutoConfig, AutoModelForCausalLM

OUT, SEED = sys.argv[1], int(sys.argv[2])
VOCAB = 96
SPECS = {
    "nemotron-h-moe-tiny": dict(model_type="nemotron_h", hidden_size=32, intermediate_size=48, layers_block_type=["linear_attention", "moe", "full_attention", "moe", "mlp"], num_attention_heads=4, num_key_value_heads=2, head_dim=8, mamba_num_heads=8, mamba_head_dim=8, ssm_state_size=16, n_groups=2, chunk_size=16, n_routed_experts=8, num_experts_per_tok=3, moe_intermediate_size=24, moe_shared_expert_intermediate_size=40, moe_latent_size=16, n_group=4, topk_group=2, routed_scaling_factor=2.5, norm_topk_prob=True, mlp_bias=True),
    "qwen3.5-moe-tiny": dict(model_type="qwen3_5_moe_text", hidden_size=32, num_hidden_layers=3, num_attention_heads=4, num_key_value_heads=2, head_dim=16, linear_num_key_heads=2, linear_num_value_heads=4, linear_key_head_dim=8, linear_value_head_dim=8, layer_types=["linear_attention", "full_attention", "linear_attention"], num_experts=6, num_experts_per_tok=2, moe_intermediate_size=16, shared_expert_intermediate_size=24, rope_parameters=dict(rope_type="default", rope_theta=10000.0, partial_rotary_factor=0.25)),
}


def perturb(model):
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "A_log" in name: p.add_(0.3 * torch.randn_like(p))
            elif p.dim() == 1: p.add_(0.25 * torch.randn_like(p))
            else: p.copy_(torch.randn_like(p) * (0.7 / math.sqrt(p.shape[-1])))
        for name, b in model.named_buffers():
            if "e_score_correction_bias" in name: b.add_(0.3 * torch.randn_like(b))


def greedy(model, ids, count=24):
    """By full forwards: transformers' cached decoding of these models is not what is judged."""
    with torch.no_grad():
        for _ in range(count):
            ids = torch.cat([ids, model(ids, use_cache=False).logits[:, -1:].argmax(-1)], 1)
    return ids


def expected(model, ids):
    model = model.double().eval()
    with torch.no_grad():
        logits = model(ids, use_cache=False).logits
    out = {"in.ids": ids.int(), "out.logits": logits.double().contiguous(), "out.greedy": greedy(model, ids[:1, :8]).int()}
    model.train()
    loss = model(ids, labels=ids, use_cache=False).loss
    loss.backward()
    out["out.loss"] = loss.detach().double().reshape(1)
    out |= {"grad." + name: p.grad.float().contiguous() for name, p in model.named_parameters() if p.grad is not None}
    return out


torch.manual_seed(SEED)
torch.set_num_threads(1)
for name, settings in SPECS.items():
    config = AutoConfig.for_model(**settings, vocab_size=VOCAB, pad_token_id=None)
    model = AutoModelForCausalLM.from_config(config).float()
    perturb(model)
    folder = os.path.join(OUT, "hf", name)
    os.makedirs(folder, exist_ok=True)
    model.save_pretrained(folder)
    # What the file says is what is judged.
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32, experts_implementation="eager")
    tensors = expected(model, torch.randint(0, VOCAB, (2, 21)))
    versions = dict(transformers=transformers.__version__, torch=torch.__version__)
    save_file(tensors, os.path.join(folder, "expected.safetensors"), metadata={"attrs": json.dumps(versions)})
