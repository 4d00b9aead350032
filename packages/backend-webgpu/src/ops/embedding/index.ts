import type { Kernel, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { NAN_BITS } from "../indexing/gather.ts";
import { addRowsById } from "../indexing/segmentSum.ts";
import { unpackRows } from "../linear/unpack.ts";
import { forRowParts } from "../shared/rowParts.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import { cuttingItself } from "../splitting.ts";

const embedding: Kernel<WebGpuBackend> = (backend, { ids, weight }) => {
  const d = weight!.shape[1]!;
  const y = backend.output([...ids!.shape, d]);
  const rows = sizeOf(ids!.shape);
  if (backend.formatOf(weight!) === "f32") {
    const size = rows * d;
    forRowParts(backend, weight!, (part, first, count) =>
      backend.runOver("indexing/gather", size, 256, {
        params: { size, ids: rows, extent: count, inner: d, first, whole: weight!.shape[0]!, none: NAN_BITS },
        buffers: { x: part, indices: ids!, y },
      }),
    );
  } else unpackRows(backend, weight!, ids, rows, y);
  return [y];
};

const embeddingGrad: Kernel<WebGpuBackend> = (backend, { ids, weight, dY }) => {
  const dWeight = backend.output(weight!.shape);
  addRowsById(backend, dY!, ids!, sizeOf(ids!.shape), weight!.shape[1]!, dWeight);
  return [dWeight];
};

/** Rows of a table by id, and its gradient. */
export const kernels: KernelTable<WebGpuBackend> = {
  embedding: cuttingItself(["weight"], embedding),
  embeddingGrad: cuttingItself(["weight"], embeddingGrad),
};
