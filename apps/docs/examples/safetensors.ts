import {
  memorySource,
  openSafetensors,
  openWeights,
  parseSafetensors,
  safetensorsBlob,
  serializeSafetensors,
} from "@statespace/files";
import { layoutSafetensors, tensorF32, toFloat32Array, toFloat64Array, WEIGHTS_FILE } from "@statespace/files";

const tensors = new Map([["w", { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }]]);
const bytes = serializeSafetensors(tensors, { dtype: "BF16" });
const parsed = parseSafetensors(bytes);
console.log(tensorF32(parsed, "w"), safetensorsBlob(tensors).size, layoutSafetensors(tensors).byteLength);
const source = memorySource({ [WEIGHTS_FILE]: bytes });
const file = (await openSafetensors(source, WEIGHTS_FILE))!; // headers only
const tensor = await file.read("w");
console.log(tensor.dtype, tensor.shape, toFloat32Array(tensor), toFloat64Array(tensor), [
  ...(await openWeights(source)).entries.keys(),
]);
