/**
 * One state space model, four ways to run it: as a differential equation, step by step, over a whole sequence, and as a convolution.
 *
 *   node --conditions=statespace-source examples/01-recurrence.ts
 *
 * A mass on a spring with friction is pushed by a random force. Its state is (position, velocity), and what we watch is the position.
 */
import { Rng } from "@statespace/core";
import { bilinear, forwardEuler, zeroOrderHold } from "@statespace/core/discretization";
import { Matrix } from "@statespace/core/math";
import { ContinuousSsm } from "@statespace/core/ssm";

const [stiffness, friction] = [40, 5];
const A = Matrix.of([
  [0, 1],
  [-stiffness, -friction],
]);
const mass = new ContinuousSsm(A, Matrix.of([[0], [1]]), Matrix.of([[1, 0]]));

const length = 256;
const delta = 1 / 100;
const rng = new Rng(1);
const force = Array.from({ length }, () => Float64Array.of(rng.normal()));

/** Largest difference between two runs. */
function distance(a: readonly Float64Array[], b: readonly Float64Array[]): number {
  return Math.max(...a.map((x, i) => Math.abs(x[0] - b[i][0])));
}

const truth = mass.simulate(force, delta, { substeps: 50 }).outputs; // Runge-Kutta, fifty steps to a sample
const size = Math.max(...truth.map(([x]) => Math.abs(x)));
console.log(`a damped spring under ${length} random pushes; largest excursion ${size.toFixed(4)}`);

console.log("\ndiscretization   error against the differential equation");
for (const rule of [zeroOrderHold, bilinear, forwardEuler]) {
  console.log(
    `${rule.name.padEnd(16)} ${distance(mass.discretize(rule, delta).scan(force).outputs, truth).toExponential(2)}`,
  );
}

const discrete = mass.discretize(zeroOrderHold, delta);
const scanned = discrete.scan(force);

let state: Float64Array = new Float64Array(2);
const stepped = force.map((u) => {
  const next = discrete.step(state, u);
  state = next.state;
  return next.output;
});
const convolved = discrete.convolve(force);
const first = discrete.scan(force.slice(0, 100));
const second = discrete.scan(force.slice(100), first.finalState);

const views = {
  "step by step": stepped,
  "as a convolution": convolved,
  "in two parts, the state carried": [...first.outputs, ...second.outputs],
};
console.log("\nthe same model, run otherwise            largest difference from the scan");
for (const [name, outputs] of Object.entries(views))
  console.log(`${name.padEnd(40)} ${distance(outputs, scanned.outputs).toExponential(2)}`);

// Held input is what zero-order hold solves exactly, up to the error of 50 Runge-Kutta steps; the views differ by float64 rounding alone.
if (!(distance(scanned.outputs, truth) < 1e-9 * size)) throw new Error("zero-order hold is not exact on held input");
if (!Object.values(views).every((outputs) => distance(outputs, scanned.outputs) < 1e-13))
  throw new Error("the views disagree");
