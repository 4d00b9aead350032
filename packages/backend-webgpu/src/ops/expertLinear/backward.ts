import type { Kernel } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { fillWith } from "../make/fill.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";
import { productByExpert } from "./forward.ts";
import { inOrder, releaseOrder } from "./order.ts";

/** Rows and columns of a tile (outer.wgsl). */
const [TILE_ROWS, TILE_COLUMNS] = [32, 64];

/** dX_r = the sum over s of W^T dY_rs; dW_e = the sum over the choices of e of dY_rs x_r^T. */
export const expertLinearGrad: Kernel<WebGpuBackend> = (backend, { x, weight, ids, dY }) => {
  const [experts, n, k] = weight!.shape as [number, number, number];
  const s = ids!.shape.at(-1)!;
  const [dX, dW] = [backend.output(x!.shape), backend.output(weight!.shape)];
  const ordered = inOrder(backend, ids!, experts);
  const { starts, order, count } = ordered;
  backend.run("expertLinear/outer", {
    params: { n, k, s },
    buffers: { dy: dY!, x: x!, starts, order, dW },
    grid: [Math.ceil(k / TILE_COLUMNS), Math.ceil(n / TILE_ROWS), experts],
  });
  // The gradients of the choices of a row are added up.
  const parts = s === 1 ? dX : backend.output([count, k]);
  fillWith(backend, parts, 0);
  productByExpert(backend, ordered, dY!, weight!, parts, { s: 1, turned: true });
  if (parts !== dX) {
    foldAxis(backend, foldOps.sum, parts, count / s, s, k, dX);
    backend.release(parts);
  }
  releaseOrder(backend, ordered);
  return [dX, dW];
};
