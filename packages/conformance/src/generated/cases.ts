import { opTable, type OpDeclaration } from "@statespace/core/backend";
import type { NdArray } from "@statespace/core/math";
import { listedRecipes } from "../cases/index.ts";
import type { OpCase } from "../cases/opCase.ts";
import { hasLanes } from "./apart.ts";
import { denseRecipes } from "./dense.ts";
import { Dice } from "./dice.ts";
import { elementaryRecipes } from "./elementary.ts";
import { poisoned } from "./poison.ts";
import type { Drawn, Recipe } from "./recipe.ts";
import { sequenceRecipes } from "./sequences.ts";

/** How cases of each op are drawn. */
export const recipes: Readonly<Record<string, Recipe>> = {
  ...elementaryRecipes,
  ...denseRecipes,
  ...sequenceRecipes,
  ...listedRecipes,
};

/** Ops of many arguments and paths are drawn more often. */
const WEIGHT = 4;

/** What is checked of a case: its results, its gradients, that a NaN in it stays where it belongs, or that lanes stay apart. */
export type Direction = "forward" | "gradient" | "NaN" | "apart";

/** A generated case; the seed alone makes it again. */
export interface GeneratedCase {
  readonly seed: number;
  readonly direction: Direction;
  readonly c: OpCase;
}

/** Leaves each optional input out half of the time; what belongs together stays or goes together. */
function withoutSome(
  dice: Dice,
  { inputs: shapes }: OpDeclaration,
  { inputs, together = [] }: Drawn,
): Record<string, NdArray> {
  const gone = new Set<string>();
  for (const name of Object.keys(inputs)) {
    if (!shapes[name]?.endsWith("?") || !dice.flip()) continue;
    if (!together.flat().includes(name)) gone.add(name);
  }
  for (const group of together) if (dice.flip()) for (const name of group) gone.add(name);
  return Object.fromEntries(Object.entries(inputs).filter(([name]) => !gone.has(name)));
}

const describe = (inputs: Readonly<Record<string, NdArray>>, attrs: object): string =>
  [...Object.entries(inputs).map(([name, { shape }]) => `${name} [${shape.join(", ")}]`), JSON.stringify(attrs)].join(
    " ",
  );

/** The case of an op that a seed makes. */
export function makeCase(name: string, seed: number): OpCase {
  const op = opTable[name]!;
  const dice = new Dice(seed);
  const drawn = recipes[name]!(dice);
  const inputs = withoutSome(dice, op.spec, drawn);
  const { attrs = {}, bound, scale, signed, gradients } = drawn;
  return {
    op,
    name: describe(inputs, attrs),
    attrs,
    make: () => inputs,
    bound,
    ...(scale ? { scale } : {}),
    ...(signed ? { signed } : {}),
    ...(gradients === false ? { gradients } : {}),
  };
}

/** Everything that is checked of the case that a seed makes. */
export function directionsOf(name: string, seed: number): GeneratedCase[] {
  const c = makeCase(name, seed);
  const checks: Record<Direction, boolean> = {
    forward: true,
    gradient: c.op.spec.differentiable.length > 0 && c.gradients !== false,
    NaN: poisoned(c, seed) !== undefined,
    apart: hasLanes(c, seed),
  };
  return (Object.keys(checks) as Direction[]).filter((key) => checks[key]).map((direction) => ({ seed, direction, c }));
}

/** So many cases of all ops in turn: forward, gradient, and by turns with a NaN in it or with a lane that is spoilt. */
export function* generatedCases(seed: number, count: number, only?: readonly string[]): Generator<GeneratedCase> {
  const turns = Object.keys(opTable)
    .filter((name) => only === undefined || only.includes(name))
    .flatMap((name) => Array<string>(name in elementaryRecipes ? 1 : WEIGHT).fill(name));
  for (let i = 0, made = 0; made < count; i++) {
    const own = seed * 1_000_003 + i;
    const c = makeCase(turns[i % turns.length]!, own);
    yield { seed: own, direction: "forward", c };
    made++;
    if (made < count && c.op.spec.differentiable.length > 0 && c.gradients !== false) {
      yield { seed: own, direction: "gradient", c };
      made++;
    }
    if (made < count && i % 2 === 0 && poisoned(c, own) !== undefined) {
      yield { seed: own, direction: "NaN", c };
      made++;
    }
    if (made < count && i % 2 === 1 && hasLanes(c, own)) {
      yield { seed: own, direction: "apart", c };
      made++;
    }
  }
}
