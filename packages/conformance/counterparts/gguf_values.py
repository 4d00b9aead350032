"""What the gguf package of Python reads from each tensor of a GGUF file: its type, and the sum (SHA-256) of its values as float32, as JSON.

usage: gguf_values.py FILE   (needs gguf)
"""
import hashlib
import json
import sys
import numpy
from gguf import GGUFReader
from gguf.quants import dequantize

found = {}
for tensor in GGUFReader(sys.argv[1]).tensors:
    values = numpy.ascontiguousarray(dequantize(tensor.data, tensor.tensor_type), dtype="<f4")
    found[str(tensor.name)] = {"type": tensor.tensor_type.name, "sum": hashlib.sha256(values.tobytes()).hexdigest()}
print(json.dumps(found))
