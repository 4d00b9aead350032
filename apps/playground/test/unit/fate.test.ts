import { describe, expect, it } from "vitest";
import { discretizeAll, RULE_NAMES } from "../../src/pages/discretize/compute.ts";
import { poles } from "../../src/pages/stateSpace/compute.ts";

describe("what becomes of a push", () => {
  it.each([0.02, 0.1, 0.25, 0.3, 0.77, 1])(
    "swings for ever without damping where the rule keeps |λ| = 1, Δ = %f",
    (delta) => {
      const { fate } = discretizeAll("wave", delta, 0);
      expect(fate).toEqual({ zoh: "swings", bilinear: "swings", forward: "explodes", backward: "fades" });
    },
  );

  it.each([0.05, 0.3, 1.5, 2.5])("forward Euler explodes from its edge on, damping %f", (damping) => {
    const { edge } = discretizeAll("wave", 0.1, damping);
    expect(discretizeAll("wave", edge * 0.999, damping).fate.forward).toBe("fades");
    expect(discretizeAll("wave", edge * 1.001, damping).fate.forward).toBe("explodes");
  });

  it("an exact rule never invents an explosion", () => {
    for (const damping of [0, 0.05, 0.3, 2, 3])
      for (const rule of RULE_NAMES.slice(0, 2))
        expect(discretizeAll("steps", 0.4, damping).fate[rule]).toBe(damping === 0 ? "swings" : "fades");
  });
});

it("a spring without friction is not said to forget", () => {
  for (const stiffness of [1, 3, 4, 7.3, 16])
    expect(poles({ A: [0, 1, -stiffness, 0], B: [0, 1], C: [1, 0], D: [0] }).stable).toBe(false);
});
