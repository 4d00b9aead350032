import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { NAN_BITS } from "../indexing/gather.ts";
import { sizeOf } from "../shared/sizeOf.ts";

function run(
  backend: WebGpuBackend,
  { logits, targets, dLosses }: KernelInputs,
  { ignoreIndex }: KernelAttrs,
  out: TensorInfo,
): TensorInfo[] {
  const rows = sizeOf(targets!.shape);
  const most = backend.traits.maxInvocations;
  if (rows > 0) {
    backend.run("crossEntropy/rows", {
      // A part of a large vocabulary's logits has few rows: each gets as many threads as there can be.
      constants: {
        WG: logits!.shape.at(-1)! < 8192 ? Math.min(256, most) : 2 ** Math.floor(Math.log2(Math.min(1024, most))),
      },
      params: { rows, v: logits!.shape.at(-1)!, ignoreIndex: ignoreIndex as number, none: NAN_BITS },
      buffers: { logits: logits!, targets: targets!, dLosses, out },
      grid: foldGrid(rows),
    });
  }
  return [out];
}

export const kernels: KernelTable<WebGpuBackend> = {
  crossEntropy: (backend, inputs, attrs) => run(backend, inputs, attrs, backend.output(inputs.targets!.shape)),
  crossEntropyGrad: (backend, inputs, attrs) => run(backend, inputs, attrs, backend.output(inputs.logits!.shape)),
};
