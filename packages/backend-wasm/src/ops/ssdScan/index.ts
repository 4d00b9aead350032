import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, constants, sizes } from "../../kernels.gen.ts";
import { chunksOf } from "../chunked.ts";
import { gradientsLike, present } from "../gradients.ts";

/** Arguments of a whole sequence, or of one step (l = 1). */
function argumentsOf(inputs: KernelInputs, { dtSoftplus, dtMin, dtMax }: KernelAttrs) {
  const { x, dt, A, B, C, D, z, dtBias, initialState, seqIdx } = inputs;
  const [h, p] = x!.shape.slice(-2) as [number, number];
  const [g, n] = B!.shape.slice(-2) as [number, number];
  const l = x!.shape.length === 4 ? x!.shape[1]! : 1;
  const tensors = { x: x!, dt: dt!, A: A!, B: B!, C: C!, D, z, dtBias, initialState, seqIdx };
  const extents = { b: x!.shape[0]!, l, h, p, g, n };
  const clamp = { dtSoftplus: dtSoftplus === true, dtMin: dtMin as number, dtMax: dtMax as number };
  return { ...tensors, ...extents, ...clamp, wideD: D?.shape.length === 2 };
}
type Arguments = ReturnType<typeof argumentsOf>;

const workOf = ({ b, l, h, p, n }: Arguments): number => 5 * b * l * h * p * n;

function gradientsOf(backend: WasmBackend, { x, dt, A, B, C, D, z, dtBias, initialState }: Arguments) {
  const required = { dx: x, ddt: dt, dA: A, dB: B, dC: C };
  return gradientsLike(backend, { ...required, dD: D, dz: z, ddtBias: dtBias, dInitialState: initialState });
}

/** In chunks, as matrix products; short sequences as the recurrence. */
function ssdScan(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  return inputs.x!.shape[1]! < constants.CHUNKED_FROM
    ? ssdScanRecurrent(backend, inputs, attrs)
    : ssdScanChunked(backend, inputs, attrs);
}

export function ssdScanChunked(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { x, b, l, h, p, n } = values;
  const y = backend.output(x.shape);
  const lastState = attrs.returnLastState ? backend.output([b, h, p, n]) : undefined;
  const { tokens, rows } = chunksOf({ l, r: 1 }, attrs.chunkSize as number);
  const perThread = Math.max(sizes.chunkedFloats(rows, p, n, h), sizes.outerFloats(p, n, 1, 1));
  backend.withSpace({ steps: 2 * b * h * l, workspace: backend.threads * perThread }, (space) =>
    call.ssdScanChunked(backend, { y, lastState, ...values, tokens, ...space, perThread }, workOf(values)),
  );
  return present({ y, lastState });
}

export function ssdScanRecurrent(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { x, b, h, p, n } = values;
  const y = backend.output(x.shape);
  const lastState = attrs.returnLastState ? backend.output([b, h, p, n]) : undefined;
  backend.withSpace({ workspace: backend.threads * sizes.outerFloats(p, n, 1, 1) }, (space) =>
    call.ssdScan(backend, { y, lastState, ...values, ...space }, workOf(values)),
  );
  return present({ y, lastState });
}

function ssdScanStep(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo {
  const values = argumentsOf(inputs, attrs);
  const { x, p, n } = values;
  const y = backend.output(x.shape);
  backend.withSpace({ workspace: backend.threads * sizes.outerFloats(p, n, 1, 1) }, (space) =>
    call.ssdScanStep(backend, { y, state: inputs.state!, ...values, ...space }, workOf(values)),
  );
  return y;
}

function ssdScanGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  return inputs.x!.shape[1]! < constants.CHUNKED_FROM
    ? ssdScanRecurrentGrad(backend, inputs, attrs)
    : ssdScanChunkedGrad(backend, inputs, attrs);
}

export function ssdScanChunkedGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { b, l, h, p, g, n } = values;
  const { dY, dLastState } = inputs;
  const gradients = gradientsOf(backend, values);
  const { tokens, rows, chunks } = chunksOf({ l, r: 1 }, attrs.chunkSize as number);
  const perThread = sizes.ssdChunkedBackFloats(rows, chunks, h > g ? b * l * g : 0, values.seqIdx ? l : 0, p, n);
  const steps = b * h * l;
  backend.withSpace({ steps: 2 * steps, scalars: 3 * steps, workspace: backend.threads * perThread }, (space) => {
    const all = { ...gradients, dY, dLastState, ...values, tokens, ...space, perThread };
    call.ssdScanChunkedGrad(backend, all, 4 * workOf(values));
  });
  return present(gradients);
}

export function ssdScanRecurrentGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs, attrs);
  const { b, l, p, g, n } = values;
  const { dY, dLastState } = inputs;
  const gradients = gradientsOf(backend, values);
  backend.withSpace({ workspace: backend.threads * sizes.ssdBackFloats(b, l, p, g, n) }, (space) =>
    call.ssdScanGrad(backend, { ...gradients, dY, dLastState, ...values, ...space }, 4 * workOf(values)),
  );
  return present(gradients);
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { ssdScan, ssdScanGrad, ssdScanStep };
