import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WasmBackend } from "../../backend.ts";
import { call, constants, sizes } from "../../kernels.gen.ts";
import { chunksOf } from "../chunked.ts";
import { gradientsLike, present } from "../gradients.ts";

/** Arguments of a whole sequence, or of one step (l = 1). */
function argumentsOf(inputs: KernelInputs) {
  const { q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV, seqIdx } = inputs;
  const [h, r, n] = q!.shape.slice(-3) as [number, number, number];
  const l = q!.shape.length === 5 ? q!.shape[1]! : 1;
  const tokens = { q: q!, k: k!, v: v!, adt: adt!, dt: dt!, trap: trap!, D, z, seqIdx };
  const extents = { b: q!.shape[0]!, l, h, r, p: v!.shape.at(-1)!, n };
  return { ...tokens, initialState, initialK, initialV, ...extents };
}
type Arguments = ReturnType<typeof argumentsOf>;

const workOf = ({ b, l, h, r, p, n }: Arguments): number => (1 + 6 * r) * b * l * h * p * n;

function gradientsOf(backend: WasmBackend, values: Arguments) {
  const { q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV } = values;
  const required = { dq: q, dk: k, dv: v, dadt: adt, ddt: dt, dtrap: trap };
  const optional = { dD: D, dz: z, dInitialState: initialState, dInitialK: initialK, dInitialV: initialV };
  return gradientsLike(backend, { ...required, ...optional });
}

/** In chunks, as matrix products; short sequences as the recurrence. */
function mamba3Scan(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  return inputs.q!.shape[1]! < constants.CHUNKED_FROM
    ? mamba3ScanRecurrent(backend, inputs, attrs)
    : mamba3ScanChunked(backend, inputs, attrs);
}

function mamba3ScanGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  return inputs.q!.shape[1]! < constants.CHUNKED_FROM
    ? mamba3ScanRecurrentGrad(backend, inputs)
    : mamba3ScanChunkedGrad(backend, inputs, attrs);
}

export function mamba3ScanChunked(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs);
  const { v, b, l, h, p, n } = values;
  const y = backend.output(v.shape);
  const lastState = attrs.returnLastState ? backend.output([b, h, p, n]) : undefined;
  const { tokens, rows } = chunksOf(values, attrs.chunkSize as number);
  const perThread = Math.max(sizes.chunkedFloats(rows, p, n, 1), sizes.outerFloats(p, n, 2 * values.r, values.r));
  const floats = { steps: 3 * b * l * h, first: b * h * p * n, workspace: backend.threads * perThread };
  backend.withSpace(floats, (space) =>
    call.mamba3ScanChunked(backend, { y, lastState, ...values, tokens, ...space, perThread }, workOf(values)),
  );
  return present({ y, lastState });
}

export function mamba3ScanChunkedGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs);
  const { b, l, h, p, n } = values;
  const { dY, dLastState } = inputs;
  const gradients = gradientsOf(backend, values);
  const { tokens, rows, chunks } = chunksOf(values, attrs.chunkSize as number);
  const perThread = sizes.mamba3ChunkedBackFloats(rows, chunks, values.seqIdx ? l : 0, values.r, p, n);
  const [steps, state] = [b * l * h, b * h * p * n];
  const floats = { steps: 3 * steps, first: state, scalars: 3 * steps, dFirst: state };
  backend.withSpace({ ...floats, workspace: backend.threads * perThread }, (space) => {
    const all = { ...gradients, dY, dLastState, ...values, tokens, ...space, perThread };
    call.mamba3ScanChunkedGrad(backend, all, 4 * workOf(values));
  });
  return present(gradients);
}

export function mamba3ScanRecurrent(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const values = argumentsOf(inputs);
  const { v, b, h, r, p, n } = values;
  const y = backend.output(v.shape);
  const lastState = attrs.returnLastState ? backend.output([b, h, p, n]) : undefined;
  backend.withSpace({ workspace: backend.threads * sizes.outerFloats(p, n, 2 * r, r) }, (space) =>
    call.mamba3Scan(backend, { y, lastState, ...values, ...space }, workOf(values)),
  );
  return present({ y, lastState });
}

function mamba3ScanStep(backend: WasmBackend, inputs: KernelInputs): TensorInfo {
  const values = argumentsOf(inputs);
  const { v, r, p, n } = values;
  const { state, lastK, lastV } = inputs;
  const y = backend.output(v.shape);
  backend.withSpace({ workspace: backend.threads * sizes.outerFloats(p, n, 2 * r, r) }, (space) => {
    const all = { y, state: state!, lastK: lastK!, lastV: lastV!, ...values, ...space };
    call.mamba3ScanStep(backend, all, workOf(values));
  });
  return y;
}

export function mamba3ScanRecurrentGrad(backend: WasmBackend, inputs: KernelInputs): TensorInfo[] {
  const values = argumentsOf(inputs);
  const { l, r, p, n } = values;
  const { dY, dLastState } = inputs;
  const gradients = gradientsOf(backend, values);
  backend.withSpace({ workspace: backend.threads * sizes.mamba3BackFloats(l, r, p, n) }, (space) =>
    call.mamba3ScanGrad(backend, { ...gradients, dY, dLastState, ...values, ...space }, 4 * workOf(values)),
  );
  return present(gradients);
}

/** Kernels of this room. */
export const kernels: KernelTable<WasmBackend> = { mamba3Scan, mamba3ScanGrad, mamba3ScanStep };
