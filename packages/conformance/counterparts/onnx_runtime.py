"""Runs DIR/model.onnx on DIR/ids.bin as onnxruntime does: a prompt at once, then a token at a time; the logits go to DIR/found.bin.

usage: onnx_runtime.py DIR TOKENS PROMPT   (needs onnxruntime and numpy)
"""
import os, sys
import numpy as np
import onnxruntime as ort

folder, tokens, prompt = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
ids = np.fromfile(os.path.join(folder, "ids.bin"), np.int64).reshape(-1, tokens)
options = ort.SessionOptions()
options.intra_op_num_threads, options.log_severity_level = 1, 3
session = ort.InferenceSession(os.path.join(folder, "model.onnx"), options)
batch = len(ids)
states = {}
for value in session.get_inputs():
    if value.name != "ids":
        states[value.name] = np.zeros([{"batch": batch, "past": 0}.get(axis, axis) for axis in value.shape], np.float32)
names = [value.name for value in session.get_outputs()]


def run(part):
    found = dict(zip(names, session.run(None, {"ids": part, **states})))
    for name in states:
        states[name] = found[name.replace("state.", "state_out.", 1)]
    return found["logits"]


parts = [run(ids[:, :prompt])] + [run(ids[:, t:t + 1]) for t in range(prompt, tokens)]
np.concatenate(parts, 1).astype("<f4").tofile(os.path.join(folder, "found.bin"))
