"""Loads folders in Hugging Face transformers and says what it made of them, a line of JSON a folder.

usage: check.py MANIFEST     (torch, transformers)
MANIFEST is JSON: [{"folder": ..., "ids": [[...], ...], "new": 16}, ...]. Of each: keys that transformers missed, did not expect or found of
another shape; its logits in float64, written to `logits.bin` in the folder; and `new` greedy tokens after the first 8 of the first row,
by full forwards.
"""
import json, os, sys, warnings

warnings.filterwarnings("ignore")
os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
import torch, transformers

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
torch.set_num_threads(1)


def keys(found):
    return sorted(str(key) for key in found)


def check(folder, ids, new):
    model, info = transformers.AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, experts_implementation="eager", output_loading_info=True
    )
    model = model.double().eval()
    ids = torch.tensor(ids)
    with torch.no_grad():
        logits = model(ids, use_cache=False).logits.double()
        row = ids[:1, :8]
        for _ in range(new):
            row = torch.cat([row, model(row, use_cache=False).logits[:, -1:].argmax(-1)], 1)
    with open(os.path.join(folder, "logits.bin"), "wb") as out:
        out.write(logits.contiguous().numpy().tobytes())
    return dict(
        model=type(model).__name__,
        missing=keys(info["missing_keys"]),
        unexpected=keys(info["unexpected_keys"]),
        mismatched=keys(info["mismatched_keys"]),
        greedy=row[0].tolist(),
    )


print(json.dumps(dict(transformers=transformers.__version__, torch=torch.__version__)), flush=True)
for task in json.load(open(sys.argv[1])):
    try:
        answer = check(task["folder"], task["ids"], task["new"])
    except Exception as error:
        answer = dict(error=f"{type(error).__name__}: {error}"[:400])
    print(json.dumps(answer), flush=True)
