import { causalAttentionStep } from "./step.ts";
import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, sizes } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";

function argumentsOf({ q, k, v, seqIdx, visible, sink }: KernelInputs, { scale, window, softCap }: KernelAttrs) {
  const [b, l, h, p] = q!.shape as [number, number, number, number];
  const [m, hkv] = k!.shape.slice(1, 3) as [number, number];
  const factor = (scale as number) === 0 ? 1 / Math.sqrt(p) : (scale as number);
  const reach = (window as number) || m;
  const values = {
    q: q!,
    k: k!,
    v: v!,
    seqIdx,
    visible,
    sink,
    b,
    l,
    m,
    h,
    hkv,
    p,
    window: reach,
    scale: factor,
    softCap: softCap as number,
  };
  return { values, work: 4 * b * h * l * Math.min(m, reach) * p };
}

function causalAttention(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const { values, work } = argumentsOf(inputs, attrs);
  const y = backend.output(inputs.q!.shape);
  backend.withSpace({ workspace: backend.threads * sizes.attentionTile(values.m) }, (space) =>
    call.causalAttention(backend, { y, ...space, ...values }, work),
  );
  return y;
}

function causalAttentionGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { values, work } = argumentsOf(inputs, attrs);
  const { q, k, v, sink, b, h, m } = values;
  const gradients = gradientsLike(backend, { dq: q, dk: k, dv: v, dSink: sink });
  backend.withSpace({ workspace: 3 * backend.threads * sizes.attentionTile(m) + b * h }, (space) =>
    call.causalAttentionGrad(backend, { ...gradients, dY: inputs.dY!, ...space, ...values }, 3 * work),
  );
  return present(gradients);
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { causalAttention, causalAttentionGrad, causalAttentionStep };
