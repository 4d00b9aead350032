import type { Kernel, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { fillWith } from "../make/fill.ts";
import { planGemv } from "../linear/gemv.ts";
import { scalesOffset, weightFormat, wholeWords } from "../linear/formats.ts";
import { unpackRows } from "../linear/unpack.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import { inOrder, releaseOrder, type Ordered } from "./order.ts";

/** Choices up to which each reads its expert by itself. */
const FEW_CHOICES = 64;
/** Rows and columns of a tile (product.wgsl). */
const [TILE_ROWS, TILE_COLUMNS] = [32, 64];

/** Rows of `a` by their experts: `s` choices share a row; by W^T unless `turned`. */
export function productByExpert(
  backend: WebGpuBackend,
  ordered: Ordered,
  a: TensorInfo,
  weight: TensorInfo,
  y: TensorInfo,
  { s, turned = false }: { readonly s: number; readonly turned?: boolean },
): void {
  const [experts, n, k] = weight.shape as [number, number, number];
  const format = backend.formatOf(weight);
  const { starts, order, count } = ordered;
  // Each expert may leave a tile that is not full.
  const tiles = Math.ceil(count / TILE_ROWS) + Math.min(experts, count);
  const run = (W: TensorInfo, FORMAT: "scalar" | ReturnType<typeof weightFormat>): void =>
    backend.run("expertLinear/product", {
      variant: { FORMAT },
      constants: { TB: !turned },
      params: { experts, n, k, scales: FORMAT === "scalar" ? 0 : scalesOffset(format, experts * n, k), s },
      buffers: { a, W, starts, order, y },
      grid: [Math.ceil((turned ? k : n) / TILE_COLUMNS), tiles, 1],
    });
  if (wholeWords(format, k)) run(weight, weightFormat(format));
  else if (format === "f32") run(weight, "scalar");
  else {
    const whole = backend.output(weight.shape);
    unpackRows(backend, weight, undefined, experts * n, whole);
    run(whole, "scalar");
    backend.release(whole);
  }
}

/** y_rs = W_(ids_rs) x_r. */
export const expertLinear: Kernel<WebGpuBackend> = (backend, { x, weight, ids }) => {
  const [experts, n, k] = weight!.shape as [number, number, number];
  const count = sizeOf(ids!.shape);
  const s = ids!.shape.at(-1)!;
  const y = backend.output([...ids!.shape, n]);
  if (count * n === 0) return y;
  const format = backend.formatOf(weight!);
  if (k === 0) fillWith(backend, y, 0);
  else if (count <= FEW_CHOICES && wholeWords(format, k)) {
    const plan = planGemv(n, k, format, backend.traits);
    backend.run("expertLinear/rows", {
      variant: plan.variant,
      constants: plan.constants,
      params: { experts, n, k, scales: scalesOffset(format, experts * n, k), s },
      buffers: { x: x!, W: weight!, ids: ids!, y },
      grid: [plan.grid[0], plan.grid[1], count],
    });
  } else {
    const ordered = inOrder(backend, ids!, experts);
    fillWith(backend, y, 0); // what is no expert's
    productByExpert(backend, ordered, x!, weight!, y, { s });
    releaseOrder(backend, ordered);
  }
  return y;
};
