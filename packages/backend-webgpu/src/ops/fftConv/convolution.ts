import type { KernelInputs, TensorInfo } from "@statespace/core/backend";
import { nextPowerOfTwo } from "@statespace/core/math";
import type { WebGpuBackend } from "../../backend.ts";
import { foldAxis, foldOps } from "../reduce/fold.ts";
import { transform, transformOwn } from "./fft.ts";

interface Extents {
  readonly b: number;
  readonly l: number;
  readonly d: number;
  readonly m: number;
  /** Taps that matter. */
  readonly taps: number;
  /** Points of a transform at which nothing wraps around. */
  readonly N: number;
}

/** Up to so many taps are summed directly: fewer passes through memory than a transform makes. */
const directTaps = 32;

function extentsOf({ u, k }: KernelInputs): Extents {
  const [b, l, d] = u!.shape as [number, number, number];
  const m = k!.shape[1]!;
  const taps = Math.min(m, l);
  return { b, l, d, m, taps, N: nextPowerOfTwo(l + taps) };
}

/** Pairs of batch rows, as many at a time as a binding holds. */
function* pairRuns(
  backend: WebGpuBackend,
  { b, d, N }: Extents,
): Generator<{ firstPair: number; pairs: number; rowsIn: number }> {
  const all = Math.ceil(b / 2);
  const most = Math.max(1, Math.floor(backend.traits.maxBinding / (8 * N * d)));
  for (let firstPair = 0; firstPair < all; firstPair += most) {
    const pairs = Math.min(most, all - firstPair);
    yield { firstPair, pairs, rowsIn: Math.min(2 * pairs, b - 2 * firstPair) };
  }
}

function directSum(
  backend: WebGpuBackend,
  { b, l, d, m }: Extents,
  REVERSE: boolean,
  u: TensorInfo,
  k: TensorInfo,
  D: TensorInfo | undefined,
  y: TensorInfo,
): void {
  backend.runOver("fftConv/forward", b * l * d, 64, {
    constants: { REVERSE },
    params: { b, l, d, m },
    buffers: { u, k, D, y },
  });
}

/** y = k * u + D u; two batch rows go through one transform as its real and imaginary part. */
export function fftConv(backend: WebGpuBackend, inputs: KernelInputs): TensorInfo[] {
  const { u, k, D } = inputs as { u: TensorInfo; k: TensorInfo; D?: TensorInfo };
  const e = extentsOf(inputs);
  const { b, l, d, m, taps, N } = e;
  const y = backend.output([b, l, d]);
  if (taps <= directTaps) {
    directSum(backend, e, false, u, k, D, y);
    return [y];
  }
  const filter = transform(backend, N, d, false, { from: "filters", reals: k, l: taps, m });
  const peaks = peaksOf(backend, e, u);
  for (const { firstPair, pairs, rowsIn } of pairRuns(backend, e)) {
    const spectrum = transform(backend, N, pairs * d, false, { from: "reals", reals: u, b, l, d, firstPair, peaks });
    const back = transformOwn(backend, N, pairs * d, true, { from: "product", source: spectrum, factor: filter, d }, [
      spectrum,
    ]);
    finishRows(backend, e, back, { firstPair, pairs, rowsIn, peaks }, u, D, y);
    backend.release(back);
  }
  backend.release(filter, ...(peaks ? [peaks] : []));
  return [y];
}

/** Largest absolute values [b, d] of rows that share transforms; of a row alone nothing. */
function peaksOf(backend: WebGpuBackend, { b, l, d }: Extents, x: TensorInfo): TensorInfo | undefined {
  if (b === 1) return undefined;
  const peaks = backend.scratch(b * d);
  foldAxis(backend, foldOps.peak, x, b, l, d, peaks);
  return peaks;
}

interface PairRun {
  readonly firstPair: number;
  readonly pairs: number;
  readonly rowsIn: number;
  readonly peaks: TensorInfo | undefined;
}

function finishRows(
  backend: WebGpuBackend,
  { b, l, d, m, N }: Extents,
  back: TensorInfo,
  { firstPair, pairs, rowsIn, peaks }: PairRun,
  u: TensorInfo,
  D: TensorInfo | undefined,
  y: TensorInfo,
): void {
  const count = rowsIn * l * d;
  backend.runOver("fftConv/finish", count, 64, {
    constants: { TO: 0, HAS_D: !!D, LEVEL: peaks !== undefined },
    params: { N, rows: pairs * d, b, l, d, m, firstPair, count },
    buffers: { x: back, u, D, y, peaks },
  });
}

/** Both gradients are correlations: of the filter with dy, and of u with dy, whose lag 0 is also D's gradient. */
export function fftConvGrad(backend: WebGpuBackend, inputs: KernelInputs): TensorInfo[] {
  const { u, k, D, dY } = inputs as { u: TensorInfo; k: TensorInfo; D?: TensorInfo; dY: TensorInfo };
  const e = extentsOf(inputs);
  const { b, l, d, m, taps, N } = e;
  const [dU, dK] = [backend.output(u.shape), backend.output(k.shape)];
  const dD = D ? backend.output(D.shape) : undefined;
  const grads = [dU, dK, ...(dD ? [dD] : [])];
  if (taps <= directTaps) {
    directSum(backend, e, true, dY, k, D, dU);
    backend.runOver("fftConv/filterGrad", d * m, 64, {
      params: { b, l, d, m },
      buffers: { u, dy: dY, dk: dK, dD },
    });
    return grads;
  }
  const filter = transform(backend, N, d, false, { from: "filters", reals: k, l: taps, m });
  // What dY is divided by, u is multiplied with: their products, which the filters' gradients sum, stay as they are.
  const peaks = peaksOf(backend, e, dY);
  for (const { firstPair, pairs, rowsIn } of pairRuns(backend, e)) {
    const upstream = transform(backend, N, pairs * d, false, { from: "reals", reals: dY, b, l, d, firstPair, peaks });
    const back = transform(backend, N, pairs * d, true, {
      from: "product",
      source: upstream,
      factor: filter,
      conjugate: true,
      d,
    });
    finishRows(backend, e, back, { firstPair, pairs, rowsIn, peaks }, dY, D, dU);
    const spectrum = transform(backend, N, pairs * d, false, {
      from: "reals",
      reals: u,
      b,
      l,
      d,
      firstPair,
      peaks,
      level: "back",
    });
    // Of conj(u1 + i u2) (dy1 + i dy2) the real part in time is the sum over both rows.
    const correlation = transformOwn(
      backend,
      N,
      d,
      true,
      { from: "pairSum", source: upstream, factor: spectrum, conjugate: true, d, pairs },
      [upstream, spectrum, back],
    );
    backend.runOver("fftConv/finish", d * m, 64, {
      constants: { TO: 1, HAS_D: !!D, ADD: firstPair > 0 },
      params: { N, rows: d, b, l: taps, d, m, firstPair, count: d * m },
      buffers: { x: correlation, y: dK, dD },
    });
    backend.release(correlation);
  }
  backend.release(filter, ...(peaks ? [peaks] : []));
  return grads;
}
