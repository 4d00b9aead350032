import type { TensorInfo } from "@statespace/core/backend";
import type { WebGpuBackend } from "../../backend.ts";

/** What the first pass of a transform reads, and its parameters; see pass.wgsl. */
export interface Source {
  readonly from: "reals" | "filters" | "product" | "pairSum" | "halfSpectrum";
  readonly reals?: TensorInfo;
  readonly source?: TensorInfo;
  readonly factor?: TensorInfo;
  readonly conjugate?: boolean;
  readonly b?: number;
  readonly l?: number;
  readonly d?: number;
  readonly m?: number;
  /** Of reals [b, l, d]: the largest absolute values [b, d] that bring them to one level, or are what others were brought by. */
  readonly peaks?: TensorInfo | undefined;
  readonly level?: "to" | "back";
  readonly firstPair?: number;
  readonly pairs?: number;
}

const sources = { reals: 1, filters: 2, product: 3, pairSum: 4, halfSpectrum: 5 } as const;

/** Points that each pass joins, largest first: registers hold 16. */
function radices(N: number): number[] {
  let bits = Math.log2(N);
  const passes: number[] = [];
  for (; bits >= 4; bits -= 4) passes.push(16);
  for (; bits >= 2; bits -= 2) passes.push(4);
  if (bits === 1) passes.push(2);
  return passes;
}

/** The transform (unscaled) of `rows` sequences of N points, a power of two; complex [N, rows], to be released. */
export function transform(
  backend: WebGpuBackend,
  N: number,
  rows: number,
  INVERSE: boolean,
  {
    from,
    reals,
    source,
    factor,
    conjugate = false,
    b = 0,
    l = 0,
    d = 1,
    m = 0,
    firstPair = 0,
    pairs = 0,
    peaks,
    level = "to",
  }: Source,
): TensorInfo {
  let current = source;
  let ns = 1;
  for (const R of radices(N)) {
    const first = ns === 1;
    const out = backend.scratch(2 * N * rows);
    backend.runOver("fftConv/pass", (N / R) * rows, 64, {
      constants: {
        R,
        INVERSE,
        ...(first ? { FROM: sources[from], CONJUGATE: conjugate } : {}),
        ...(first && peaks ? { LEVEL: level === "to" ? 1 : 2 } : {}),
      },
      params: { N, rows, ns, b, l, d, m, firstPair, pairs },
      buffers: { ...(first ? { reals, factor, peaks } : {}), source: current, out },
    });
    if (!first) backend.release(current!);
    current = out;
    ns *= R;
  }
  return current!;
}

/** The same, and the scratch operands that it read given back. */
export function transformOwn(
  backend: WebGpuBackend,
  N: number,
  rows: number,
  INVERSE: boolean,
  source: Source,
  own: readonly TensorInfo[],
): TensorInfo {
  const out = transform(backend, N, rows, INVERSE, source);
  backend.release(...own);
  return out;
}
