import type { DeviceTraits } from "../device/device.ts";
import type { Binding, Dispatch, Launch } from "../device/launch.ts";
import type { Constants } from "../device/pipelines.ts";
import type { ShaderName } from "../shaders.ts";

/*
 * A captured decode step is a few hundred small dispatches, and each costs the host and the device some microseconds.
 * When a graph is compiled, neighbours that fit one kernel are made one. Every buffer still gets what the separate
 * kernels would have written, so that nothing else in the graph can tell.
 *
 *   norm -> gemv -> convolution step      (inProj)
 *   gemv -> selectiveScanStep             (dtProj)
 *   gemv -> gemv -> selectiveScanStep     (xProj and dtProj)
 *   gemv -> add                           (outProj and the residual)
 */

/** Makes a dispatch; undefined bindings are absent operands. */
export type MakeDispatch = (
  shader: ShaderName,
  constants: Constants,
  params: readonly number[],
  bindings: readonly (Binding | undefined)[],
  grid: Dispatch["grid"],
) => Dispatch;

const isDispatch = (launch: Launch | undefined, shader: RegExp): launch is Dispatch =>
  launch?.kind === "dispatch" && shader.test(launch.pipeline.shader);

/** How captured graphs are made; the bench tries the others. */
export const replayWishes: {
  /** Parameters written into the shaders. */
  bake: boolean;
  /** The step with both of its projections in one dispatch, so many channels a workgroup. */
  wholeStep: boolean;
  channels: number;
} = { bake: false, wholeStep: true, channels: 32 };

/** The same first byte: a view from a buffer's start on counts, since only its front is read. */
const sameStart = (a: Binding, b: Binding): boolean => a.buffer === b.buffer && a.offset === b.offset;

const gemvName = /^linear\/gemv(F16|Bf16|Q8|Q4)?(Subgroups)?$/;

/** Fuses what can be, left to right, as far as the device binds enough buffers. */
export function fuse(
  launches: readonly Launch[],
  { maxStorageBuffers, maxInvocations }: DeviceTraits,
  makeDispatch: MakeDispatch,
): Launch[] {
  const make: Make = (shader, constants, params, bindings, grid) =>
    bindings.filter((binding) => binding).length <= maxStorageBuffers
      ? makeDispatch(shader, constants, params, bindings, grid)
      : undefined;
  const out: Launch[] = [];
  for (let i = 0; i < launches.length;) {
    const taken =
      (replayWishes.wholeStep ? fuseWholeStep(launches, i, maxInvocations, make) : undefined) ??
      fuseProjectedStep(launches, i, make) ??
      fuseMatvec(launches, i, true, make) ??
      fuseMatvec(launches, i, false, make);
    out.push(taken?.dispatch ?? launches[i]!);
    i += taken?.count ?? 1;
  }
  return out;
}

/** As `MakeDispatch`; undefined where the device cannot bind so much. */
type Make = (...request: Parameters<MakeDispatch>) => Dispatch | undefined;

interface Fused {
  readonly dispatch: Dispatch;
  /** Launches it stands for. */
  readonly count: number;
}

/** No buffer that the kernel writes is bound twice: what ran in turn would run at once. */
function disjoint({ pipeline, bindings }: Dispatch): boolean {
  return bindings.every(
    ({ buffer }, i) =>
      pipeline.bindings[i] !== "storage" || bindings.every((other, j) => i === j || other.buffer !== buffer),
  );
}

const standingFor = (dispatch: Dispatch | undefined, count: number): Fused | undefined =>
  dispatch && disjoint(dispatch) ? { dispatch, count } : undefined;

function fuseMatvec(
  launches: readonly Launch[],
  first: number,
  withConvolution: boolean,
  make: Make,
): Fused | undefined {
  let at = first;
  const norm = plainNorm(launches[at]);
  if (norm) at++;
  const gemv = launches[at++];
  if (!isDispatch(gemv, gemvName) || gemv.pipeline.constants.M !== 1) return undefined;
  const [x, W, bias, y] = gemv.bindings as [Binding, Binding, Binding, Binding];
  if (norm && !sameStart(norm.bindings[3]!, x)) return undefined;
  const conv = withConvolution ? convolutionOf(launches[at], y) : undefined;
  const residual = conv ? undefined : residualOf(launches[at], y);
  if (conv || residual) at++;
  if (at - first < 2) return undefined;
  const { constants } = gemv.pipeline;
  const [n, k, scales] = gemv.params as [number, number, number];
  const [, format = "", lanes = ""] = gemvName.exec(gemv.pipeline.shader)!;
  const dispatch = make(
    `linear/gemv${format}Fused${lanes}` as ShaderName,
    {
      WG: constants.WG!,
      LANES: constants.LANES!,
      AHEAD: constants.AHEAD!,
      HAS_BIAS: constants.HAS_BIAS!,
      NORM: !!norm,
      NORM_WEIGHT: !!norm?.pipeline.constants.HAS_WEIGHT,
      RESIDUAL: !!residual,
      CONV: !!conv,
      TAPS: conv?.params[2] ?? 1,
      CONV_BIAS: !!conv?.pipeline.constants.HAS_BIAS,
      CONV_SILU: !!conv?.pipeline.constants.SILU,
    },
    [n, k, scales, norm?.params[3] ?? 0, conv?.params[1] ?? 0],
    [
      norm ? norm.bindings[0] : x,
      W,
      constants.HAS_BIAS ? bias : undefined,
      y,
      norm?.pipeline.constants.HAS_WEIGHT ? norm.bindings[1] : undefined,
      norm?.bindings[3],
      residual?.other,
      residual?.sum,
      conv?.bindings[1],
      conv?.pipeline.constants.HAS_BIAS ? conv.bindings[2] : undefined,
      conv?.bindings[3],
      conv?.bindings[4],
    ],
    gemv.grid,
  );
  return standingFor(dispatch, at - first);
}

/** A root-mean-square norm of one ungrouped, ungated row. */
function plainNorm(launch: Launch | undefined): Dispatch | undefined {
  if (!isDispatch(launch, /^norm\/forward/)) return undefined;
  const { LAYER, HAS_OTHER } = launch.pipeline.constants;
  const [groups, size] = launch.params as [number, number];
  return !LAYER && !HAS_OTHER && groups === 1 && size % 4 === 0 ? launch : undefined;
}

/** The step of a convolution over the first elements of y, at batch 1. */
function convolutionOf(launch: Launch | undefined, y: Binding): Dispatch | undefined {
  return isDispatch(launch, /^causalConv1d\/step$/) && launch.params[0] === 1 && sameStart(launch.bindings[0]!, y)
    ? launch
    : undefined;
}

/** A sum of y and something of the same size, the residual stream. */
function residualOf(launch: Launch | undefined, y: Binding): { other: Binding; sum: Binding } | undefined {
  if (!isDispatch(launch, /^base\/binary$/)) return undefined;
  const { OP, INT, RANK } = launch.pipeline.constants;
  const [a, b, sum] = launch.bindings as [Binding, Binding, Binding];
  const [size, , , , , strideA, strideB] = launch.params as number[];
  if (OP !== 0 || INT || RANK !== 1 || size !== y.size / 4 || strideA !== 1 || strideB !== 1) return undefined;
  const other = sameStart(a, y) ? b : sameStart(b, y) ? a : undefined;
  return other && other.buffer !== y.buffer && sum.buffer !== y.buffer && sum.buffer !== other.buffer
    ? { other, sum }
    : undefined;
}

/** Where B and C of a step lie behind the first element of the projection that makes them, and a binding that reaches over all of it. */
function rowsOf(
  projected: Binding,
  { bindings, params }: Dispatch,
): { B: number; C: number; whole: Binding } | undefined {
  const [B, C] = [bindings[3]!, bindings[4]!];
  if (B.buffer !== projected.buffer || C.buffer !== projected.buffer) return undefined;
  const [rowB, rowC] = [(B.offset - projected.offset) / 4 + params[6]!, (C.offset - projected.offset) / 4 + params[7]!];
  const end = Math.max(projected.offset + projected.size, B.offset + B.size, C.offset + C.size);
  // Whole vec4s of it are read.
  const size = Math.min(Math.ceil((end - projected.offset) / 16) * 16, projected.buffer.size - projected.offset);
  return rowB < 0 || rowC < 0
    ? undefined
    : { B: rowB, C: rowC, whole: { buffer: projected.buffer, offset: projected.offset, size } };
}

function fuseProjectedStep(launches: readonly Launch[], at: number, make: Make): Fused | undefined {
  const [gemv, step] = [launches[at], launches[at + 1]];
  if (!isDispatch(gemv, gemvName) || gemv.pipeline.constants.M !== 1 || gemv.pipeline.constants.HAS_BIAS)
    return undefined;
  if (!isDispatch(step, /^selectiveScan\/step$/) || step.params[0] !== 1) return undefined;
  const suffix = gemvName.exec(gemv.pipeline.shader)![1] ?? "";
  if (suffix.startsWith("Q")) return undefined;
  const [x, W, , y] = gemv.bindings as [Binding, Binding, Binding, Binding];
  const [u, delta, z, , , state, out, A, D, deltaBias] = step.bindings;
  const rows = rowsOf(x, step);
  if (!sameStart(delta!, y) || !rows) return undefined;
  const { HAS_D, HAS_Z, HAS_BIAS, SOFTPLUS } = step.pipeline.constants;
  const [, d, n, g] = step.params as number[];
  const CH = 8;
  const dispatch = make(
    `selectiveScan/stepProjected${suffix}` as ShaderName,
    { CH, HAS_D: HAS_D!, HAS_Z: HAS_Z!, HAS_BIAS: HAS_BIAS!, SOFTPLUS: SOFTPLUS! },
    [d!, n!, g!, rows.B, rows.C, gemv.params[1]!, 0],
    [
      rows.whole,
      W,
      u,
      HAS_Z ? z : undefined,
      A,
      HAS_D ? D : undefined,
      HAS_BIAS ? deltaBias : undefined,
      state,
      y,
      out,
    ],
    [Math.ceil(d! / CH), 1, 1],
  );
  return standingFor(dispatch, 2);
}

/** Every workgroup reads the first projection's weights: past this that costs more than the dispatch it saves. */
const repeatedBytes = 512 * 1024;
const repeatedInputs = 3072;

function fuseWholeStep(launches: readonly Launch[], at: number, maxInvocations: number, make: Make): Fused | undefined {
  const [first, second, step] = [launches[at], launches[at + 1], launches[at + 2]];
  if (
    ![first, second].every(
      (gemv) => isDispatch(gemv, gemvName) && gemv.pipeline.constants.M === 1 && !gemv.pipeline.constants.HAS_BIAS,
    )
  )
    return undefined;
  if (!isDispatch(step, /^selectiveScan\/step$/) || step.params[0] !== 1) return undefined;
  const {
    pipeline,
    bindings: [x, W, , projected],
    params: [rows, k, scales],
  } = first as Dispatch & { bindings: Binding[]; params: [number, number, number] };
  const {
    pipeline: deltaPipeline,
    bindings: [inputs, deltaW, , delta],
    params: [, r],
  } = second as Dispatch & { bindings: Binding[]; params: [number, number] };
  const [u, stepDelta, z, , , state, y, A, D, deltaBias] = step.bindings;
  const [, d, n, g] = step.params as number[];
  const parts = rowsOf(projected!, step);
  if (
    !parts ||
    Math.max(parts.B, parts.C) + g! * n! > rows ||
    k !== d ||
    !sameStart(x!, u!) ||
    !sameStart(inputs!, projected!) ||
    !sameStart(stepDelta!, delta!)
  )
    return undefined;
  if (W!.size > repeatedBytes || k > repeatedInputs) return undefined;
  const [, format = "", lanes = ""] = gemvName.exec(pipeline.shader)!;
  const deltaFormat = gemvName.exec(deltaPipeline.shader)![1] ?? "";
  if (deltaFormat !== (format.startsWith("Q") ? "" : format)) return undefined;
  const { HAS_D, HAS_Z, HAS_BIAS, SOFTPLUS } = step.pipeline.constants;
  const WG = 2 ** Math.floor(Math.log2(Math.min(512, maxInvocations)));
  const dispatch = make(
    `selectiveScan/stepFromInput${format}${lanes}` as ShaderName,
    {
      WG,
      LANES: 32,
      CH: replayWishes.channels,
      K: k,
      ROWS: rows,
      R: r,
      N: n!,
      HAS_D: HAS_D!,
      HAS_Z: HAS_Z!,
      HAS_BIAS: HAS_BIAS!,
      SOFTPLUS: SOFTPLUS!,
    },
    [d!, g!, parts.B, parts.C, k, scales],
    [
      x,
      W,
      deltaW,
      HAS_Z ? z : undefined,
      A,
      HAS_D ? D : undefined,
      HAS_BIAS ? deltaBias : undefined,
      state,
      projected,
      delta,
      y,
    ],
    [Math.ceil(d! / replayWishes.channels), 1, 1],
  );
  return standingFor(dispatch, 3);
}
