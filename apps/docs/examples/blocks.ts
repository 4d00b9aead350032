import {
  BLOCK_TYPES,
  blockOf,
  dequantize,
  DTYPE_BYTES,
  fromFloat32Array,
  isBlockType,
  quantize,
  storedBytesOf,
} from "@statespace/files";

const values = Float32Array.from({ length: 32 }, (_, i) => i / 8 - 2);
const bytes = quantize("Q8_0", values); // as GGUF files have it
const back = new Float32Array(32);
dequantize("Q8_0", bytes, back);
console.log(bytes.length, Math.max(...values.map((value, i) => Math.abs(value - back[i]!))));
console.log(blockOf("Q4_K"), isBlockType("Q8_0"), storedBytesOf("Q8_0", [2, 32], "w"), Object.keys(BLOCK_TYPES).length);
console.log(fromFloat32Array(Float32Array.of(1), "BF16"), DTYPE_BYTES.BF16); // 2 bytes
