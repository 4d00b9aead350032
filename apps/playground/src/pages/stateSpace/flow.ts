import type { Run, SystemNumbers } from "./compute.ts";

/** All signals of a system at one moment; vectors have two numbers. */
export interface Flow {
  readonly u: number;
  readonly Bu: readonly number[];
  readonly Ax: readonly number[];
  /** A x + B u. */
  readonly change: readonly number[];
  readonly x: readonly number[];
  readonly Cx: number;
  readonly Du: number;
  readonly y: number;
}

/** What stands on each wire at step k of a run. */
export function flowAt({ A, B, C, D }: SystemNumbers, run: Run, k: number): Flow {
  const u = run.u[k]!;
  const x = [run.x1[k]!, run.x2[k]!];
  const Ax = [0, 1].map((i) => A[2 * i]! * x[0]! + A[2 * i + 1]! * x[1]!);
  const Bu = B.map((b) => b * u);
  const Cx = C[0]! * x[0]! + C[1]! * x[1]!;
  const Du = D[0]! * u;
  return { u, Bu, Ax, change: Ax.map((a, i) => a + Bu[i]!), x, Cx, Du, y: Cx + Du };
}
