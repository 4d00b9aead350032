"""Beam search by Hugging Face transformers 5.18 in float64 on the small checkpoints of `hf`: python generate_beams.py"""

import json
import pathlib

import torch
from transformers import AutoModelForCausalLM

HERE = pathlib.Path(__file__).parent
MANY = list(range(20))
OPTIONS = [
    dict(num_beams=4, max_new_tokens=8),
    dict(num_beams=3, max_new_tokens=12, length_penalty=0.5, num_return_sequences=3),
    dict(num_beams=4, max_new_tokens=10, eos_token_id=[5, 17, 40], num_return_sequences=4),
    dict(num_beams=4, max_new_tokens=16, eos_token_id=[5, 17, 40], num_return_sequences=4, early_stopping=True, length_penalty=2.0),
    dict(num_beams=4, max_new_tokens=16, eos_token_id=MANY, num_return_sequences=4, early_stopping="never"),
    dict(num_beams=4, max_new_tokens=16, eos_token_id=MANY, num_return_sequences=4, no_repeat_ngram_size=2),
]
PROMPT = [1, 7, 3, 11]

out = []
for family in ["mamba-tiny", "lfm2-tiny"]:
    model = AutoModelForCausalLM.from_pretrained(HERE / "hf" / family).double().eval()
    for options in OPTIONS:
        own = dict(options)
        own.setdefault("eos_token_id", None)
        # Greedy otherwise; None takes the config's own end of text away.
        model.generation_config.eos_token_id = own["eos_token_id"]
        result = model.generate(
            torch.tensor([PROMPT]), do_sample=False, return_dict_in_generate=True, output_scores=True, pad_token_id=0, **own
        )
        sequences = [ids[len(PROMPT) :].tolist() for ids in result.sequences]
        out.append(dict(family=family, options=options, sequences=sequences, scores=result.sequences_scores.tolist()))
(HERE / "beams").mkdir(exist_ok=True)
(HERE / "beams" / "beams.json").write_text(json.dumps(out))
