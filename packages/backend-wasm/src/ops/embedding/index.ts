import type { KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { FORMAT_NUMBERS } from "../linear/packed.ts";
import { sizeOf } from "../shapes.ts";

/** One row of the weight per id. */
export function embedding(backend: WasmBackend, { ids, weight }: KernelInputs): TensorInfo {
  const [v, d] = weight!.shape as [number, number];
  const count = sizeOf(ids!.shape);
  const y = backend.output([...ids!.shape, d]);
  const format = FORMAT_NUMBERS[backend.formatOf(weight!)];
  if (format === 0)
    backend.call("gather", [backend.at(y), backend.at(weight!), backend.at(ids!), 1, v, d, count], count * d);
  else
    backend.call(
      "embeddingPacked",
      [backend.at(y), backend.atPacked(weight!), backend.at(ids!), count, d, format],
      4 * count * d,
    );
  return y;
}

/** Rows of dY added up by id; threads own columns, so equal ids do not collide and sums keep one order. */
export function embeddingGrad(backend: WasmBackend, { ids, weight, dY }: KernelInputs): TensorInfo[] {
  const [v, d] = weight!.shape as [number, number];
  const count = sizeOf(ids!.shape);
  const dWeight = backend.output(weight!.shape);
  backend.call("segmentSum", [backend.at(dWeight), backend.at(dY!), backend.at(ids!), count, d, v], (count + v) * d);
  return [dWeight];
}
