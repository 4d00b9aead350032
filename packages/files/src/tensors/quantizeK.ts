import { ArgumentError } from "@statespace/core";
import { f16ToF32Table, f32BitsToF16Bits } from "./floatBits.ts";

/** A scale and what is taken off: value = scale q - minimum. */
interface Fit {
  readonly scale: number;
  readonly minimum: number;
}

const single = new Float32Array(1);
const bits = new Uint32Array(single.buffer);

/** The half nearest to a scale, as bits and as the value that a reader finds. */
function half(value: number, type: string): { readonly bits: number; readonly value: number } {
  single[0] = value;
  const found = f32BitsToF16Bits(bits[0]);
  bits[0] = f16ToF32Table()[found];
  if (!Number.isFinite(single[0]))
    throw new ArgumentError(
      `quantize: values must be finite and their ${type} scale at most 65504, got a scale of ${value}`,
    );
  return { bits: found, value: single[0] };
}

const clamp = (q: number, low: number, high: number): number => Math.max(low, Math.min(high, q));

/** Large values matter most for what a row adds up to; small ones still count. */
function weightsOf(values: Float32Array): Float64Array {
  const mean = Math.sqrt(values.reduce((sum, x) => sum + x * x, 0) / values.length);
  return Float64Array.from(values, (x) => mean + Math.abs(x));
}

/** Tries scales around the one that spans the values, each followed by the least squares fit for the whole numbers that it gives. */
function fitWithMinimum(values: Float32Array, most: number): Fit {
  const weights = weightsOf(values);
  const low = Math.min(0, ...values);
  const span = Math.max(0, ...values) - low;
  if (span === 0) return { scale: 0, minimum: -low };
  let best: Fit = { scale: span / most, minimum: -low };
  let least = errorOf(values, weights, best, most);
  const q = new Float64Array(values.length);
  for (let step = -10; step <= 10; step++) {
    for (let i = 0; i < q.length; i++)
      q[i] = clamp(Math.round(((values[i] - low) * (most + step / 10)) / span), 0, most);
    const fit = leastSquares(values, weights, q);
    if (fit === undefined) continue;
    const error = errorOf(values, weights, fit, most);
    if (error < least) [least, best] = [error, fit];
  }
  return best;
}

/** Scale and minimum that bring `scale q - minimum` closest to the values; a minimum below 0 cannot be stored. */
function leastSquares(values: Float32Array, weights: Float64Array, q: Float64Array): Fit | undefined {
  let [w, wq, wqq, wx, wqx] = [0, 0, 0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    w += weights[i];
    wq += weights[i] * q[i];
    wqq += weights[i] * q[i] * q[i];
    wx += weights[i] * values[i];
    wqx += weights[i] * q[i] * values[i];
  }
  const determinant = w * wqq - wq * wq;
  if (determinant <= 0) return undefined;
  const scale = (w * wqx - wq * wx) / determinant;
  const minimum = (scale * wq - wx) / w;
  if (minimum >= 0) return scale > 0 ? { scale, minimum } : undefined;
  return wqx > 0 ? { scale: wqx / wqq, minimum: 0 } : undefined;
}

function errorOf(values: Float32Array, weights: Float64Array, { scale, minimum }: Fit, most: number): number {
  let error = 0;
  for (let i = 0; i < values.length; i++) {
    const q = scale === 0 ? 0 : clamp(Math.round((values[i] + minimum) / scale), 0, most);
    error += weights[i] * (scale * q - minimum - values[i]) ** 2;
  }
  return error;
}

/** 256 values as a Q4_K block: eight runs of 32 with scales and minima of six bits, which share a half each. */
export function quantizeQ4K(values: Float32Array, out: Uint8Array): void {
  const fits = Array.from({ length: 8 }, (_, run) => fitWithMinimum(values.subarray(32 * run, 32 * run + 32), 15));
  const d = half(Math.max(...fits.map(({ scale }) => scale)) / 63, "Q4_K");
  const dMin = half(Math.max(...fits.map(({ minimum }) => minimum)) / 63, "Q4_K");
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  view.setUint16(0, d.bits, true);
  view.setUint16(2, dMin.bits, true);
  const sixBits = (wanted: number, unit: number): number => (unit === 0 ? 0 : clamp(Math.round(wanted / unit), 0, 63));
  fits.forEach(({ scale, minimum }, run) => {
    const [sc, m] = [sixBits(scale, d.value), sixBits(minimum, dMin.value)];
    if (run < 4) {
      out[4 + run] |= sc;
      out[8 + run] |= m;
    } else {
      out[8 + run] = (sc & 15) | ((m & 15) << 4);
      out[run] |= (sc >>> 4) << 6;
      out[4 + run] |= (m >>> 4) << 6;
    }
    const [step, low] = [d.value * sc, dMin.value * m];
    for (let i = 0; i < 32; i++) {
      const q = step === 0 ? 0 : clamp(Math.round((values[32 * run + i] + low) / step), 0, 15);
      out[16 + (run >>> 1) * 32 + i] |= (run & 1) === 0 ? q : q << 4;
    }
  });
}

/** The scale for whole numbers in -32..31 that loses least, its sign that of the side that needs -32. */
function fitSymmetric(values: Float32Array): number {
  const extreme = values.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  if (extreme === 0) return 0;
  const weights = weightsOf(values);
  let [best, least] = [0, Infinity];
  for (let step = -9; step <= 9; step++) {
    const inverse = -(32 + step / 10) / extreme;
    let [wqx, wqq] = [0, 0];
    for (let i = 0; i < values.length; i++) {
      const q = clamp(Math.round(values[i] * inverse), -32, 31);
      wqx += weights[i] * q * values[i];
      wqq += weights[i] * q * q;
    }
    if (wqq === 0) continue;
    const scale = wqx / wqq;
    let error = 0;
    for (let i = 0; i < values.length; i++) {
      const q = scale === 0 ? 0 : clamp(Math.round(values[i] / scale), -32, 31);
      error += weights[i] * (scale * q - values[i]) ** 2;
    }
    if (error < least) [least, best] = [error, scale];
  }
  return best;
}

/** 256 values as a Q6_K block: sixteen runs of 16 with scales of eight bits, which share a half. */
export function quantizeQ6K(values: Float32Array, out: Uint8Array): void {
  const scales = Array.from({ length: 16 }, (_, run) => fitSymmetric(values.subarray(16 * run, 16 * run + 16)));
  const extreme = scales.reduce((most, x) => (Math.abs(x) > Math.abs(most) ? x : most), 0);
  const d = half(extreme / -128, "Q6_K");
  const view = new DataView(out.buffer, out.byteOffset, out.byteLength);
  view.setUint16(208, d.bits, true);
  scales.forEach((scale, run) =>
    view.setInt8(192 + run, d.value === 0 ? 0 : clamp(Math.round(scale / d.value), -128, 127)),
  );
  for (let i = 0; i < 256; i++) {
    const step = d.value * view.getInt8(192 + (i >>> 4));
    const q = (step === 0 ? 0 : clamp(Math.round(values[i] / step), -32, 31)) + 32;
    const [part, run, j] = [i >>> 7, (i >>> 5) & 3, i & 31];
    out[part * 64 + (run & 1) * 32 + j] |= run < 2 ? q & 15 : (q & 15) << 4;
    out[128 + part * 32 + j] |= (q >>> 4) << (2 * run);
  }
}
