import { ArgumentError, type KernelAttrs, type KernelInputs, type TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";

/** States a channel that a thread's scratch has room for (scan.h, scanBackward.c). */
const MAX_STATE = 400;
const SPAN = 16; // scanBackward.c
const BACK_GROUP = 32; // scanBackward.c
const LANES = 16; // scan.h

interface Extents {
  readonly b: number;
  readonly l: number;
  readonly d: number;
  readonly n: number;
  readonly g: number;
}

function extentsOf({ u, A, B }: KernelInputs): Extents {
  const [b, l, d] = u!.shape as [number, number, number];
  const n = A!.shape[1]!;
  if (n > MAX_STATE) throw new ArgumentError(`selectiveScan: the wasm kernel takes up to n = ${MAX_STATE}, got ${n}`);
  return { b, l, d, n, g: B!.shape.length === 4 ? B!.shape[2]! : 1 };
}

function words(
  backend: WasmBackend,
  inputs: KernelInputs,
  { b, l, d, n, g }: Extents,
  { deltaSoftplus }: KernelAttrs,
): number[] {
  const { u, delta, A, B, C, D, z, deltaBias, initialState, seqIdx } = inputs;
  const addresses = [u, delta, A, B, C, D, z, deltaBias, initialState, seqIdx].map((x) => backend.maybeAt(x));
  return [...addresses, b, l, d, n, g, deltaSoftplus ? 1 : 0];
}

export function selectiveScan(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const { b, l, d, n } = extents;
  const y = backend.output(inputs.u!.shape);
  const lastState = attrs.returnLastState ? backend.output([b, d, n]) : undefined;
  backend.call(
    "selectiveScan",
    [backend.at(y), backend.maybeAt(lastState), ...words(backend, inputs, extents, attrs)],
    12 * b * l * d * n,
  );
  return lastState ? [y, lastState] : [y];
}

export function selectiveScanGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const { b, l, d, n, g } = extents;
  const { u, delta, A, B, C, D, z, deltaBias, initialState, dY, dLastState } = inputs;
  const grads = [u, delta, A, B, C, D, z, deltaBias, initialState].map((x) => x && backend.output(x.shape));
  const perThread = 2 * b * l * g * n + BACK_GROUP * (4 + Math.ceil(l / SPAN)) * n * LANES;
  backend.withWorkspace(backend.threads * perThread, (workspace) => {
    const args = [
      ...words(backend, inputs, extents, attrs),
      backend.maybeAt(dY),
      backend.maybeAt(dLastState),
      workspace,
      perThread,
    ];
    backend.call("selectiveScanGrad", [...args, ...grads.map((x) => backend.maybeAt(x))], 36 * b * l * d * n);
  });
  return grads.filter((x) => x !== undefined);
}

export function selectiveScanStep(
  backend: WasmBackend,
  inputs: KernelInputs,
  { deltaSoftplus }: KernelAttrs,
): TensorInfo {
  const { state, u, delta, A, B, C, D, z, deltaBias } = inputs;
  const [b, d] = u!.shape as [number, number];
  const n = A!.shape[1]!;
  const g = B!.shape.length === 3 ? B!.shape[1]! : 1;
  const y = backend.output(u!.shape);
  const addresses = [state, y, u, delta, A, B, C, D, z, deltaBias].map((x) => backend.maybeAt(x));
  backend.call("selectiveScanStep", [...addresses, b, d, n, g, deltaSoftplus ? 1 : 0], 12 * b * d * n);
  return y;
}
