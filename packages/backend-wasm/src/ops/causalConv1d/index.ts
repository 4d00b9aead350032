import { ArgumentError } from "@statespace/core";
import { type KernelAttrs, type KernelInputs, type TensorInfo, type KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, constants } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";
import { sizeOf } from "../shapes.ts";

/** What a channel of a step amounts to: between two of them a whole model's weights pass, so its own come from far away. */
const STEP_WORK = 64;

function tapsOf(weight: TensorInfo): number {
  const k = weight.shape[1]!;
  if (k > constants.MAX_TAPS)
    throw new ArgumentError(
      `causalConv1d: the wasm kernel takes up to ${constants.MAX_TAPS} taps, got ${k}; fftConv is for long filters`,
    );
  return k;
}

function argumentsOf({ x, weight, bias, initialState, seqIdx }: KernelInputs, { silu }: KernelAttrs) {
  const [b, l, d] = x!.shape as [number, number, number];
  return { x: x!, weight: weight!, bias, initialState, seqIdx, b, l, d, k: tapsOf(weight!), silu: silu === true };
}

function causalConv1d(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { x, initialState, seqIdx, b, l, d, k } = values;
  const y = backend.output(x.shape);
  call.causalConv1d(backend, { y, ...values }, (2 * k + 16) * sizeOf(x.shape));
  if (!attrs.returnLastState) return [y];
  const lastState = backend.output([b, k - 1, d]);
  if (k > 1) call.causalConv1dState(backend, { lastState, x, initialState, seqIdx, b, l, d, k }, b * k * d);
  return [y, lastState];
}

function causalConv1dGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { x, weight, bias, initialState, k } = values;
  const gradients = gradientsLike(backend, { dx: x, dWeight: weight, dBias: bias, dInitialState: initialState });
  const { dY, dLastState } = inputs;
  call.causalConv1dGrad(backend, { ...gradients, dY, dLastState, ...values }, (6 * k + 20) * sizeOf(x.shape));
  return present(gradients);
}

function causalConv1dStep(
  backend: WasmBackend,
  { x, state, weight, bias }: KernelInputs,
  { silu }: KernelAttrs,
): TensorInfo {
  const [b, d] = x!.shape as [number, number];
  const y = backend.output(x!.shape);
  const values = { y, x: x!, state: state!, weight: weight!, bias, b, d, k: tapsOf(weight!), silu: silu === true };
  call.causalConv1dStep(backend, values, STEP_WORK * b * d);
  return y;
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { causalConv1d, causalConv1dGrad, causalConv1dStep };
