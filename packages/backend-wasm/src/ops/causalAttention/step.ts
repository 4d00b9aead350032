import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, sizes } from "../../kernels.gen.ts";

/** One token over a cache, which it joins. */
export function causalAttentionStep(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const { q, k, v, keys, values, position, rotary, visible, sink } = inputs;
  const [b, h, p] = q!.shape as [number, number, number];
  const [m, hkv] = keys!.shape.slice(1, 3) as [number, number];
  const scale = (attrs.scale as number) || 1 / Math.sqrt(p);
  const y = backend.output(q!.shape);
  const tensors = { y, q: q!, k: k!, v: v!, keys: keys!, values: values!, position: position!, rotary, visible, sink };
  const extents = { b, m, h, hkv, p, r: rotary?.shape[1] ?? 0 };
  // As if the cache were half full.
  const work = b * hkv === 1 ? 0 : 2 * b * h * m * p;
  const flags = { interleaved: attrs.interleaved === true, halves: keys!.dtype === "int32" };
  backend.withSpace({ workspace: backend.threads * sizes.attentionStepSpace(m, p, h / hkv) }, (space) =>
    call.causalAttentionStep(
      backend,
      { ...tensors, ...extents, scale, softCap: attrs.softCap as number, ...flags, ...space },
      work,
    ),
  );
  return y;
}
