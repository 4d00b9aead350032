import * as lists from "./lists.ts";
import type { Recipe } from "../generated/recipe.ts";
import { Draw, type OpCase } from "./opCase.ts";

const isCases = (list: readonly OpCase[] | Readonly<Record<string, Recipe>>): list is readonly OpCase[] =>
  Array.isArray(list);
const given: readonly OpCase[] = Object.values(lists).filter(isCases).flat();

/** How cases of an op are drawn from a seed, where its list says so itself. */
export const listedRecipes: Readonly<Record<string, Recipe>> = Object.assign(
  {},
  ...Object.values(lists).filter((list) => !isCases(list)),
) as Readonly<Record<string, Recipe>>;

const inputsOf = (c: OpCase): Readonly<Record<string, unknown>> => (c.face ? {} : c.make(new Draw(1)));

/** For each optional input that all cases of an op have: its first case once without it. */
function withoutOptional(cases: readonly OpCase[]): OpCase[] {
  const [first] = cases as [OpCase];
  const shapes = first.op.spec.inputs as Readonly<Record<string, string>>;
  const always = Object.keys(shapes).filter(
    (input) => shapes[input]!.endsWith("?") && cases.every((c) => input in inputsOf(c)),
  );
  return always.map((input) => ({
    ...first,
    name: `${first.name}, without ${input}`,
    make: (draw) => Object.fromEntries(Object.entries(first.make(draw)).filter(([name]) => name !== input)),
  }));
}

/** Every case of every op: all lists of `lists.ts`, and each optional input left out once. */
export const opCases: readonly OpCase[] = [
  ...given,
  ...[...new Set(given.map(({ op }) => op))].flatMap((op) => withoutOptional(given.filter((c) => c.op === op))),
];
