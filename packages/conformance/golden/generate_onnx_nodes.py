"""Golden tensors: the node tests of ONNX itself for its two operators of state space models, LinearAttention and CausalConvWithState (opset 27).

usage: generate_onnx_nodes.py OUT_DIR   (needs onnx 1.23 or newer, and numpy)

The cases are those of `onnx.backend.test.case.node`: their inputs are drawn and their outputs computed by the package, which seeds the generator itself.
Writes OUT_DIR/onnx-linear-attention/NAME.safetensors and OUT_DIR/onnx-causal-conv-with-state/NAME.safetensors: `in.*` by the operator's names of its inputs,
`out.*` of its outputs (halves as float32, which has them all); `attrs` has the node's attributes, the case's tolerances and the type of its outputs.
"""
import json, os, struct, sys
import numpy as np
from onnx import helper, defs, numpy_helper
from onnx.backend.test.case.node import collect_testcases

GROUPS = {"LinearAttention": "onnx-linear-attention", "CausalConvWithState": "onnx-causal-conv-with-state"}


def value_of(tensor):
    return tensor if isinstance(tensor, np.ndarray) else numpy_helper.to_array(tensor)


def write(path, attrs, tensors):
    # safetensors by hand, so that nothing else is needed
    header, data = {"__metadata__": {"attrs": json.dumps(attrs)}}, b""
    for name, value in tensors.items():
        raw = np.ascontiguousarray(value, dtype="<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text + data)


for group in GROUPS.values():
    os.makedirs(os.path.join(sys.argv[1], group), exist_ok=True)
count = 0
for case in collect_testcases(None):
    nodes = case.model.graph.node
    if len(nodes) != 1 or nodes[0].op_type not in GROUPS:
        continue  # another operator, or one of the two by its definition, on the same values
    schema = defs.get_schema(nodes[0].op_type)
    [(inputs, outputs)] = case.data_sets
    names = [schema.inputs[i].name for i, name in enumerate(nodes[0].input) if name != ""]
    attrs = {a.name: helper.get_attribute_value(a) for a in nodes[0].attribute}
    attrs = {key: value.decode() if isinstance(value, bytes) else value for key, value in attrs.items()}
    values = [value_of(t) for t in outputs]
    attrs |= {"rtol": case.rtol, "atol": case.atol, "dtype": str(values[0].dtype)}
    tensors = {f"in.{n}": value_of(t) for n, t in zip(names, inputs, strict=True)}
    tensors |= {f"out.{schema.outputs[i].name}": v for i, v in enumerate(values)}
    name = case.name.removeprefix("test_").removeprefix("linear_attention_").removeprefix("causal_conv_with_state_")
    write(os.path.join(sys.argv[1], GROUPS[nodes[0].op_type], name + ".safetensors"), attrs, tensors)
    count += 1
print("cases", count)
