"""Runs DIR/model.onnx on DIR/ids.bin: a prompt at once, then a token at a time; the logits go to DIR/found.bin.

usage: onnx_runtime.py DIR TOKENS PROMPT runtime|reference

`runtime` is onnxruntime (needs onnxruntime and numpy), `reference` the evaluator of the onnx package, after its checker (needs onnx and numpy).
"""
import os, sys
import numpy as np

folder, tokens, prompt, engine = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
path = os.path.join(folder, "model.onnx")
ids = np.fromfile(os.path.join(folder, "ids.bin"), np.int64).reshape(-1, tokens)


def opened():
    """What runs the model, its inputs as (name, axes) and the names of its outputs."""
    if engine == "runtime":
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads, options.log_severity_level = 1, 3
        session = ort.InferenceSession(path, options)
        return session, [(v.name, v.shape) for v in session.get_inputs()], [v.name for v in session.get_outputs()]
    import onnx
    from onnx.reference import ReferenceEvaluator

    onnx.checker.check_model(path, full_check=True)
    graph = onnx.load(path).graph
    axes = lambda v: [d.dim_param or d.dim_value for d in v.type.tensor_type.shape.dim]
    return ReferenceEvaluator(path), [(v.name, axes(v)) for v in graph.input], [v.name for v in graph.output]


session, inputs, names = opened()
batch = len(ids)
states = {
    name: np.zeros([{"batch": batch, "past": 0}.get(axis, axis) for axis in shape], np.float32)
    for name, shape in inputs
    if name != "ids"
}


def run(part):
    found = dict(zip(names, session.run(None, {"ids": part, **states})))
    for name in states:
        states[name] = found[name.replace("state.", "state_out.", 1)]
    return found["logits"]


parts = [run(ids[:, :prompt])] + [run(ids[:, t:t + 1]) for t in range(prompt, tokens)]
np.concatenate(parts, 1).astype("<f4").tofile(os.path.join(folder, "found.bin"))
