"""PyTorch and PEFT for lora.ts: trains an adapter on a checkpoint, one step a line of input.

usage: lora_torch.py BASE ADAPTER BATCH.json THREADS LEARNING_RATE      (torch, transformers, peft)
"""
import json
import sys
import time
import warnings

import torch
import transformers
from peft import PeftModel

warnings.filterwarnings("ignore")
transformers.logging.set_verbosity_error()
transformers.utils.logging.disable_progress_bar()
base, adapter, batch, threads, rate = sys.argv[1:]
torch.set_num_threads(int(threads))
model = transformers.AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
model = PeftModel.from_pretrained(model, adapter, is_trainable=True).train()
data = json.load(open(batch))
ids = torch.tensor(data["ids"]).reshape(data["shape"])
optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=float(rate), weight_decay=0)
print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
for _ in sys.stdin:
    start = time.process_time()
    optimizer.zero_grad(set_to_none=True)
    loss = model(ids, labels=ids, use_cache=False).loss
    loss.backward()
    optimizer.step()
    print(json.dumps({"loss": loss.item(), "busy": 1000 * (time.process_time() - start)}), flush=True)
