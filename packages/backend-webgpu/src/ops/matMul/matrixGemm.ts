import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import type { GemmShape } from "./gemmShape.ts";

/** Rows and columns of a workgroup's tile. */
const tile = 128;

/** Rows that are scaled alike; a workgroup makes the halves of so many. */
const stripRows = 32;

/** Blocks of 4 by 8 values that a thread keeps while it looks for the largest. */
const mostHeld = 2;

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

/** Whether a weight [n, k] goes to the matrix units as it is stored. */
export function takesStored(backend: WebGpuBackend, weight: TensorInfo): boolean {
  return backend.formatOf(weight) === "f16" && weight.shape.at(-1)! % partsOf(backend).BK === 0;
}

/** An operand of a product: how it lies, and what becomes of it. */
interface Operand {
  readonly x: TensorInfo;
  /** Stored with k outermost. */
  readonly turned: boolean;
  readonly rows: number;
  readonly count: number;
}

interface Halved {
  readonly halves: TensorInfo;
  readonly scales: TensorInfo;
}

function variantOf({ turned, rows }: Operand, k: number): "vector" | "turned" | "scalar" {
  if ((turned ? rows : k) % 4 !== 0) return "scalar";
  return turned ? "turned" : "vector";
}

/** Makes the halves of A and, where it is not stored as half floats, of B. */
function halve(backend: WebGpuBackend, k: number, a: Operand, b: Operand | undefined): { a: Halved; b?: Halved } {
  const { PARTS, BK } = partsOf(backend);
  const depth = padded(k, BK);
  const strips = ({ rows }: Operand): number => padded(rows, tile) / stripRows;
  const room = (operand: Operand): Halved => ({
    halves: backend.scratch(halvesSize(PARTS, operand.count, padded(operand.rows, tile), depth)),
    scales: backend.scratch(operand.count * strips(operand)),
  });
  const [ofA, ofB] = [room(a), b && room(b)];
  const blocks = (stripRows * depth) / 32;
  const WG = Math.min(blocks >= 1024 ? 512 : 256, backend.traits.maxInvocations);
  backend.run("matMul/halves", {
    variant: { IO_A: variantOf(a, k), IO_B: b ? variantOf(b, k) : "vector" },
    constants: {
      WG,
      PARTS,
      HELD: Math.min(mostHeld, Math.ceil(blocks / WG)),
      TURNED_A: a.turned,
      TURNED_B: b?.turned ?? false,
    },
    params: {
      m: a.rows,
      n: b?.rows ?? 0,
      k,
      words: depth / 8,
      stripsA: strips(a),
      stripsB: b ? strips(b) : 0,
      countA: a.count,
      countB: b?.count ?? 0,
    },
    buffers: { A: a.x, B: b?.x, halvesA: ofA.halves, halvesB: ofB?.halves, scalesA: ofA.scales, scalesB: ofB?.scales },
    grid: [strips(a) + (b ? strips(b) : 0), Math.max(a.count, b?.count ?? 0), 1],
  });
  return { a: ofA, ...(ofB && { b: ofB }) };
}

/** A product on the matrix units, to the backend's precision. `b` may be a weight of half floats that `takesStored`. */
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
  const stored = backend.formatOf(b) !== "f32";
  const made = halve(
    backend,
    k,
    { x: a, turned: transposeA, rows: m, count: countA },
    stored ? undefined : { x: b, turned: !transposeB, rows: n, count: countB },
  );
  const [gridX, gridY] = [rowsB / tile, rowsA / tile];
  const wanted = bias ? 1 : chooseSplits(gridX * gridY * batch, k);
  const split = padded(Math.ceil(depth / wanted), BK) / 8;
  const splits = Math.ceil(depth / 8 / split);
  const target = splits === 1 ? out : backend.scratch(splits * batch * m * n);
  const words = depth / 8;
  backend.run("matMul/matrix", {
    constants: { PARTS, PARTS_B: stored ? 1 : PARTS, BK },
    params: {
      m,
      n,
      words,
      stepA: repeatA ? 0 : rowsA * words,
      stepB: repeatB || stored ? 0 : rowsB * words,
      restA: countA * rowsA * words,
      restB: countB * rowsB * words,
      split,
      splits,
      stripsA: repeatA ? 0 : rowsA / stripRows,
      stripsB: repeatB ? 0 : rowsB / stripRows,
    },
    buffers: {
      A: made.a.halves,
      B: made.b?.halves ?? b,
      scalesA: made.a.scales,
      scalesB: made.b?.scales,
      bias,
      C: target,
    },
    grid: [gridX, gridY, batch * splits],
  });
  if (splits > 1) {
    backend.runOver("matMul/addParts", batch * m * n, 256, {
      params: { size: m * n, parts: splits, batch },
      buffers: { parts: target, out },
    });
    backend.release(target);
  }
  for (const halved of [made.a, made.b]) if (halved) backend.release(halved.halves, halved.scales);
}
