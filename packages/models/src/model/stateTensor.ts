import { FormatError, readFloats, readInts, tensor, type PlaceOptions, type Tensor } from "@statespace/core";
import { toFloat32Array, type RawTensor } from "@statespace/files";

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | Int32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A tensor of a state as a file holds it: floats, or halves where a cache keeps those (two in each int32, the first in its low bits). */
export async function readStateTensor(t: Tensor): Promise<RawTensor> {
  if (t.dtype !== "int32") return { dtype: "F32", shape: [...t.shape], bytes: bytesOf(await readFloats(t)) };
  return { dtype: "F16", shape: [...t.shape.slice(0, -1), 2 * t.shape.at(-1)!], bytes: bytesOf(await readInts(t)) };
}

/** Inverse of `readStateTensor`: what it returns makes the tensor. @throws FormatError for halves that are no pairs. */
export function stateTensorOf(name: string, raw: RawTensor): (place: PlaceOptions) => Tensor {
  if (raw.dtype !== "F16") {
    const values = toFloat32Array(raw);
    return (place) => tensor(values, raw.shape, place);
  }
  const last = raw.shape.at(-1) ?? 1;
  if (last % 2 !== 0) throw new FormatError(`state: tensor "${name}" must have an even last axis, as halves have`);
  const words = new Int32Array(raw.bytes.slice().buffer);
  return (place) => tensor(words, [...raw.shape.slice(0, -1), last / 2], { ...place, dtype: "int32" });
}
