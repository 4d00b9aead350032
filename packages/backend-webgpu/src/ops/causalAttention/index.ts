import type { KernelAttrs, KernelInputs, TensorInfo, KernelTable } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";
import { foldGrid } from "../../device/launch.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";
import { causalAttentionStep } from "./step.ts";

interface Attention {
  readonly params: Record<"b" | "l" | "m" | "h" | "hkv" | "p" | "window" | "scale" | "softCap", number>;
  /** [b, l], if rows are packed; to be released. */
  readonly first: TensorInfo | undefined;
  readonly queries: number;
  readonly keys: number;
}

function prepare(
  backend: WebGpuBackend,
  { q, k, seqIdx }: KernelInputs,
  { scale, window, softCap }: KernelAttrs,
): Attention {
  const [b, l, h, p] = q!.shape as [number, number, number, number];
  const [m, hkv] = k!.shape.slice(1, 3) as [number, number];
  const first = seqIdx && backend.output([b, l], "int32");
  if (first)
    backend.runOver("causalAttention/firstKeys", b * l, 64, {
      params: { bl: b * l, l, before: m - l },
      buffers: { seqIdx: seqIdx!, first },
    });
  return {
    params: {
      b,
      l,
      m,
      h,
      hkv,
      p,
      window: (window as number) || m,
      scale: (scale as number) || 1 / Math.sqrt(p),
      softCap: softCap as number,
    },
    first,
    queries: b * l * h,
    keys: b * m * hkv,
  };
}

/** Queries a workgroup, and from how many on they share what it loads. */
const queriesAtOnce = 64;
const leastShared = 16;
/** Widest query that a thread holds in registers. */
const widest = 128;

function attend(
  backend: WebGpuBackend,
  { q, k, v, visible, sink }: KernelInputs,
  { params, first, queries }: Attention,
  y: TensorInfo,
  stats: TensorInfo | undefined,
): void {
  const { b, l, h, p } = params;
  const CAPPED = params.softCap > 0;
  const buffers = { q: q!, k: k!, v: v!, first, visible, y, stats, sink };
  if (l >= leastShared && p <= widest) {
    const PQ = Math.ceil(p / 4);
    // Keys and values take at most 16 KiB less the flags.
    const TILE = Math.max(8, Math.min(32, 8 * Math.floor(500 / PQ / 8)));
    const [gridY, gridZ] = foldGrid(b * h);
    backend.run("causalAttention/tiles", {
      constants: { PQ, TILE, CAPPED },
      params,
      buffers,
      grid: [Math.ceil(l / queriesAtOnce), gridY, gridZ],
    });
    return;
  }
  backend.run("causalAttention/forward", { constants: { CAPPED }, params, buffers, grid: foldGrid(queries) });
}

/** The gradient of the sinks [h]: of every query, then summed. */
function sinkGrad(
  backend: WebGpuBackend,
  read: Readonly<Record<"y" | "dy" | "stats" | "sink", TensorInfo>>,
  { b, l, h, p }: Attention["params"],
): TensorInfo {
  const each = backend.scratch(b * l * h);
  const size = b * l * h;
  backend.runOver("causalAttention/sinkGrad", size, 64, { params: { size, h, p }, buffers: { ...read, dsink: each } });
  const all = backend.output([h]);
  foldAxis(backend, foldOps.sum, each, 1, b * l, h, all);
  backend.release(each);
  return all;
}

/** The baseline's attention and its gradient; nothing of order l m reaches memory. */
export const kernels: KernelTable<WebGpuBackend> = {
  causalAttentionStep,
  causalAttention: (backend, inputs, attrs) => {
    const plan = prepare(backend, inputs, attrs);
    const y = backend.output(inputs.q!.shape);
    attend(backend, inputs, plan, y, undefined);
    if (plan.first) backend.release(plan.first);
    return [y];
  },
  causalAttentionGrad: (backend, inputs, attrs) => {
    const { q, k, v, visible, sink, dY } = inputs;
    const plan = prepare(backend, inputs, attrs);
    const { params, first, queries, keys } = plan;
    const p = q!.shape[3]!;
    const stats = backend.scratch(4 * queries);
    const y = backend.output(q!.shape);
    attend(backend, inputs, plan, y, stats);
    const dQ = backend.output(q!.shape);
    const read = { q: q!, k: k!, v: v!, first, visible, dy: dY! };
    const constants = { CAPPED: params.softCap > 0 };
    backend.run("causalAttention/queryGrad", {
      constants,
      params,
      buffers: { ...read, stats, dq: dQ },
      grid: foldGrid(queries),
    });
    const dKV = backend.scratch(2 * keys * p);
    backend.run("causalAttention/keyGrad", {
      constants,
      params,
      buffers: { ...read, stats, dkv: dKV },
      grid: foldGrid(keys),
    });
    const grads = [dQ, backend.view(dKV, k!.shape, 0), backend.view(dKV, v!.shape, keys * p)];
    if (sink) grads.push(sinkGrad(backend, { y, dy: dY!, stats, sink }, params));
    backend.release(stats, y, dKV, ...(first ? [first] : []));
    return grads;
  },
};
