import { FormatError } from "@statespace/core";
import { type RawTensor, toFloat32Array } from "../tensors/convert.ts";
import { LENGTH_BYTES, parseHeader, readHeaderLength } from "./safetensorsHeader.ts";
import { quote } from "../strictJson.ts";

/** A whole safetensors file in memory. */
export interface SafetensorsFile {
  /** In the order of the file; `bytes` are views into the file, not copies. */
  readonly tensors: ReadonlyMap<string, RawTensor>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Parses a whole safetensors file.
 * Errors: {@link FormatError} naming the tensor and the fault; see {@link parseHeader} for what is checked.
 */
export function parseSafetensors(file: Uint8Array, name = "safetensors"): SafetensorsFile {
  const length = readHeaderLength(file, file.byteLength, name);
  const header = parseHeader(file.subarray(LENGTH_BYTES, LENGTH_BYTES + length), file.byteLength, name);
  const tensors = new Map<string, RawTensor>();
  for (const { name: key, dtype, shape, begin, end } of header.tensors.values()) {
    tensors.set(key, { dtype, shape, bytes: file.subarray(header.dataStart + begin, header.dataStart + end) });
  }
  return { tensors, metadata: header.metadata };
}

/** The tensor `name` of a parsed file as float32. Errors: {@link FormatError} if there is none. */
export function tensorF32(file: SafetensorsFile, name: string): Float32Array {
  const tensor = file.tensors.get(name);
  if (tensor === undefined) throw new FormatError(`tensor ${quote(name)} is missing`);
  return toFloat32Array(tensor);
}
