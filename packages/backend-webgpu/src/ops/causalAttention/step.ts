import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { floatBits, foldGrid } from "../../device/launch.ts";

/** One token over a cache: the first dispatch puts its key and value there, the second attends. */
export function causalAttentionStep(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { q, k, v, keys, values, position, rotary, visible } = inputs;
  const [b, h, p] = q!.shape as [number, number, number];
  const [m, hkv] = keys!.shape.slice(1, 3) as [number, number];
  const r = rotary?.shape[1] ?? 0;
  const INTERLEAVED = attrs.interleaved as boolean;
  const y = backend.output(q!.shape);
  backend.dispatch("causalAttention/append", {
    constants: { INTERLEAVED },
    params: [m, hkv, p, r],
    bindings: [k, v, keys, values, position, rotary],
    grid: foldGrid(b),
  });
  backend.dispatch("causalAttention/step", {
    constants: { INTERLEAVED, HAS_VISIBLE: !!visible, P: p },
    params: [m, h, hkv, p, r, floatBits((attrs.scale as number) || 1 / Math.sqrt(p)), b * h],
    bindings: [q, keys, values, position, rotary, visible, y],
    grid: foldGrid(b * h),
  });
  return [y];
}
