import { BLOCK_TYPES, type BlockType } from "./blockTypes.ts";
import { f16ToF32Table } from "./floatBits.ts";

/*
 * Values of ggml's block types. The order of operations and the rounding of each to float32 are those of ggml's own definitions, so that the
 * values are the same bit for bit: `fround` stands wherever a product or a difference is rounded before it is used again.
 */

type Dequantize = (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;

const { fround } = Math;
/** What changes no value where it is added; 0 would change the sign of -0. */
const NOTHING = -0;
const table = f16Values();

function f16Values(): () => Float32Array {
  let values: Float32Array | undefined;
  return () => (values ??= new Float32Array(f16ToF32Table().buffer));
}

const half = (bytes: Uint8Array, at: number): number => table()[bytes[at] | (bytes[at + 1] << 8)];
const signed = (byte: number): number => (byte << 24) >> 24;

/** Two elements a byte: the low four bits are element i, the high ones element i + 16. */
function nibbles(
  bytes: Uint8Array,
  { from, scale, offset, minimum = NOTHING }: { from: number; scale: number; offset: number; minimum?: number },
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < 16; i++) {
    const byte = bytes[from + i];
    out[to + i] = fround(scale * ((byte & 15) - offset)) + minimum;
    out[to + i + 16] = fround(scale * ((byte >>> 4) - offset)) + minimum;
  }
}

/** As `nibbles` with a fifth bit each, which 32 bits before them hold. */
function fiveBits(
  bytes: Uint8Array,
  { from, scale, offset, minimum = NOTHING }: { from: number; scale: number; offset: number; minimum?: number },
  out: Float32Array,
  to: number,
): void {
  for (let i = 0; i < 32; i++) {
    const byte = bytes[from + 4 + (i & 15)];
    const high = (bytes[from + (i >>> 3)] >>> (i & 7)) & 1;
    const q = (i < 16 ? byte & 15 : byte >>> 4) | (high << 4);
    out[to + i] = fround(scale * (q - offset)) + minimum;
  }
}

/** The six bits of scale and minimum `i` of the eight that a K block packs into 12 bytes. */
function scaleAndMinimum(bytes: Uint8Array, at: number, i: number): readonly [scale: number, minimum: number] {
  if (i < 4) return [bytes[at + i] & 63, bytes[at + i + 4] & 63];
  const low = bytes[at + i + 4];
  return [(low & 15) | ((bytes[at + i - 4] >>> 6) << 4), (low >>> 4) | ((bytes[at + i] >>> 6) << 4)];
}

/** Q4_K and Q5_K: eight runs of 32 elements, each with a scale and a minimum of its own. `highAt` is where fifth bits lie, if there are any. */
function kBlock(
  bytes: Uint8Array,
  { at, lowAt, highAt }: { at: number; lowAt: number; highAt: number | undefined },
  out: Float32Array,
  to: number,
): void {
  const [d, dMin] = [half(bytes, at), half(bytes, at + 2)];
  for (let run = 0; run < 8; run++) {
    const [sc, m] = scaleAndMinimum(bytes, at + 4, run);
    const [scale, minimum] = [fround(d * sc), fround(dMin * m)];
    for (let i = 0; i < 32; i++) {
      const byte = bytes[lowAt + (run >>> 1) * 32 + i];
      const high = highAt === undefined ? 0 : ((bytes[highAt + i] >>> run) & 1) << 4;
      const q = ((run & 1) === 0 ? byte & 15 : byte >>> 4) | high;
      out[to + run * 32 + i] = fround(scale * q) - minimum;
    }
  }
}

/** Two halves of 128 elements: four low bits, two high bits, and a scale for each 16. */
function q6K(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(bytes, at + 208);
  for (let i = 0; i < 256; i++) {
    const [part, run, j] = [i >>> 7, (i >>> 5) & 3, i & 31];
    const low = bytes[at + part * 64 + (run & 1) * 32 + j];
    const high = (bytes[at + 128 + part * 32 + j] >>> (2 * run)) & 3;
    const q = ((run < 2 ? low & 15 : low >>> 4) | (high << 4)) - 32;
    out[to + i] = fround(d * signed(bytes[at + 192 + (i >>> 4)])) * q;
  }
}

/** The 16 values of IQ4_NL (ggml). */
const NON_LINEAR = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113] as const;

function iq4Nl(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(bytes, at);
  for (let i = 0; i < 16; i++) {
    const byte = bytes[at + 2 + i];
    out[to + i] = d * NON_LINEAR[byte & 15];
    out[to + i + 16] = d * NON_LINEAR[byte >>> 4];
  }
}

function q8(bytes: Uint8Array, at: number, out: Float32Array, to: number): void {
  const d = half(bytes, at);
  for (let i = 0; i < 32; i++) out[to + i] = d * signed(bytes[at + 2 + i]);
}

const BLOCKS: Readonly<Record<BlockType, Dequantize>> = {
  Q4_0: (bytes, at, out, to) => nibbles(bytes, { from: at + 2, scale: half(bytes, at), offset: 8 }, out, to),
  Q4_1: (bytes, at, out, to) =>
    nibbles(bytes, { from: at + 4, scale: half(bytes, at), offset: 0, minimum: half(bytes, at + 2) }, out, to),
  Q5_0: (bytes, at, out, to) => fiveBits(bytes, { from: at + 2, scale: half(bytes, at), offset: 16 }, out, to),
  Q5_1: (bytes, at, out, to) =>
    fiveBits(bytes, { from: at + 4, scale: half(bytes, at), offset: 0, minimum: half(bytes, at + 2) }, out, to),
  Q8_0: q8,
  Q4_K: (bytes, at, out, to) => kBlock(bytes, { at, lowAt: at + 16, highAt: undefined }, out, to),
  Q5_K: (bytes, at, out, to) => kBlock(bytes, { at, lowAt: at + 48, highAt: at + 16 }, out, to),
  Q6_K: q6K,
  IQ4_NL: iq4Nl,
};

/** The values of whole blocks, in order. `out` must have room for all of them. */
export function dequantize(type: BlockType, bytes: Uint8Array, out: Float32Array): void {
  const { elements, bytes: size } = BLOCK_TYPES[type];
  const one = BLOCKS[type];
  for (let block = 0; block < bytes.byteLength / size; block++) one(bytes, block * size, out, block * elements);
}
