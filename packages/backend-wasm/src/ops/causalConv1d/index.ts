import { ArgumentError, type KernelAttrs, type KernelInputs, type TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { sizeOf } from "../shapes.ts";

const MAX_TAPS = 64; // conv.c
/** What a channel of a step amounts to: between two of them a whole model's weights pass, so its own come from far away. */
const STEP_WORK = 64;

function tapsOf(weight: TensorInfo): number {
  const k = weight.shape[1]!;
  if (k > MAX_TAPS)
    throw new ArgumentError(
      `causalConv1d: the wasm kernel takes up to ${MAX_TAPS} taps, got ${k}; fftConv is for long filters`,
    );
  return k;
}

function words(
  backend: WasmBackend,
  { x, weight, bias, initialState, seqIdx }: KernelInputs,
  { silu }: KernelAttrs,
): number[] {
  const [b, l, d] = x!.shape as [number, number, number];
  return [
    backend.at(x!),
    backend.at(weight!),
    backend.maybeAt(bias),
    backend.maybeAt(initialState),
    backend.maybeAt(seqIdx),
    b,
    l,
    d,
    tapsOf(weight!),
    silu ? 1 : 0,
  ];
}

export function causalConv1d(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { x, initialState, seqIdx } = inputs;
  const [b, l, d] = x!.shape as [number, number, number];
  const args = words(backend, inputs, attrs);
  const k = tapsOf(inputs.weight!);
  const y = backend.output(x!.shape);
  backend.call("causalConv1d", [backend.at(y), ...args], (2 * k + 16) * sizeOf(x!.shape));
  if (!attrs.returnLastState) return [y];
  const lastState = backend.output([b, k - 1, d]);
  if (k > 1)
    backend.call(
      "causalConv1dState",
      [backend.at(lastState), backend.at(x!), backend.maybeAt(initialState), backend.maybeAt(seqIdx), b, l, d, k],
      b * k * d,
    );
  return [y, lastState];
}

export function causalConv1dGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { x, weight, bias, initialState, dY, dLastState } = inputs;
  const args = words(backend, inputs, attrs);
  const grads = [x, weight, bias, initialState].map((input) => input && backend.output(input.shape));
  const addresses = grads.map((grad) => backend.maybeAt(grad));
  const k = tapsOf(weight!);
  backend.call(
    "causalConv1dGrad",
    [...addresses, backend.maybeAt(dY), backend.maybeAt(dLastState), ...args],
    (6 * k + 20) * sizeOf(x!.shape),
  );
  return grads.filter((grad) => grad !== undefined);
}

export function causalConv1dStep(
  backend: WasmBackend,
  { x, state, weight, bias }: KernelInputs,
  { silu }: KernelAttrs,
): TensorInfo {
  const [b, d] = x!.shape as [number, number];
  const k = tapsOf(weight!);
  const y = backend.output(x!.shape);
  backend.call(
    "causalConv1dStep",
    [
      backend.at(y),
      backend.at(x!),
      backend.at(state!),
      backend.at(weight!),
      backend.maybeAt(bias),
      b,
      d,
      k,
      silu ? 1 : 0,
    ],
    STEP_WORK * b * d,
  );
  return y;
}
