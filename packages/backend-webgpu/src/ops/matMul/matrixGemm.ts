import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import type { GemmShape } from "./gemmShape.ts";

/** Rows and columns of a workgroup's tile. */
const tile = 128;

/** Workgroups that partial peaks of an operand come from. */
const peakGroups = 256;

/** Work from which a product goes to the matrix units: below, what its operands' halves cost is not made up for. A test may lower it. */
export const matrixWishes: { leastWork: number; leastSide: number } = { leastWork: 5e8, leastSide: 96 };

const padded = (extent: number, to: number): number => Math.ceil(extent / to) * to;

/** Half floats a value is made of, and the depth of a slice of their products. */
function partsOf(backend: WebGpuBackend): { PARTS: 1 | 2; BK: number } {
  return backend.precision === "medium" ? { PARTS: 1, BK: 64 } : { PARTS: 2, BK: 32 };
}

/** 32-bit words of an operand's halves. */
function halvesSize(PARTS: number, count: number, rows: number, depth: number): number {
  return (PARTS * count * rows * depth) / 2;
}

/** Whether a product goes to the matrix units. */
export function usesMatrix(backend: WebGpuBackend, { m, n, k, batch = 1 }: GemmShape): boolean {
  if (!backend.traits.matrix || backend.precision === "highest") return false;
  if (Math.min(m, n) < matrixWishes.leastSide || 2 * m * n * k * batch < matrixWishes.leastWork) return false;
  const { PARTS, BK } = partsOf(backend);
  const words = Math.max(padded(m, tile), padded(n, tile)) * padded(k, BK) * batch;
  return 4 * halvesSize(PARTS, 1, words, 1) <= backend.traits.maxBinding;
}

/** Parts of k to multiply apart and add up, where tiles alone would leave the device idle. */
function chooseSplits(tiles: number, k: number): number {
  return tiles > 132 || k < 1024 ? 1 : Math.min(Math.ceil(200 / tiles), Math.floor(k / 512));
}

/** Writes an operand's halves. */
function halve(
  backend: WebGpuBackend,
  operand: { readonly x: TensorInfo; readonly turned: boolean; readonly rows: number; readonly count: number },
  place: { readonly index: 0 | 1; readonly k: number; readonly depth: number; readonly PARTS: 1 | 2 },
  peaks: TensorInfo,
  scales: TensorInfo,
): TensorInfo {
  const { x, turned, rows, count } = operand;
  const { index, k, depth, PARTS } = place;
  const paddedRows = padded(rows, tile);
  const out = backend.scratch(halvesSize(PARTS, count, paddedRows, depth));
  backend.run("matMul/halves", {
    variant: { IO: (turned ? rows : k) % 4 === 0 ? "vector" : "scalar" },
    constants: { TURNED: turned, PARTS },
    params: { rows, k, paddedRows, words: depth / 8, step: rows * k, index, peaks: peakGroups },
    buffers: { X: x, peaks, out, scales },
    grid: [paddedRows / 32, Math.ceil(depth / 64), count],
  });
  return out;
}

/** A product on the matrix units, to the backend's precision. */
export function matrixGemm(
  backend: WebGpuBackend,
  shape: GemmShape,
  a: TensorInfo,
  b: TensorInfo,
  out: TensorInfo,
  bias?: TensorInfo,
): void {
  const { m, n, k, transposeA, transposeB, batch = 1, repeatA, repeatB } = shape;
  const { PARTS, BK } = partsOf(backend);
  const depth = padded(k, BK);
  const [rowsA, rowsB] = [padded(m, tile), padded(n, tile)];
  const [countA, countB] = [repeatA ? 1 : batch, repeatB ? 1 : batch];
  const peaks = backend.scratch(2 * peakGroups);
  const scales = backend.scratch(2);
  const [sizeA, sizeB] = [countA * m * k, countB * n * k];
  const whole = sizeA % 4 === 0 && sizeB % 4 === 0;
  backend.run("matMul/peaks", {
    variant: { IO: whole ? "vector" : "scalar" },
    params: whole ? { sizeA: sizeA / 4, sizeB: sizeB / 4 } : { sizeA, sizeB },
    buffers: { A: a, B: b, peaks },
    grid: [peakGroups, 2, 1],
  });
  const place = { k, depth, PARTS };
  const A = halve(backend, { x: a, turned: transposeA, rows: m, count: countA }, { ...place, index: 0 }, peaks, scales);
  const B = halve(
    backend,
    { x: b, turned: !transposeB, rows: n, count: countB },
    { ...place, index: 1 },
    peaks,
    scales,
  );
  const [gridX, gridY] = [rowsB / tile, rowsA / tile];
  const wanted = bias ? 1 : chooseSplits(gridX * gridY * batch, k);
  const split = padded(Math.ceil(depth / wanted), BK) / 8;
  const splits = Math.ceil(depth / 8 / split);
  const target = splits === 1 ? out : backend.scratch(splits * batch * m * n);
  const words = depth / 8;
  backend.run("matMul/matrix", {
    constants: { PARTS, BK },
    params: {
      m,
      n,
      words,
      stepA: repeatA ? 0 : rowsA * words,
      stepB: repeatB ? 0 : rowsB * words,
      restA: countA * rowsA * words,
      restB: countB * rowsB * words,
      split,
      splits,
    },
    buffers: { A, B, scales, bias, C: target },
    grid: [gridX, gridY, batch * splits],
  });
  if (splits > 1) {
    backend.runOver("matMul/addParts", batch * m * n, 256, {
      params: { size: m * n, parts: splits, batch },
      buffers: { parts: target, out },
    });
    backend.release(target);
  }
  backend.release(peaks, scales, A, B);
}
