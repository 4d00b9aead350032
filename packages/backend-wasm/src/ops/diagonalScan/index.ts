import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";

function argumentsOf({ ABar, Bu, initialState }: KernelInputs, { reverse }: KernelAttrs) {
  const [b, l, n] = Bu!.shape as [number, number, number];
  const varying = ABar!.shape.length === 4;
  return { ABar: ABar!, Bu: Bu!, initialState, b, l, n, varying, reverse: reverse === true };
}

/** states_t = ABar states_{t-1} + Bu_t over complex numbers. */
function diagonalScan(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { b, l, n } = values;
  const states = backend.output([b, l, n, 2]);
  const lastState = attrs.returnLastState ? backend.output([b, n, 2]) : undefined;
  call.diagonalScan(backend, { states, lastState, ...values }, 8 * b * l * n);
  return present({ states, lastState });
}

function diagonalScanGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { ABar, Bu, initialState, b, l, n } = values;
  const { states, dStates, dLastState } = inputs;
  const gradients = gradientsLike(backend, { dABar: ABar, dBu: Bu, dInitialState: initialState });
  const all = { ...gradients, states: states!, dStates, dLastState, ...values };
  call.diagonalScanGrad(backend, all, 20 * b * l * n);
  return present(gradients);
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { diagonalScan, diagonalScanGrad };
