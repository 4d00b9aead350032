"""Golden tensors: values that the `gguf` Python package reads from each type of block.

usage: generate_gguf.py OUT_DIR SEED   (needs gguf and numpy)

Writes OUT_DIR/gguf/blocks.gguf, whose tensors are random bytes (their half-float scales finite), and OUT_DIR/gguf/values.safetensors,
what `gguf.quants.dequantize` makes of each, as float32. `metadata.gguf` has a value of each type and no tensor of note.
`quantized.gguf` has the same rows in F32, Q8_0 and Q4_0, as `gguf.quants.quantize` rounds them.
"""
import json, os, struct, sys
import numpy as np
import gguf
from gguf.quants import dequantize

OUT, SEED = os.path.join(sys.argv[1], "gguf"), int(sys.argv[2])
os.makedirs(OUT, exist_ok=True)
T = gguf.GGMLQuantizationType
rng = np.random.default_rng(SEED)
# Where the half floats of a block lie.
SCALES = {T.Q4_0: [0], T.Q4_1: [0, 2], T.Q5_0: [0], T.Q5_1: [0, 2], T.Q8_0: [0], T.Q4_K: [0, 2], T.Q5_K: [0, 2], T.Q6_K: [208], T.IQ4_NL: [0]}
ROWS, BLOCKS = 5, 6


def blocks_of(kind):
    elements, size = gguf.GGML_QUANT_SIZES[kind]
    raw = rng.integers(0, 256, (ROWS * BLOCKS, size), dtype=np.uint8)
    for place in SCALES[kind]:
        scale = (rng.standard_normal(len(raw)) * 10.0 ** rng.integers(-6, 2, len(raw))).astype(np.float16)
        scale[0], scale[1], scale[2] = 0, np.float16(6e-8), -np.float16(65504)
        raw[:, place:place + 2] = scale.view(np.uint8).reshape(-1, 2)
    return raw.reshape(ROWS, BLOCKS * size)


tensors, values = {}, {}
for kind in SCALES:
    raw = blocks_of(kind)
    tensors[kind.name] = (raw, kind)
    values[kind.name] = dequantize(raw, kind)
for kind, dtype in ((T.F32, np.float32), (T.F16, np.float16)):
    raw = rng.standard_normal((3, 7)).astype(dtype)
    tensors[kind.name] = (raw, None)
    values[kind.name] = raw.astype(np.float32)
raw = rng.integers(0, 0x7F80, (3, 7), dtype=np.uint16)
tensors["BF16"] = (raw.view(np.uint8).reshape(3, 14), T.BF16)
values["BF16"] = dequantize(raw.view(np.uint8).reshape(3, 14), T.BF16)

writer = gguf.GGUFWriter(os.path.join(OUT, "blocks.gguf"), "test")
for name, (raw, kind) in tensors.items():
    writer.add_tensor(name, raw, raw_dtype=kind)
writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file(); writer.close()

writer = gguf.GGUFWriter(os.path.join(OUT, "metadata.gguf"), "test")
writer.add_uint8("of.uint8", 255); writer.add_int8("of.int8", -128); writer.add_uint16("of.uint16", 65535); writer.add_int16("of.int16", -32768)
writer.add_uint32("of.uint32", 2**32 - 1); writer.add_int32("of.int32", -2**31); writer.add_uint64("of.uint64", 2**64 - 1); writer.add_int64("of.int64", -2**40)
writer.add_float32("of.float32", 0.1); writer.add_float64("of.float64", 0.1); writer.add_bool("of.bool", True); writer.add_string("of.string", "ein Wörterbuch\n")
writer.add_array("list.int32", [1, -2, 3]); writer.add_array("list.float32", [0.5, -1.5]); writer.add_array("list.string", ["", "a", "日本"]); writer.add_array("list.bool", [True, False])
writer.add_custom_alignment(64)
writer.add_tensor("one", np.arange(6, dtype=np.float32).reshape(2, 3)); writer.add_tensor("two", np.arange(4, dtype=np.int32))
writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file(); writer.close()

# safetensors by hand, so that nothing else is needed
header, data, at = {}, b"", 0
for name, value in values.items():
    value = np.ascontiguousarray(value, dtype="<f4")
    header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, at + value.nbytes]}
    data += value.tobytes(); at += value.nbytes
text = json.dumps(header).encode(); text += b" " * (-len(text) % 8)
with open(os.path.join(OUT, "values.safetensors"), "wb") as f:
    f.write(struct.pack("<Q", len(text)) + text + data)

# What the package's quantiser makes of rows of many magnitudes: normal, subnormal and no scales, values in the middle of two steps.
rows = np.concatenate([
    rng.standard_normal((24, 64)) * 10.0 ** rng.uniform(-9, 4, (24, 1)),
    rng.integers(-127, 128, (4, 64)) / 2,
    rng.integers(-16, 17, (4, 64)) / 2,
    np.zeros((1, 64)), np.full((1, 64), -3.5), np.full((1, 64), 1e-30),
]).astype(np.float32)
writer = gguf.GGUFWriter(os.path.join(OUT, "quantized.gguf"), "test")
writer.add_tensor("F32", rows)
for kind in (T.Q8_0, T.Q4_0):
    writer.add_tensor(kind.name, gguf.quants.quantize(rows, kind), raw_dtype=kind)
writer.write_header_to_file(); writer.write_kv_data_to_file(); writer.write_tensors_to_file(); writer.close()
