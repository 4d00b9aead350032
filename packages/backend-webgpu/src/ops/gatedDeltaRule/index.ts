import type { Kernel, KernelAttrs, KernelInputs, KernelTable, TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { chunkedRule, runsInChunks } from "./chunked.ts";

/** Elements that a chunk's states may take: what a binding of default limits holds, with room to spare. */
const CHUNK_ELEMENTS = 1 << 24;
/** Tokens a chunk at most: a start is kept for each, and a chunk's states are read again three times. */
const CHUNK_TOKENS = 64;

/** Vectors of four rows from which several threads share a column, the most that divide them; a column's tokens come one after the other. */
const SHARED_FROM = 16;

function columnThreads(vectors: number): { LANES: number; COLUMNS: number; WG: number } {
  const LANES = vectors < SHARED_FROM ? 1 : [8, 4, 2, 1].find((lanes) => vectors % lanes === 0)!;
  const COLUMNS = LANES === 1 ? 32 : 16;
  return { LANES, COLUMNS, WG: LANES * COLUMNS };
}

/** What every pass needs: extents, constants, and the vectors of each head at each token. */
function prepare(backend: WebGpuBackend, inputs: KernelInputs, { scale, l2norm, l2eps }: KernelAttrs) {
  const { q, k, v, g, beta, seqIdx } = inputs;
  const [h, n] = q!.shape.slice(-2) as [number, number];
  const [b, l, p] = [q!.shape[0]!, q!.shape.length === 4 ? q!.shape[1]! : 1, v!.shape.at(-1)!];
  const constants = { N4: Math.ceil(n / 4), WIDE: g!.shape.length === q!.shape.length };
  const factor = (scale as number) || 1 / Math.sqrt(n);
  const words = 4 * (2 * constants.N4 + (constants.WIDE ? constants.N4 : 1) + 2);
  const tokens = backend.scratch(b * l * h * words);
  backend.runOver("gatedDeltaRule/tokens", b * l * h, 4, {
    constants: { ...constants, L2NORM: l2norm === true },
    params: { count: b * l * h, l, h, n, scale: factor, l2eps: l2eps as number },
    buffers: { q: q!, k: k!, g: g!, beta: beta!, seqIdx, tokens },
  });
  const byColumn = { ...constants, ...columnThreads(constants.N4) };
  return { b, l, h, n, p, constants, byColumn, scale: factor, tokens, v: v! };
}
type Prepared = ReturnType<typeof prepare>;

/** The recurrence over all tokens. `kept`: the state before each chunk, and what each token's answer lacked. */
function run(
  backend: WebGpuBackend,
  { b, l, h, n, p, byColumn, tokens, v }: Prepared,
  initial: TensorInfo | undefined,
  results: { readonly y?: TensorInfo; readonly last?: TensorInfo | undefined },
  kept?: { readonly chunk: number; readonly starts: TensorInfo; readonly missing: TensorInfo },
): void {
  backend.runOver("gatedDeltaRule/forward", b * h * p, byColumn.COLUMNS, {
    constants: byColumn,
    params: { columns: b * h * p, l, h, n, p, chunk: kept?.chunk ?? l },
    buffers: { tokens, v, initial, ...results, starts: kept?.starts, missing: kept?.missing },
  });
}

const forward: Kernel<WebGpuBackend> = (backend, inputs, attrs) => {
  if (runsInChunks(inputs)) {
    const [b, , h, p] = inputs.v!.shape as [number, number, number, number];
    const y = backend.output(inputs.v!.shape);
    const last = attrs.returnLastState ? backend.output([b, h, inputs.q!.shape[3]!, p]) : undefined;
    chunkedRule(backend, inputs, attrs, y, last);
    return last ? [y, last] : [y];
  }
  const prepared = prepare(backend, inputs, attrs);
  const { b, h, n, p, v, tokens } = prepared;
  const y = backend.output(v.shape);
  const last = attrs.returnLastState ? backend.output([b, h, n, p]) : undefined;
  run(backend, prepared, inputs.initialState, { y, last });
  backend.release(tokens);
  return last ? [y, last] : [y];
};

const step: Kernel<WebGpuBackend> = (backend, inputs, attrs) => {
  const prepared = prepare(backend, inputs, attrs);
  const { b, h, n, p, v, tokens, constants } = prepared;
  const y = backend.output(v.shape);
  backend.runOver("gatedDeltaRule/step", b * h * p, 32, {
    constants,
    params: { columns: b * h * p, n, p },
    buffers: { tokens, v, state: inputs.state!, y },
  });
  backend.release(tokens);
  return [y];
};

const backward: Kernel<WebGpuBackend> = (backend, inputs, attrs) => {
  const prepared = prepare(backend, inputs, attrs);
  const { b, l, h, n, p, v, constants, byColumn, tokens, scale } = prepared;
  const { q, k, g, beta, initialState, dY, dLastState } = inputs;
  const [dq, dk, dv, dg, dbeta] = [q!, k!, v, g!, beta!].map(({ shape }) => backend.output(shape)) as Five;
  const size = b * h * n * p;
  const chunk = Math.max(1, Math.min(l, CHUNK_TOKENS, Math.floor(CHUNK_ELEMENTS / Math.max(1, size))));
  const chunks = Math.ceil(l / chunk);
  const [starts, decayed, adjoints] = [chunks, chunk, chunk].map((count) => backend.scratch(count * size)) as Three;
  const [missing, dError, sums] = [v, v, undefined].map((x) =>
    backend.scratch(x ? b * l * h * p : 4 * chunk * b * h * n),
  ) as Three;
  run(backend, prepared, initialState, {}, { chunk, starts, missing });
  const extents = { l, h, n, p };
  let after = dLastState;
  for (let index = chunks - 1; index >= 0; index--) {
    const begin = index * chunk;
    const count = Math.min(chunk, l - begin);
    const columns = { columns: b * h * p, ...extents, begin, count };
    backend.runOver("gatedDeltaRule/states", b * h * p, byColumn.COLUMNS, {
      constants: byColumn,
      params: { ...columns, start: index * size },
      buffers: { tokens, missing, starts, decayed },
    });
    const before = index === 0 && initialState ? backend.output(initialState.shape) : backend.scratch(size);
    backend.runOver("gatedDeltaRule/adjoints", b * h * p, byColumn.COLUMNS, {
      constants: byColumn,
      params: columns,
      buffers: { tokens, dY, after, before, adjoints, dError, dv },
    });
    backend.runOver("gatedDeltaRule/rows", count * b * h * n, 4, {
      constants,
      params: { rows: count * b * h * n, ...extents, heads: b * h, begin },
      buffers: { tokens, dY, missing, dv, decayed, adjoints, sums },
    });
    backend.runOver("gatedDeltaRule/finish", count * b * h, 4, {
      constants: { ...constants, L2NORM: attrs.l2norm === true },
      params: { count: count * b * h, ...extents, heads: b * h, begin, scale },
      buffers: { tokens, sums, dError, missing, dq, dk, dg, dbeta },
    });
    if (after && after !== dLastState) backend.release(after);
    after = before;
  }
  backend.release(tokens, starts, decayed, adjoints, missing, dError, sums);
  if (initialState) return [dq, dk, dv, dg, dbeta, after!];
  if (after && after !== dLastState) backend.release(after);
  return [dq, dk, dv, dg, dbeta];
};
type Three = [TensorInfo, TensorInfo, TensorInfo];
type Five = [TensorInfo, TensorInfo, TensorInfo, TensorInfo, TensorInfo];

/** The gated delta rule, in chunks or column by column of the state; backwards in chunks, whose states and adjoints are written out and summed by rows. */
export const kernels: KernelTable<WebGpuBackend> = {
  gatedDeltaRule: forward,
  gatedDeltaRuleGrad: backward,
  gatedDeltaRuleStep: step,
};
