/** The training script that `exportRecipe` writes: the same steps with transformers and accelerate, on one device or several. */
export const SCRIPT = `"""Trains the model beside this file: the same rows, rates and optimiser, step for step, as the recipe it was exported from.

    pip install -r requirements.txt
    python train.py                                             # one device, the CPU where there is no other
    accelerate launch --config_file fsdp.yaml --num_processes 4 train.py   # several GPUs, weights and moments in shards
    torchrun --nproc-per-node 2 train.py                        # several devices, each with all weights

OUT (trained/ unless told) is then a folder for transformers and for statespace. With mamba_ssm and causal-conv1d installed, transformers takes
their kernels.
"""

import argparse
import json
import os
import shutil

import numpy as np
import torch
import torch.nn.functional as F
from accelerate import Accelerator
from transformers import AutoModelForCausalLM

HERE = os.path.dirname(os.path.abspath(__file__))


def ids_of(name):
    return np.fromfile(os.path.join(HERE, "data", name), dtype="<i4").astype(np.int64)


def rows_of(ids, starts, length, device):
    rows = torch.from_numpy(np.stack([ids[start : start + length + 1] for start in starts])).to(device)
    return rows[:, :-1], rows[:, 1:]


def loss_of(model, inputs, targets):
    logits = model(input_ids=inputs, use_cache=False).logits
    return F.cross_entropy(logits.float().flatten(0, 1), targets.flatten())


def optimizer_of(model, run):
    names = {name for name, _ in model.named_parameters()}
    unknown = [name for name in run["no_decay"] if name not in names]
    if unknown:
        raise SystemExit(f"this version of transformers has no parameter {unknown[0]}; see requirements.txt")
    still = set(run["no_decay"])
    settings = run["optimizer"]
    groups = [
        {"params": [p for name, p in model.named_parameters() if name not in still], "weight_decay": settings["weightDecay"]},
        {"params": [p for name, p in model.named_parameters() if name in still], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=1.0, betas=(settings["beta1"], settings["beta2"]), eps=settings["eps"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", default=os.path.join(HERE, "trained"))
    parser.add_argument("--steps", type=int, help="ends early; rates stay those of the whole run")
    parser.add_argument("--cpu", action="store_true", help="though there is a GPU")
    args = parser.parse_args()
    with open(os.path.join(HERE, "run.json")) as file:
        run = json.load(file)
    accelerator = Accelerator(cpu=args.cpu)
    rank, world = accelerator.process_index, accelerator.num_processes
    if run["batch_size"] % world != 0:
        raise SystemExit(f"batch_size = {run['batch_size']} does not divide among {world} processes")
    model = AutoModelForCausalLM.from_pretrained(os.path.join(HERE, "model"), dtype=torch.float32)
    model.train()
    model, optimizer = accelerator.prepare(model, optimizer_of(model, run))
    ids, length = ids_of("train.bin"), run["seq_len"]
    starts = ids_of("starts.bin").reshape(run["steps"], run["accumulate"], run["batch_size"])
    steps = run["steps"] if args.steps is None else min(args.steps, run["steps"])
    for step in range(steps):
        rate = run["learning_rates"][step]
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.zero_grad()
        total = 0.0
        for micro in range(run["accumulate"]):
            loss = loss_of(model, *rows_of(ids, starts[step, micro][rank::world], length, accelerator.device))
            accelerator.backward(loss / run["accumulate"])
            total = total + loss.detach() / run["accumulate"]
        norm = accelerator.clip_grad_norm_(model.parameters(), run["clip_norm"])
        optimizer.step()
        told = accelerator.reduce(total, reduction="mean").item()
        if accelerator.is_main_process:
            event = {"kind": "step", "step": step + 1, "loss": told, "gradNorm": float(norm), "learningRate": rate}
            print(json.dumps(event), flush=True)
    model.eval()
    held = ids_of("heldout.bin")
    with torch.no_grad():
        pieces = [(at, min(2048, len(held) - 1 - at)) for at in range(0, len(held) - 1, 2048)]
        losses = [loss_of(model, *rows_of(held, [at], size, accelerator.device)).item() * size for at, size in pieces]
    accelerator.wait_for_everyone()
    state = accelerator.get_state_dict(model)
    if accelerator.is_main_process:
        print(json.dumps({"kind": "evaluation", "step": steps, "loss": sum(losses) / (len(held) - 1)}), flush=True)
        accelerator.unwrap_model(model).save_pretrained(args.out, state_dict=state, save_function=accelerator.save)
        for name in os.listdir(os.path.join(HERE, "model")):
            if name.startswith("tokenizer") or name in ("generation_config.json", "special_tokens_map.json"):
                shutil.copy(os.path.join(HERE, "model", name), os.path.join(args.out, name))
    accelerator.end_training()


if __name__ == "__main__":
    main()
`;

/** accelerate's settings for weights, gradients and moments in shards; the layers that are one shard each are those transformers names. */
export const FSDP = `compute_environment: LOCAL_MACHINE
distributed_type: FSDP
mixed_precision: "no"
num_machines: 1
num_processes: 2
machine_rank: 0
main_training_function: main
fsdp_config:
  fsdp_version: 2
  fsdp_auto_wrap_policy: TRANSFORMER_BASED_WRAP
  fsdp_reshard_after_forward: true
  fsdp_state_dict_type: FULL_STATE_DICT
  fsdp_cpu_ram_efficient_loading: false
  fsdp_offload_params: false
`;

/** What the script was tried with. */
export const REQUIREMENTS = `torch>=2.6
transformers>=5.0
accelerate>=1.6
safetensors
numpy
`;
