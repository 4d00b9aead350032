import type { KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, constants } from "../../kernels.gen.ts";
import { formatNumber } from "../linear/packed.ts";
import { NAN_BITS } from "../indexing/none.ts";
import { sizeOf } from "../shapes.ts";

/** One row of the weight per id. */
function embedding(backend: WasmBackend, inputs: KernelInputs): TensorInfo {
  const [weight, ids] = [inputs.weight!, inputs.ids!];
  const [v, d] = weight.shape as [number, number];
  const count = sizeOf(ids.shape);
  const y = backend.output([...ids.shape, d]);
  const format = formatNumber(backend.formatOf(weight));
  if (format === constants.FORMAT_F32)
    call.gather(backend, { y, x: weight, ids, outer: 1, axis: v, inner: d, count, none: NAN_BITS }, count * d);
  else call.embeddingPacked(backend, { y, weight, ids, count, v, d, format }, 4 * count * d);
  return y;
}

/** Rows of dY added up by id; threads own columns, so equal ids do not collide and sums keep one order. */
function embeddingGrad(backend: WasmBackend, { ids, weight, dY }: KernelInputs): TensorInfo[] {
  const [v, d] = weight!.shape as [number, number];
  const count = sizeOf(ids!.shape);
  const y = backend.output(weight!.shape);
  call.segmentSum(backend, { y, x: dY!, ids: ids!, count, inner: d, segments: v, ints: false }, (count + v) * d);
  return [y];
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { embedding, embeddingGrad };
