import { ArgumentError } from "../errors.ts";
import { PACKED_FORMATS, type PackedFormat } from "./types.ts";

/** Elements that share one scale in `q8` and `q4`. */
export const QUANT_BLOCK = 32;

/*
 * Canonical packed form, row-major over the last axis k (a multiple of 32 for q8 and q4):
 *   f16, bf16  two bytes an element
 *   q8         per block of 32: f16 scale, then 32 int8;    value = scale * q         (34 bytes)
 *   q4         per block of 32: f16 scale, then 16 bytes;   value = scale * (q - 8)   (18 bytes)
 *              byte i holds element i in its low and element i + 16 in its high four bits
 * These are the block formats Q8_0 and Q4_0 of ggml, so that files and figures can be compared.
 * Backends may lay the same numbers out differently, never quantise differently.
 */

const f32 = new Float32Array(1);
const u32 = new Uint32Array(f32.buffer);

/** Rounds to the nearest IEEE half, ties to even. */
export function toHalf(value: number): number {
  f32[0] = value;
  const bits = u32[0]!;
  const sign = (bits >>> 16) & 0x8000;
  const rest = bits & 0x7fffffff;
  if (rest >= 0x7f800000) return sign | (rest > 0x7f800000 ? 0x7e00 : 0x7c00);
  if (rest >= 0x477ff000) return sign | 0x7c00;
  if (rest >= 0x38800000) return sign | ((rest - 0x38000000 + 0xfff + ((rest >>> 13) & 1)) >>> 13);
  // Subnormal halves: the distance between neighbours is 2^-24, so scaling makes them integers.
  const scaled = Math.abs(value) * 0x1000000;
  const floor = Math.floor(scaled);
  const fraction = scaled - floor;
  const up = fraction > 0.5 || (fraction === 0.5 && (floor & 1) === 1);
  return sign | (up ? floor + 1 : floor);
}

/** Exact value of an IEEE half. */
export function fromHalf(half: number): number {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >>> 10) & 31;
  const fraction = half & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function toBf16(value: number): number {
  f32[0] = value;
  const bits = u32[0]!;
  if ((bits & 0x7fffffff) > 0x7f800000) return (bits >>> 16) | 0x40;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function fromBf16(half: number): number {
  u32[0] = half << 16;
  return f32[0]!;
}

function split(shape: readonly number[], format: PackedFormat): { rows: number; k: number } {
  if (!PACKED_FORMATS.includes(format))
    throw new ArgumentError(`pack: format must be one of ${PACKED_FORMATS.join(", ")}, got ${String(format)}`);
  const k = shape[shape.length - 1] ?? 1;
  if ((format === "q8" || format === "q4") && k % QUANT_BLOCK !== 0) {
    throw new ArgumentError(`pack: the last axis must be a multiple of ${QUANT_BLOCK} for ${format}, got ${k}`);
  }
  return { rows: shape.slice(0, -1).reduce((a, b) => a * b, 1), k };
}

/** Bytes of the canonical packed form. @throws ArgumentError when the last axis does not divide into blocks. */
export function packBytes(shape: readonly number[], format: PackedFormat): number {
  const { rows, k } = split(shape, format);
  if (format === "q8") return rows * (k / QUANT_BLOCK) * 34;
  if (format === "q4") return rows * (k / QUANT_BLOCK) * 18;
  return rows * k * 2;
}

/** Packs float values into the canonical form. @throws ArgumentError when the last axis does not divide into blocks, or a block's scale is not finite. */
export function packFromF32(values: Float32Array, shape: readonly number[], format: PackedFormat): Uint8Array {
  const out = new Uint8Array(packBytes(shape, format));
  packRows(values, format, out);
  return out;
}

/** As `packFromF32` of whole rows, into memory that is there. */
export function packRows(values: Float32Array, format: PackedFormat, target: Uint8Array): void {
  const view = new DataView(target.buffer, target.byteOffset, target.byteLength);
  if (format === "f16" || format === "bf16") {
    const convert = format === "f16" ? toHalf : toBf16;
    for (let i = 0; i < values.length; i++) view.setUint16(2 * i, convert(values[i]!), true);
    return;
  }
  const blockBytes = format === "q8" ? 34 : 18;
  for (let block = 0, at = 0; block < values.length / QUANT_BLOCK; block++, at += blockBytes) {
    const from = block * QUANT_BLOCK;
    if (format === "q8") packQ8(values, from, view, at);
    else packQ4(values, from, view, at);
  }
}

/** A block's step in single precision, its reciprocal, by which values are rounded, and the half that is stored of it. */
function toScale(step: number, format: PackedFormat): { readonly half: number; readonly inverse: number } {
  const scale = Math.fround(step);
  const half = toHalf(scale);
  if (!Number.isFinite(fromHalf(half)))
    throw new ArgumentError(
      `pack: values must be finite and their ${format} scale at most 65504, got a scale of ${step}`,
    );
  // No float is the reciprocal of the least denormals, nor of 0; all that such a block holds is 0 once its scale is a half.
  const inverse = Math.fround(1 / scale);
  return { half, inverse: Number.isFinite(inverse) ? inverse : 0 };
}

/** To the nearest, and what lies between two away from zero. */
const roundAway = (x: number): number => (x < 0 ? -Math.round(-x) : Math.round(x));

function packQ8(values: Float32Array, from: number, view: DataView, at: number): void {
  let max = 0;
  for (let i = 0; i < QUANT_BLOCK; i++) max = Math.max(max, Math.abs(values[from + i]!));
  const { half, inverse } = toScale(max / 127, "q8");
  view.setUint16(at, half, true);
  for (let i = 0; i < QUANT_BLOCK; i++) view.setInt8(at + 2 + i, roundAway(Math.fround(values[from + i]! * inverse)));
}

function packQ4(values: Float32Array, from: number, view: DataView, at: number): void {
  // The extreme value is mapped to -8, which uses the whole range of an asymmetric 4-bit integer.
  let extreme = 0;
  for (let i = 0; i < QUANT_BLOCK; i++)
    if (Math.abs(values[from + i]!) > Math.abs(extreme)) extreme = values[from + i]!;
  const { half, inverse } = toScale(extreme / -8, "q4");
  view.setUint16(at, half, true);
  const quantise = (x: number): number => Math.min(15, Math.trunc(Math.fround(Math.fround(x * inverse) + 8.5)));
  for (let i = 0; i < 16; i++) {
    view.setUint8(at + 2 + i, quantise(values[from + i]!) | (quantise(values[from + i + 16]!) << 4));
  }
}

/** Inverse of `packFromF32`, up to the rounding it did. */
export function unpackToF32(bytes: Uint8Array, shape: readonly number[], format: PackedFormat): Float32Array {
  const { rows, k } = split(shape, format);
  const out = new Float32Array(rows * k);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === "f16" || format === "bf16") {
    const convert = format === "f16" ? fromHalf : fromBf16;
    for (let i = 0; i < out.length; i++) out[i] = convert(view.getUint16(2 * i, true));
    return out;
  }
  const blockBytes = format === "q8" ? 34 : 18;
  for (let block = 0, at = 0; block < out.length / QUANT_BLOCK; block++, at += blockBytes) {
    const scale = fromHalf(view.getUint16(at, true));
    const to = block * QUANT_BLOCK;
    if (format === "q8") {
      for (let i = 0; i < QUANT_BLOCK; i++) out[to + i] = scale * view.getInt8(at + 2 + i);
    } else {
      for (let i = 0; i < 16; i++) {
        const byte = view.getUint8(at + 2 + i);
        out[to + i] = scale * ((byte & 15) - 8);
        out[to + i + 16] = scale * ((byte >>> 4) - 8);
      }
    }
  }
  return out;
}
