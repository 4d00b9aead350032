import type { Kernel } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { sizeOf } from "../base/fill.ts";
import { addRowsById } from "../base/indexing.ts";
import { forRowParts } from "../linear/parts.ts";
import { unpackRows } from "../linear/unpack.ts";

export const embeddingKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  embedding: (backend, { ids, weight }) => {
    const d = weight!.shape[1]!;
    const y = backend.output([...ids!.shape, d]);
    const rows = sizeOf(ids!.shape);
    if (backend.formatOf(weight!) === "f32") {
      const size = rows * d;
      forRowParts(backend, weight!, (part, first, count) =>
        backend.dispatchOver("base/gather", size, 256, {
          params: [size, rows, count, d, first],
          bindings: [part, ids, y],
        }),
      );
    } else unpackRows(backend, weight!, ids, rows, y);
    return [y];
  },
  embeddingGrad: (backend, { ids, weight, dY }) => {
    const dWeight = backend.output(weight!.shape);
    addRowsById(backend, dY!, ids!, sizeOf(ids!.shape), weight!.shape[1]!, dWeight);
    return [dWeight];
  },
};
