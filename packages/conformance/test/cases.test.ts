import { opTable, type OpDeclaration } from "@statespace/core/backend";
import { describe, expect, it } from "vitest";
import { opCases } from "../src/cases/index.ts";
import { Draw } from "../src/cases/opCase.ts";

const specs: readonly OpDeclaration[] = Object.values(opTable).map(({ spec }) => spec);

describe.each(specs.map((spec) => [spec.name, spec] as const))("cases of %s", (name, spec) => {
  const cases = opCases.filter(({ op }) => op.spec === spec);
  const inputs = cases.filter(({ face }) => face === undefined).map((c) => Object.keys(c.make(new Draw(1))));
  it("are there", () => expect(cases.length).toBeGreaterThan(0));
  it("have names of their own", () => expect(new Set(cases.map((c) => c.name)).size).toBe(cases.length));
  it("have each optional input once, and are without it once", () => {
    const optional = Object.keys(spec.inputs).filter((input) => spec.inputs[input]!.endsWith("?"));
    expect(optional.filter((input) => !inputs.some((given) => given.includes(input)))).toEqual([]);
    expect(optional.filter((input) => inputs.every((given) => given.includes(input)))).toEqual([]);
  });
});
