import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import type { GemmShape } from "./gemmShape.ts";
import { matrixGemm, takesStored, usesMatrix } from "./matrixGemm.ts";

/** Tiles and threads a device keeps busy with; fewer are made smaller, then split along k. */
const wantedTiles = 64;
const wantedThreads = 65_536;

/** How a workgroup's threads lie: each makes 8 by 8 elements. */
interface Tile {
  readonly TX: number;
  readonly TY: number;
}

/** Columns or rows of threads: as many as fill up to 128 elements with the least left empty. */
function side(extent: number): number {
  if (extent > 128) return 16;
  return [4, 8, 10, 12, 16].find((threads) => 8 * threads >= extent)!;
}

/** 128 x 128 where there is enough work, less where most of a tile would be empty or tiles too few. */
export function chooseTile(m: number, n: number, maxInvocations: number): Tile {
  let [TX, TY] = [side(n), side(m)];
  const tiles = (): number => Math.ceil(m / (8 * TY)) * Math.ceil(n / (8 * TX));
  if (tiles() < wantedTiles && TX > 8 && TY === 16) TY = 8;
  if (tiles() < wantedTiles && TX === 16) TX = 8;
  while (TX * TY > maxInvocations) TY /= 2;
  return { TX, TY };
}

/** Parts of k to multiply apart and add up, where tiles alone would leave the device idle. */
function chooseParts(threads: number, k: number): number {
  if (threads >= wantedThreads / 2 || k < 512) return 1;
  return Math.max(1, Math.min(Math.ceil(wantedThreads / threads), Math.floor(k / 192)));
}

/** Whether rows of the operands and of the product are whole vec4s. */
function wholeRows({ m, n, k, transposeA, transposeB }: GemmShape): boolean {
  return (transposeA ? m : k) % 4 === 0 && (transposeB ? k : n) % 4 === 0 && n % 4 === 0;
}

/** Whether `gemm` takes a weight [n, k] as it is stored. */
export function takesWeight(backend: WebGpuBackend, shape: GemmShape, weight: TensorInfo): boolean {
  const format = backend.formatOf(weight);
  if (format === "f32") return true;
  if (format !== "f16" || !shape.transposeB) return false;
  return usesMatrix(backend, shape) ? takesStored(backend, weight) : wholeRows(shape);
}

/** `b` may be a weight of half floats, where `takesWeight` says so. */
export function gemm(
  backend: WebGpuBackend,
  shape: GemmShape,
  a: TensorInfo,
  b: TensorInfo,
  out: TensorInfo,
  bias?: TensorInfo,
): void {
  const { m, n, k, transposeA, transposeB, batch = 1 } = shape;
  if (m * n * batch === 0) return;
  if (usesMatrix(backend, shape)) {
    matrixGemm(backend, shape, a, b, out, bias);
    return;
  }
  const { TX, TY } = chooseTile(m, n, backend.traits.maxInvocations);
  const [gridX, gridY] = [Math.ceil(n / (8 * TX)), Math.ceil(m / (8 * TY))];
  const wanted = bias ? 1 : chooseParts(gridX * gridY * batch * TX * TY, k);
  const split = Math.ceil(Math.max(1, k) / wanted / 16) * 16;
  const parts = Math.max(1, Math.ceil(k / split));
  const target = parts === 1 ? out : backend.scratch(parts * batch * m * n);
  const GUARDED = k % 16 !== 0;
  // Where nothing is turned, whole tiles without guards are faster (38.7 -> 42 TFLOP/s); where only B is, they are slower (40.8 -> 36.2).
  const EVEN = !transposeA && !transposeB && !GUARDED && m % (8 * TY) === 0 && n % (8 * TX) === 0;
  // A row of padding in the tiles costs a ninth more of workgroup memory than the least there is.
  const PITCH = backend.traits.maxWorkgroupMemory > 16_384 ? 17 : 16;
  const stored = backend.formatOf(b) !== "f32";
  backend.run("matMul/gemm", {
    variant: { IO: !wholeRows(shape) ? "scalar" : stored ? "half" : "vector" },
    constants: { TX, TY, PITCH, TA: transposeA, TB: transposeB, WRITTEN_OUT: !backend.traits.software, GUARDED, EVEN },
    params: { m, n, k, batchA: shape.repeatA ? 0 : m * k, batchB: shape.repeatB ? 0 : k * n, split, parts },
    buffers: { A: a, B: b, bias, C: target },
    grid: [gridX, gridY, batch * parts],
  });
  if (parts > 1) {
    backend.runOver("matMul/addParts", batch * m * n, 256, {
      params: { size: m * n, parts, batch },
      buffers: { parts: target, out },
    });
    backend.release(target);
  }
}
