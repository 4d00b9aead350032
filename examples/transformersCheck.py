"""Reads a checkpoint folder with Hugging Face transformers: logits, token ids and a greedy continuation, as JSON on standard output.

    python3 transformersCheck.py FOLDER REQUEST.json

REQUEST.json: {"text": ..., "ids": [...], "newTokens": n}. Exit code 3 where transformers is not installed.
"""
import json
import sys

try:
    import torch
    import transformers
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(3)

folder, request_file = sys.argv[1:]
with open(request_file, encoding="utf8") as file:
    request = json.load(file)

model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
ids = torch.tensor([request["ids"]])
with torch.no_grad():
    logits = model(ids).logits[0]
    greedy = model.generate(ids, max_new_tokens=request["newTokens"], do_sample=False)[0, ids.shape[1]:]
json.dump(
    {
        "versions": {"torch": torch.__version__, "transformers": transformers.__version__, "python": sys.version.split()[0]},
        "model": type(model).__name__,
        "ids": tokenizer(request["text"])["input_ids"],
        "logits": logits.double().tolist(),
        "greedy": greedy.tolist(),
    },
    sys.stdout,
)
