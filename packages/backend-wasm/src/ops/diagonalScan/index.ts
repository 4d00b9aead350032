import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";

function words(backend: WasmBackend, { ABar, Bu, initialState }: KernelInputs, { reverse }: KernelAttrs): number[] {
  const [b, l, n] = Bu!.shape as [number, number, number];
  return [
    backend.at(ABar!),
    backend.at(Bu!),
    backend.maybeAt(initialState),
    b,
    l,
    n,
    ABar!.shape.length === 4 ? 1 : 0,
    reverse ? 1 : 0,
  ];
}

/** states_t = ABar states_{t-1} + Bu_t over complex numbers. */
export function diagonalScan(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const [b, l, n] = inputs.Bu!.shape as [number, number, number];
  const states = backend.output([b, l, n, 2]);
  const lastState = attrs.returnLastState ? backend.output([b, n, 2]) : undefined;
  backend.call(
    "diagonalScan",
    [backend.at(states), backend.maybeAt(lastState), ...words(backend, inputs, attrs)],
    8 * b * l * n,
  );
  return lastState ? [states, lastState] : [states];
}

export function diagonalScanGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const { ABar, Bu, initialState, states, dStates, dLastState } = inputs;
  const [b, l, n] = Bu!.shape as [number, number, number];
  const grads = [ABar, Bu, initialState].map((x) => x && backend.output(x.shape));
  const addresses = [...grads, states, dStates, dLastState].map((x) => backend.maybeAt(x));
  backend.call("diagonalScanGrad", [...addresses, ...words(backend, inputs, attrs)], 20 * b * l * n);
  return grads.filter((x) => x !== undefined);
}
