import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { NAN_BITS } from "../indexing/gather.ts";
import { sizeOf } from "../shared/sizeOf.ts";
import { scalesOffset, weightFormat, wholeWords, wordElements } from "./formats.ts";

/** Writes rows of a weight [..., k] as f32: all of them, or those named by `ids`. */
export function unpackRows(
  backend: WebGpuBackend,
  weight: TensorInfo,
  ids: TensorInfo | undefined,
  rows: number,
  out: TensorInfo,
): void {
  const k = weight.shape.at(-1)!;
  const n = sizeOf(weight.shape) / k;
  const format = backend.formatOf(weight);
  if (!wholeWords(format, k)) {
    backend.runOver("linear/unpackHalf", rows * k, 256, {
      constants: { BF16: format === "bf16" },
      params: { rows, k, n, none: NAN_BITS },
      buffers: { ids, W: weight, y: out },
    });
    return;
  }
  backend.runOver("linear/unpack", (rows * k) / wordElements(format), 256, {
    variant: { FORMAT: weightFormat(format) },
    params: { rows, k, scales: scalesOffset(format, n, k), n, none: NAN_BITS },
    buffers: { ids, W: weight, y: out },
  });
}

/** Hands a weight on as f32, unpacked into scratch memory if it is packed. */
export function unpacked(backend: WebGpuBackend, weight: TensorInfo, use: (whole: TensorInfo) => void): void {
  if (backend.formatOf(weight) === "f32") {
    use(weight);
    return;
  }
  const whole = backend.output(weight.shape);
  unpackRows(backend, weight, undefined, weight.shape[0]!, whole);
  use(whole);
  backend.release(whole);
}
