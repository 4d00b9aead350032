import { withBackend } from "@statespace/core";
import { U32 } from "../golden/inputs.ts";
import type { Verdict } from "../golden/judge.ts";
import { checkForward, checkGradients } from "../harness/checkCase.ts";
import { whyNotApart } from "./apart.ts";
import type { Direction, GeneratedCase } from "./cases.ts";
import { whyNotContained } from "./poison.ts";

/** What became of the cases of one op in one direction. */
export interface GeneratedRow {
  readonly op: string;
  readonly backend: string;
  readonly direction: Direction;
  cases: number;
  /** The largest share of its bound that an error came to, the bound there and the error, in units of 2^-24 of the scale. */
  used: number;
  bound: number;
  error: number;
  readonly faults: GeneratedFault[];
}

/** A case that is not as it should be. */
export interface GeneratedFault {
  readonly seed: number;
  readonly inputs: string;
  readonly why: string;
}

async function verdictsOf({ direction, c, seed }: GeneratedCase): Promise<Verdict[]> {
  return direction === "forward" ? checkForward(c) : checkGradients(c, seed, 1, { directions: 1, apart: false });
}

/** What generated cases come to, one after the other, on the backend that is set; `backend` is what it is called in the rows. */
export class GeneratedTally {
  readonly #backend: string;
  readonly #rows = new Map<string, GeneratedRow>();

  constructor(backend: string) {
    this.#backend = backend;
  }

  /** One for each op and direction so far. */
  get rows(): GeneratedRow[] {
    return [...this.#rows.values()];
  }

  /** Runs a case; whatever is wrong with it is a fault of its row, and nothing is thrown. */
  async check(one: GeneratedCase): Promise<void> {
    const row = this.#rowOf(one);
    row.cases++;
    try {
      if (one.direction === "NaN" || one.direction === "apart") {
        const why = await (one.direction === "NaN" ? whyNotContained : whyNotApart)(one.c, one.seed);
        if (why !== undefined) row.faults.push({ seed: one.seed, inputs: one.c.name, why });
      } else for (const verdict of await verdictsOf(one)) note(row, one, verdict);
    } catch (error) {
      const { name, message } = error as Error;
      row.faults.push({ seed: one.seed, inputs: one.c.name, why: `${name}: ${message}` });
    }
  }

  #rowOf({ c, direction }: GeneratedCase): GeneratedRow {
    const op: string = c.op.spec.name;
    const key = `${op} ${direction}`;
    const none = { cases: 0, used: 0, bound: 0, error: 0, faults: [] };
    const row = this.#rows.get(key) ?? { op, backend: this.#backend, direction, ...none };
    this.#rows.set(key, row);
    return row;
  }
}

/** Runs generated cases on a backend that is registered. */
export async function runGenerated(backend: string, cases: Iterable<GeneratedCase>): Promise<GeneratedRow[]> {
  const tally = new GeneratedTally(backend);
  await withBackend(backend, async () => {
    for (const one of cases) await tally.check(one);
  });
  return tally.rows;
}

function note(
  row: GeneratedRow,
  { seed, direction, c }: GeneratedCase,
  { tensor, used, bound, maxAbs, ok }: Verdict,
): void {
  const units = direction === "forward" ? c.bound.forward + (c.bound.absolute ?? 0) : c.bound.backward;
  if (used >= row.used) {
    row.used = used;
    row.bound = units;
    row.error = used * units;
  }
  if (!ok)
    row.faults.push({
      seed,
      inputs: c.name,
      why: `${tensor}: off by ${maxAbs.toExponential(2)}, ${(100 * used).toFixed(0)} % of its bound ${bound.toExponential(2)} (unit ${U32.toExponential(2)})`,
    });
}
