import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import type { Binding } from "../../shader/binding.ts";
import { fillWith } from "../make/fill.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";
import { sizeOf } from "../shared/sizeOf.ts";

/** Entries that a workgroup sums (squaredNorm.wgsl). */
const PART = 16_384;

/** Of a tensor, what one binding holds. */
interface Piece {
  readonly x: TensorInfo;
  readonly from: number;
  readonly size: number;
}

function piecesOf({ traits }: WebGpuBackend, x: TensorInfo): Piece[] {
  const size = sizeOf(x.shape);
  // A piece begins where any device can bind.
  const most = Math.floor(traits.maxBinding / 256) * 64;
  return Array.from({ length: Math.ceil(size / most) }, (_, i) => ({
    x,
    from: i * most,
    size: Math.min(most, size - i * most),
  }));
}

const partsOf = (pieces: readonly Piece[]): number => pieces.reduce((sum, { size }) => sum + Math.ceil(size / PART), 0);

/** Sum of the squares of all entries of several tensors, a scalar: as many of them a dispatch as can be bound. */
export function squaredNorm(backend: WebGpuBackend, inputs: KernelInputs): TensorInfo[] {
  const y = backend.output([]);
  const pieces = Object.values(inputs).flatMap((x) => (x === undefined ? [] : piecesOf(backend, x)));
  if (pieces.length === 0) {
    fillWith(backend, y, 0);
    return [y];
  }
  const many = backend.traits.maxStorageBuffers >= 16;
  const most = many ? 15 : 7;
  const sums = backend.scratch(partsOf(pieces));
  for (let from = 0; from < pieces.length; from += most) {
    const some = pieces.slice(from, from + most);
    const bound = Object.fromEntries(
      some.map(({ x, from: at, size }, i) => [`x${i}`, backend.bindPart(x, at, size)] as const),
    );
    backend.run("sumSquares/squaredNorm", {
      variant: { VECTORS: many ? "many" : "few" },
      params: {
        offset: partsOf(pieces.slice(0, from)),
        count: some.length,
        sizes: sixteen(some.map(({ size }) => size)),
        firsts: sixteen(some.map((_, i) => partsOf(some.slice(0, i)))),
      },
      buffers: { ...(bound as { readonly x0: Binding }), sums },
      grid: foldGrid(partsOf(some)),
    });
  }
  foldAxis(backend, foldOps.sum, sums, 1, partsOf(pieces), 1, y);
  backend.release(sums);
  return [y];
}

/** As many as a shader's list has room for. */
function sixteen(values: readonly number[]): number[] {
  return Array.from({ length: 16 }, (_, i) => values[i] ?? 0);
}
