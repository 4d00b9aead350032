import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";

/** One token over a cache: the first dispatch puts its key and value there, the second attends. */
export function causalAttentionStep(backend: WebGpuBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { q, k, v, keys, values, position, rotary, visible, sink } = inputs;
  const [b, h, p] = q!.shape as [number, number, number];
  const [m, hkv] = keys!.shape.slice(1, 3) as [number, number];
  const r = rotary?.shape[1] ?? 0;
  const INTERLEAVED = attrs.interleaved as boolean;
  const HALVES = keys!.dtype === "int32";
  const y = backend.output(q!.shape);
  const cache = { keys: keys!, values: values!, position: position!, rotary };
  backend.run("causalAttention/append", {
    constants: { INTERLEAVED, HALVES },
    params: { m, hkv, p, r },
    buffers: { k: k!, v: v!, ...cache },
    grid: foldGrid(b),
  });
  const softCap = attrs.softCap as number;
  const scale = (attrs.scale as number) || 1 / Math.sqrt(p);
  const whole = p % 4 === 0;
  const CACHE = HALVES ? (whole ? "halves4" : "halves2") : whole ? "vec4" : "word";
  backend.run("causalAttention/step", {
    variant: { CACHE },
    constants: {
      WG: Math.min(256, backend.traits.maxInvocations),
      INTERLEAVED,
      CAPPED: softCap > 0,
      P: p,
      WRITTEN_OUT: !backend.traits.software && p <= 256,
    },
    params: { m, h, hkv, p, r, scale, softCap, size: b * h },
    buffers: { q: q!, ...cache, visible, sink, y },
    grid: foldGrid(b * h),
  });
  return [y];
}
