import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import { cuttingItself } from "../splitting.ts";
import { squaredNorm } from "./squaredNorm.ts";

/** Sum of all squares. */
const sumSquares: Kernel<WebGpuBackend> = (backend, { x }) => {
  const y = backend.output([]);
  foldAxis(backend, foldOps.squares, x!, 1, sizeOf(x!.shape), 1, y);
  return [y];
};

/** Kernels of this room. */
export const kernels: KernelTable<WebGpuBackend> = { sumSquares, squaredNorm: cuttingItself("all", squaredNorm) };
