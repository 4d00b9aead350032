import type { Kernel, KernelAttrs, KernelInputs, TensorInfo } from "@statespace/core";
import type { WebGpuBackend } from "../../backend.ts";
import { floatBits, foldGrid } from "../../device/launch.ts";

interface Attention {
  readonly params: readonly number[];
  readonly constants: { HAS_FIRST: boolean; HAS_VISIBLE: boolean };
  /** [b, l], if rows are packed; to be released. */
  readonly first: TensorInfo | undefined;
  readonly queries: number;
  readonly keys: number;
}

function prepare(backend: WebGpuBackend, { q, k, seqIdx, visible }: KernelInputs, { scale }: KernelAttrs): Attention {
  const [b, l, h, p] = q!.shape as [number, number, number, number];
  const [m, hkv] = k!.shape.slice(1, 3) as [number, number];
  const first = seqIdx && backend.output([b, l], "int32");
  if (first)
    backend.dispatchOver("causalAttention/firstKeys", b * l, 64, {
      params: [b * l, l, m - l],
      bindings: [seqIdx, first],
    });
  return {
    params: [b, l, m, h, hkv, p, floatBits((scale as number) || 1 / Math.sqrt(p))],
    constants: { HAS_FIRST: !!first, HAS_VISIBLE: !!visible },
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
  { q, k, v, visible }: KernelInputs,
  { params, constants, first, queries }: Attention,
  y: TensorInfo,
  stats: TensorInfo | undefined,
): void {
  const [b, l, h, p] = q!.shape as [number, number, number, number];
  if (l >= leastShared && p <= widest) {
    const PQ = Math.ceil(p / 4);
    // Keys and values take at most 16 KiB less the flags.
    const TILE = Math.max(8, Math.min(32, 8 * Math.floor(500 / PQ / 8)));
    const [gridY, gridZ] = foldGrid(b * h);
    backend.dispatch("causalAttention/tiles", {
      constants: { ...constants, KEEP_STATS: !!stats, PQ, TILE },
      params,
      bindings: [q, k, v, first, visible, y, stats],
      grid: [Math.ceil(l / queriesAtOnce), gridY, gridZ],
    });
    return;
  }
  backend.dispatch("causalAttention/forward", {
    constants: { ...constants, KEEP_STATS: !!stats },
    params,
    bindings: [q, k, v, first, visible, y, stats],
    grid: foldGrid(queries),
  });
}

/** The baseline's attention and its gradient; nothing of order l m reaches memory. */
export const causalAttentionKernels: Readonly<Record<string, Kernel<WebGpuBackend>>> = {
  causalAttention: (backend, inputs, attrs) => {
    const plan = prepare(backend, inputs, attrs);
    const y = backend.output(inputs.q!.shape);
    attend(backend, inputs, plan, y, undefined);
    if (plan.first) backend.release(plan.first);
    return [y];
  },
  causalAttentionGrad: (backend, inputs, attrs) => {
    const { q, k, v, visible, dY } = inputs;
    const plan = prepare(backend, inputs, attrs);
    const { params, constants, first, queries, keys } = plan;
    const p = q!.shape[3]!;
    const stats = backend.scratch(4 * queries);
    const y = backend.output(q!.shape);
    attend(backend, inputs, plan, y, stats);
    const dQ = backend.output(q!.shape);
    backend.dispatch("causalAttention/queryGrad", {
      constants,
      params,
      bindings: [q, k, v, first, visible, dY, stats, dQ],
      grid: foldGrid(queries),
    });
    const dKV = backend.scratch(2 * keys * p);
    backend.dispatch("causalAttention/keyGrad", {
      constants,
      params,
      bindings: [q, k, v, first, visible, dY, stats, dKV],
      grid: foldGrid(keys),
    });
    const grads = [dQ, backend.view(dKV, k!.shape, 0), backend.view(dKV, v!.shape, keys * p)];
    backend.release(stats, y, dKV, ...(first ? [first] : []));
    return grads;
  },
};
