import { causalConv1d, exp, linear, neg, reshape, selectiveScan, split, type Rng, type Tensor } from "@statespace/core";
import { causalConv1dStep, selectiveScanStep } from "@statespace/core/ops";
import { fromInputs, logStep, WIDTH, zero, type Draw, type Layer } from "./layer.ts";

const INNER = 2 * WIDTH;
const STATES = 16;
const TAPS = 4;
const RANK = WIDTH / 16;

/** Mamba: B, C and the step delta are made of the token, and the recurrence is a scan. It keeps the scan's state and the last three inputs. */
export function mamba(draw: Draw): Layer {
  const inWeight = draw([2 * INNER, WIDTH], fromInputs(WIDTH));
  const convWeight = draw([INNER, 1, TAPS], fromInputs(TAPS));
  const convBias = draw([INNER], zero);
  const xWeight = draw([RANK + 2 * STATES, INNER], fromInputs(INNER));
  const dtWeight = draw([INNER, RANK], fromInputs(RANK));
  const dtBias = draw([INNER], inverseSoftplusStep);
  const ALog = draw([INNER, STATES], (_, i) => Math.log((i % STATES) + 1));
  const D = draw([INNER], () => 1);
  const outWeight = draw([WIDTH, INNER], fromInputs(INNER));

  const project = (x: Tensor): [x: Tensor, z: Tensor] =>
    split(linear({ x, weight: inWeight }).y, [INNER, INNER], x.shape.length - 1) as [Tensor, Tensor];
  const taps = (): Tensor => reshape(convWeight, [INNER, TAPS]);
  const select = (u: Tensor): { delta: Tensor; B: Tensor; C: Tensor } => {
    const made = split(linear({ x: u, weight: xWeight }).y, [RANK, STATES, STATES], u.shape.length - 1);
    const [dt, B, C] = made as [Tensor, Tensor, Tensor];
    return { delta: linear({ x: dt, weight: dtWeight }).y, B, C };
  };
  const own = (): { A: Tensor; D: Tensor; deltaBias: Tensor } => ({ A: neg(exp(ALog)), D, deltaBias: dtBias });
  const out = (y: Tensor): Tensor => linear({ x: y, weight: outWeight }).y;
  const scan = (input: Tensor, returnLastState: boolean): { y: Tensor; memory: Record<string, Tensor | undefined> } => {
    const [x, z] = project(input);
    const convolved = causalConv1d({ x, weight: taps(), bias: convBias }, { silu: true, returnLastState });
    const u = convolved.y;
    const scanned = selectiveScan({ u, ...select(u), ...own(), z }, { deltaSoftplus: true, returnLastState });
    return { y: scanned.y, memory: { inputs: convolved.lastState, state: scanned.lastState } };
  };
  return {
    weights: [inWeight, convWeight, convBias, xWeight, dtWeight, dtBias, ALog, D, outWeight],
    fixedMemory: true,
    forward: (x) => out(scan(x, false).y),
    remember(x) {
      const { inputs, state } = scan(x, true).memory;
      return { inputs: inputs!, state: state! };
    },
    next(input, { inputs, state }) {
      const [x, z] = project(input);
      const u = causalConv1dStep({ x, state: inputs!, weight: taps(), bias: convBias }, { silu: true }).y;
      return out(selectiveScanStep({ state: state!, u, ...select(u), ...own(), z }, { deltaSoftplus: true }).y);
    },
  };
}

/** What softplus makes a step of. */
function inverseSoftplusStep(rng: Rng): number {
  const step = Math.exp(logStep(rng));
  return step + Math.log(-Math.expm1(-step));
}
