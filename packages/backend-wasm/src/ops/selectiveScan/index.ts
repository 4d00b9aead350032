import { ArgumentError } from "@statespace/core";
import { type KernelAttrs, type KernelInputs, type TensorInfo, type KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, constants, sizes } from "../../kernels.gen.ts";
import { gradientsLike, present } from "../gradients.ts";

/** What whole sequences and steps have in common. */
function sharedArguments({ u, delta, A, B, C, D, z, deltaBias }: KernelInputs, { deltaSoftplus }: KernelAttrs) {
  const shared = { u: u!, delta: delta!, A: A!, B: B!, C: C!, D, z, deltaBias };
  return { ...shared, deltaSoftplus: deltaSoftplus === true, n: A!.shape[1]! };
}

function argumentsOf(inputs: KernelInputs, attrs: KernelAttrs) {
  const shared = sharedArguments(inputs, attrs);
  const { u, B, n } = shared;
  if (n > constants.MAX_STATE)
    throw new ArgumentError(`selectiveScan: the wasm kernel takes up to n = ${constants.MAX_STATE}, got ${n}`);
  const [b, l, d] = u.shape as [number, number, number];
  const { initialState, seqIdx } = inputs;
  return { ...shared, initialState, seqIdx, b, l, d, g: B.shape.length === 4 ? B.shape[2]! : 1 };
}

function selectiveScan(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { u, b, l, d, n } = values;
  const y = backend.output(u.shape);
  const lastState = attrs.returnLastState ? backend.output([b, d, n]) : undefined;
  call.selectiveScan(backend, { y, lastState, ...values }, 12 * b * l * d * n);
  return present({ y, lastState });
}

function selectiveScanGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { u, delta, A, B, C, D, z, deltaBias, initialState, b, l, d, n, g } = values;
  const { dY, dLastState } = inputs;
  const gradients = gradientsLike(backend, {
    du: u,
    ddelta: delta,
    dA: A,
    dB: B,
    dC: C,
    dD: D,
    dz: z,
    ddeltaBias: deltaBias,
    dInitialState: initialState,
  });
  const perThread = sizes.scanBackFloats(b, l, g, n);
  backend.withSpace({ workspace: backend.threads * perThread }, (space) => {
    const all = { ...values, dY, dLastState, ...gradients, ...space, perThread };
    call.selectiveScanGrad(backend, all, 36 * b * l * d * n);
  });
  return present(gradients);
}

function selectiveScanStep(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const values = sharedArguments(inputs, attrs);
  const { u, B, n } = values;
  const [b, d] = u.shape as [number, number];
  const y = backend.output(u.shape);
  const g = B.shape.length === 3 ? B.shape[1]! : 1;
  call.selectiveScanStep(backend, { state: inputs.state!, y, ...values, b, d, g }, 12 * b * d * n);
  return y;
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { selectiveScan, selectiveScanGrad, selectiveScanStep };
