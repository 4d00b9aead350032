import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import { floatWord, type WasmBackend } from "../../backend.ts";

interface Call {
  readonly words: number[];
  /** Longest row of attention weights. */
  readonly m: number;
  readonly work: number;
}

function callOf(backend: WasmBackend, { q, k, v, seqIdx, visible }: KernelInputs, { scale }: KernelAttrs): Call {
  const [b, l, h, p] = q!.shape as [number, number, number, number];
  const [m, hkv] = k!.shape.slice(1, 3) as [number, number];
  const factor = (scale as number) === 0 ? 1 / Math.sqrt(p) : (scale as number);
  const words = [
    backend.at(q!),
    backend.at(k!),
    backend.at(v!),
    backend.maybeAt(seqIdx),
    backend.maybeAt(visible),
    b,
    l,
    m,
    h,
    hkv,
    p,
    floatWord(factor),
  ];
  return { words, m, work: 4 * b * h * l * m * p };
}

export function causalAttention(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const { words, m, work } = callOf(backend, inputs, attrs);
  const y = backend.output(inputs.q!.shape);
  backend.withWorkspace(backend.threads * m, (workspace) =>
    backend.call("causalAttention", [backend.at(y), workspace, ...words], work),
  );
  return y;
}

export function causalAttentionGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { words, m, work } = callOf(backend, inputs, attrs);
  const grads = [inputs.q!, inputs.k!, inputs.v!].map(({ shape }) => backend.output(shape));
  const args = [...grads.map((grad) => backend.at(grad)), backend.at(inputs.dY!)];
  backend.withWorkspace(backend.threads * m, (workspace) =>
    backend.call("causalAttentionGrad", [...args, workspace, ...words], 3 * work),
  );
  return grads;
}
