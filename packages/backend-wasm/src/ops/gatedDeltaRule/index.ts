import type { KernelAttrs, KernelInputs, KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, sizes } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";

/** Arguments of a whole sequence, or of one step (l = 1). */
function argumentsOf(inputs: KernelInputs, { scale, l2norm, l2eps }: KernelAttrs) {
  const { q, k, v, g, beta, initialState, seqIdx } = inputs;
  const [h, n] = q!.shape.slice(-2) as [number, number];
  const tensors = { q: q!, k: k!, v: v!, g: g!, beta: beta!, initialState, seqIdx };
  const extents = { b: q!.shape[0]!, l: q!.shape.length === 4 ? q!.shape[1]! : 1, h, n, p: v!.shape.at(-1)! };
  const settings = { wide: g!.shape.length === q!.shape.length, l2norm: l2norm === true, l2eps: l2eps as number };
  return { ...tensors, ...extents, ...settings, scale: (scale as number) || 1 / Math.sqrt(n) };
}

const workOf = ({ b, l, h, n, p }: ReturnType<typeof argumentsOf>): number => 7 * b * l * h * n * p;

function forward(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { v, b, h, n, p } = values;
  const y = backend.output(v.shape);
  const lastState = attrs.returnLastState ? backend.output([b, h, n, p]) : undefined;
  backend.withSpace({ workspace: backend.threads * sizes.deltaFloats(n, p) }, (space) =>
    call.gatedDeltaRule(backend, { y, lastState, ...values, ...space }, workOf(values)),
  );
  return present({ y, lastState });
}

function step(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { v, n, p } = values;
  const y = backend.output(v.shape);
  backend.withSpace({ workspace: backend.threads * sizes.deltaFloats(n, p) }, (space) =>
    call.gatedDeltaRuleStep(backend, { y, state: inputs.state!, ...values, ...space }, workOf(values)),
  );
  return [y];
}

function backward(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { q, k, v, g, beta, initialState, l, n, p } = values;
  const { dY, dLastState } = inputs;
  const gradients = gradientsLike(backend, { dq: q, dk: k, dv: v, dg: g, dbeta: beta, dInitialState: initialState });
  backend.withSpace({ workspace: backend.threads * sizes.deltaBackFloats(l, n, p) }, (space) =>
    call.gatedDeltaRuleGrad(backend, { ...gradients, dY, dLastState, ...values, ...space }, 3 * workOf(values)),
  );
  return present(gradients);
}

export const kernels: KernelTable<WasmBackend> = {
  gatedDeltaRule: forward,
  gatedDeltaRuleGrad: backward,
  gatedDeltaRuleStep: step,
};
