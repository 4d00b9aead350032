import type { KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WasmBackend } from "../../backend.ts";
import { CHUNKED_FROM, chunkedBackFloats, chunkedFloats, chunkTokens } from "../chunked.ts";
import { checkpointFloats, outerFloats } from "../outer.ts";

interface Extents {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly r: number;
  readonly p: number;
  readonly n: number;
}

/** Extents of a whole sequence, or of one step (l = 1). */
function extentsOf({ q, v }: KernelInputs): Extents {
  const [h, r, n] = q!.shape.slice(-3) as [number, number, number];
  return { b: q!.shape[0]!, l: q!.shape.length === 5 ? q!.shape[1]! : 1, h, r, p: v!.shape.at(-1)!, n };
}

function words(backend: WasmBackend, inputs: KernelInputs, { b, l, h, r, p, n }: Extents): number[] {
  const { q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV, lastK, lastV, seqIdx } = inputs;
  const addresses = [q, k, v, adt, dt, trap, D, z, initialState, initialK ?? lastK, initialV ?? lastV, seqIdx].map(
    (input) => backend.maybeAt(input),
  );
  return [...addresses, b, l, h, r, p, n];
}

const workOf = ({ b, l, h, r, p, n }: Extents): number => (1 + 6 * r) * b * l * h * p * n;

/** In chunks, as matrix products; short sequences as the recurrence. */
export function mamba3Scan(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  return inputs.q!.shape[1]! < CHUNKED_FROM
    ? mamba3ScanRecurrent(backend, inputs, attrs)
    : mamba3ScanChunked(backend, inputs, attrs);
}

export function mamba3ScanGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  return inputs.q!.shape[1]! < CHUNKED_FROM
    ? mamba3ScanRecurrentGrad(backend, inputs)
    : mamba3ScanChunkedGrad(backend, inputs, attrs);
}

/** Decay, weights and the first state, from address `at` on, as mamba3Chunked.c takes them after its inputs. */
function preparedWords({ initialK }: KernelInputs, { b, l, h }: Extents, at: number): number[] {
  const steps = 4 * b * l * h;
  return [at, at + steps, at + 2 * steps, initialK ? at + 3 * steps : 0];
}

export function mamba3ScanChunked(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const { b, l, h, p, n } = extents;
  const y = backend.output(inputs.v!.shape);
  const lastState = attrs.returnLastState ? backend.output([b, h, p, n]) : undefined;
  const tokens = chunkTokens(extents, attrs.chunkSize as number);
  const scratch = backend.threads * chunkedFloats(extents, tokens, 1);
  backend.withWorkspace(scratch + 3 * b * l * h + b * h * p * n, (workspace) => {
    const args = [
      backend.at(y),
      backend.maybeAt(lastState),
      workspace,
      scratch / backend.threads,
      ...words(backend, inputs, extents),
    ];
    backend.call(
      "mamba3ScanChunked",
      [...args, tokens, ...preparedWords(inputs, extents, workspace + 4 * scratch)],
      workOf(extents),
    );
  });
  return lastState ? [y, lastState] : [y];
}

export function mamba3ScanChunkedGrad(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const { b, l, h, p, n } = extents;
  const { q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV, dY, dLastState } = inputs;
  const grads = [q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV].map(
    (input) => input && backend.output(input.shape),
  );
  const tokens = chunkTokens(extents, attrs.chunkSize as number);
  const scratch = backend.threads * chunkedBackFloats(extents, tokens);
  const steps = b * l * h;
  const state = b * h * p * n;
  backend.withWorkspace(scratch + 6 * steps + 2 * state, (workspace) => {
    const scalars = workspace + 4 * scratch;
    const first = scalars + 12 * steps;
    const outputs = [...grads, dY, dLastState].map((x) => backend.maybeAt(x));
    const args = [...outputs, workspace, scratch / backend.threads, scalars, first, ...words(backend, inputs, extents)];
    backend.call(
      "mamba3ScanChunkedGrad",
      [...args, tokens, ...preparedWords(inputs, extents, first + 4 * state)],
      4 * workOf(extents),
    );
  });
  return grads.filter((grad) => grad !== undefined);
}

export function mamba3ScanRecurrent(backend: WasmBackend, inputs: KernelInputs, attrs: KernelAttrs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const { b, h, r, p, n } = extents;
  const y = backend.output(inputs.v!.shape);
  const lastState = attrs.returnLastState ? backend.output([b, h, p, n]) : undefined;
  const perThread = outerFloats(p, n, 2 * r, r);
  backend.withWorkspace(backend.threads * perThread, (workspace) => {
    backend.call(
      "mamba3Scan",
      [backend.at(y), backend.maybeAt(lastState), workspace, perThread, ...words(backend, inputs, extents)],
      workOf(extents),
    );
  });
  return lastState ? [y, lastState] : [y];
}

export function mamba3ScanStep(backend: WasmBackend, inputs: KernelInputs): TensorInfo {
  const extents = extentsOf(inputs);
  const { r, p, n } = extents;
  const y = backend.output(inputs.v!.shape);
  const perThread = outerFloats(p, n, 2 * r, r);
  backend.withWorkspace(backend.threads * perThread, (workspace) => {
    backend.call(
      "mamba3ScanStep",
      [backend.at(y), backend.at(inputs.state!), workspace, perThread, ...words(backend, inputs, extents)],
      workOf(extents),
    );
  });
  return y;
}

export function mamba3ScanRecurrentGrad(backend: WasmBackend, inputs: KernelInputs): TensorInfo[] {
  const extents = extentsOf(inputs);
  const { l, r, p, n } = extents;
  const { q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV, dY, dLastState } = inputs;
  const grads = [q, k, v, adt, dt, trap, D, z, initialState, initialK, initialV].map(
    (input) => input && backend.output(input.shape),
  );
  const perThread = outerFloats(p, n, 2 * r, r) + checkpointFloats(l, p, n);
  backend.withWorkspace(backend.threads * perThread, (workspace) => {
    const args = [
      ...grads.map((grad) => backend.maybeAt(grad)),
      backend.maybeAt(dY),
      backend.maybeAt(dLastState),
      workspace,
      perThread,
    ];
    backend.call("mamba3ScanGrad", [...args, ...words(backend, inputs, extents)], 4 * workOf(extents));
  });
  return grads.filter((grad) => grad !== undefined);
}
