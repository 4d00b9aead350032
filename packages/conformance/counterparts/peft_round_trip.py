"""The other side of peftRoundTrip.ts: loads adapters that were written here, and writes some of PEFT's own.

usage: peft_round_trip.py JOBS.json      (torch, transformers, peft, safetensors)
Each job: { name, base, ours, theirs, ids, settings }. It saves OURS/logits.safetensors (logits of the adapter in `ours`), and an adapter of its
own with the same settings in `theirs`, trained for some steps, with its logits beside it, unmerged and merged. One line of JSON a job.
"""
import json
import os
import sys
import traceback
import warnings

import torch
import transformers
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import save_file

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
torch.set_num_threads(1)
STEPS = 5


def load(base):
    # The other implementations of mixtures of experts take no float64.
    return transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32, experts_implementation="eager")


def logits(model, ids):
    with torch.no_grad():
        return model.double().eval()(ids, use_cache=False).logits.contiguous()


def run(job):
    torch.manual_seed(1)
    ids = torch.tensor(job["ids"])
    model = PeftModel.from_pretrained(load(job["base"]), job["ours"])
    ours = logits(model, ids)
    merged = logits(model.merge_and_unload(), ids)
    save_file({"logits": ours, "merged": merged}, os.path.join(job["ours"], "logits.safetensors"))
    model = get_peft_model(load(job["base"]), LoraConfig(task_type="CAUSAL_LM", **job["settings"]))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.copy_(torch.randn_like(parameter) * 0.05)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-3)
    for _ in range(STEPS):
        optimizer.zero_grad()
        model(ids, labels=ids, use_cache=False).loss.backward()
        optimizer.step()
    model.save_pretrained(job["theirs"])
    out = {"logits": logits(model, ids)}
    out["merged"] = logits(model.merge_and_unload(), ids)
    save_file(out, os.path.join(job["theirs"], "logits.safetensors"))


for job in json.load(open(sys.argv[1])):
    try:
        run(job)
        print(json.dumps({"name": job["name"], "ok": True}), flush=True)
    except Exception as error:
        traceback.print_exc()
        print(json.dumps({"name": job["name"], "ok": False, "why": f"{type(error).__name__}: {error}"[:300]}), flush=True)
