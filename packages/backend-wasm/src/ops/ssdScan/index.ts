import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import { floatWord, type WasmBackend } from "../../backend.ts";
import { CHUNKED_FROM, chunkedBackFloats, chunkedFloats, chunkTokens } from "../chunked.ts";
import { checkpointFloats, outerFloats } from "../outer.ts";

interface Extents {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly p: number;
  readonly g: number;
  readonly n: number;
}

/** Extents of a whole sequence, or of one step (l = 1). */
function extentsOf({ x, B }: KernelInputs): Extents {
  const [h, p] = x!.shape.slice(-2) as [number, number];
  const [g, n] = B!.shape.slice(-2) as [number, number];
  return { b: x!.shape[0]!, l: x!.shape.length === 4 ? x!.shape[1]! : 1, h, p, g, n };
}

function words(
  backend: WasmBackend,
  inputs: KernelInputs,
  { b, l, h, p, g, n }: Extents,
  { dtSoftplus, dtMin, dtMax }: KernelAttrs,
): number[] {
  const { x, dt, A, B, C, D, z, dtBias, initialState, seqIdx } = inputs;
  const addresses = [x, dt, A, B, C, D, z, dtBias, initialState, seqIdx].map((input) => backend.maybeAt(input));
  return [
    ...addresses,
    b,
    l,
    h,
    p,
    g,
    n,
    dtSoftplus ? 1 : 0,
    floatWord(dtMin as number),
    floatWord(dtMax as number),
    D?.shape.length === 2 ? 1 : 0,
  ];
}

/** In chunks, as matrix products; short sequences as the recurrence. */
export function ssdScan(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  return inputs.x!.shape[1]! < CHUNKED_FROM
    ? ssdScanRecurrent(backend, inputs, attrs)
    : ssdScanChunked(backend, inputs, attrs);
}

export function ssdScanChunked(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = { ...extentsOf(inputs), r: 1 };
  const { b, l, h, p, n } = extents;
  const y = backend.output(inputs.x!.shape);
  const lastState = attrs.returnLastState ? backend.output([b, h, p, n]) : undefined;
  const tokens = chunkTokens(extents, attrs.chunkSize as number);
  const perThread = chunkedFloats(extents, tokens, h);
  const steps = b * h * l;
  backend.withWorkspace(2 * steps + backend.threads * perThread, (workspace) => {
    const delta = workspace + 4 * backend.threads * perThread;
    const args = [
      backend.at(y),
      backend.maybeAt(lastState),
      workspace,
      perThread,
      ...words(backend, inputs, extents, attrs),
      tokens,
      delta,
      delta + 4 * steps,
    ];
    backend.call("ssdScanChunked", args, 5 * b * l * h * p * n);
  });
  return lastState ? [y, lastState] : [y];
}

export function ssdScanRecurrent(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const { b, l, h, p, n } = extents;
  const y = backend.output(inputs.x!.shape);
  const lastState = attrs.returnLastState ? backend.output([b, h, p, n]) : undefined;
  const perThread = outerFloats(p, n, 1, 1);
  backend.withWorkspace(backend.threads * perThread, (workspace) => {
    backend.call(
      "ssdScan",
      [backend.at(y), backend.maybeAt(lastState), workspace, perThread, ...words(backend, inputs, extents, attrs)],
      5 * b * l * h * p * n,
    );
  });
  return lastState ? [y, lastState] : [y];
}

export function ssdScanStep(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const extents = extentsOf(inputs);
  const { b, h, p, n } = extents;
  const y = backend.output(inputs.x!.shape);
  const perThread = outerFloats(p, n, 1, 1);
  backend.withWorkspace(backend.threads * perThread, (workspace) => {
    backend.call(
      "ssdScanStep",
      [backend.at(y), backend.at(inputs.state!), workspace, perThread, ...words(backend, inputs, extents, attrs)],
      5 * b * h * p * n,
    );
  });
  return y;
}

export function ssdScanGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  return inputs.x!.shape[1]! < CHUNKED_FROM
    ? ssdScanRecurrentGrad(backend, inputs, attrs)
    : ssdScanChunkedGrad(backend, inputs, attrs);
}

export function ssdScanChunkedGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = { ...extentsOf(inputs), r: 1 };
  const { b, l, h, p, g, n } = extents;
  const { x, dt, A, B, C, D, z, dtBias, initialState, dY, dLastState } = inputs;
  const grads = [x, dt, A, B, C, D, z, dtBias, initialState].map((input) => input && backend.output(input.shape));
  const tokens = chunkTokens(extents, attrs.chunkSize as number);
  const perThread = (h > g ? 2 * b * l * g * n : 0) + chunkedBackFloats(extents, tokens);
  const steps = b * h * l;
  backend.withWorkspace(5 * steps + backend.threads * perThread, (workspace) => {
    const scalars = workspace + 4 * backend.threads * perThread;
    const delta = scalars + 12 * steps;
    const args = [
      ...grads.map((grad) => backend.maybeAt(grad)),
      backend.maybeAt(dY),
      backend.maybeAt(dLastState),
      workspace,
      perThread,
      scalars,
    ];
    backend.call(
      "ssdScanChunkedGrad",
      [...args, ...words(backend, inputs, extents, attrs), tokens, delta, delta + 4 * steps],
      20 * b * l * h * p * n,
    );
  });
  return grads.filter((grad) => grad !== undefined);
}

export function ssdScanRecurrentGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const { b, l, h, p, g, n } = extents;
  const { x, dt, A, B, C, D, z, dtBias, initialState, dY, dLastState } = inputs;
  const grads = [x, dt, A, B, C, D, z, dtBias, initialState].map((input) => input && backend.output(input.shape));
  const perThread = 2 * b * l * g * n + outerFloats(p, n, 1, 1) + checkpointFloats(l, p, n);
  backend.withWorkspace(backend.threads * perThread, (workspace) => {
    const args = [
      ...grads.map((grad) => backend.maybeAt(grad)),
      backend.maybeAt(dY),
      backend.maybeAt(dLastState),
      workspace,
      perThread,
    ];
    backend.call("ssdScanGrad", [...args, ...words(backend, inputs, extents, attrs)], 20 * b * l * h * p * n);
  });
  return grads.filter((grad) => grad !== undefined);
}
