import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import { floatWord, type WasmBackend } from "../../backend.ts";

/** One token over a cache, which it joins. */
export function causalAttentionStep(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const { q, k, v, keys, values, position, rotary, visible } = inputs;
  const [b, h, p] = q!.shape as [number, number, number];
  const [m, hkv] = keys!.shape.slice(1, 3) as [number, number];
  const scale = (attrs.scale as number) || 1 / Math.sqrt(p);
  const y = backend.output(q!.shape);
  backend.withWorkspace(backend.threads * (m + p), (workspace) =>
    backend.call(
      "causalAttentionStep",
      [
        backend.at(y),
        workspace,
        ...[q, k, v, keys, values, position].map((x) => backend.at(x!)),
        backend.maybeAt(rotary),
        backend.maybeAt(visible),
        b,
        m,
        h,
        hkv,
        p,
        rotary?.shape[1] ?? 0,
        floatWord(scale),
        attrs.interleaved ? 1 : 0,
      ],
      // As if the cache were half full.
      b * hkv === 1 ? 0 : 2 * b * h * m * p,
    ),
  );
  return y;
}
