import { gatedDeltaRule } from "@statespace/core";
import { gatedDeltaRuleStep } from "@statespace/core/ops";
import type { NdArray } from "@statespace/core/math";
import type { Dice } from "../generated/dice.ts";
import { asStep, RECURRENCE, tokens, type Drawn, type Recipe } from "../generated/recipe.ts";
import type { Draw, OpCase } from "./opCase.ts";

interface Size {
  readonly b: number;
  readonly l: number;
  readonly h: number;
  readonly n: number;
  readonly p: number;
}

interface Parts {
  /** A decay for each row of the state. */
  readonly wide?: boolean;
  readonly state?: boolean;
  readonly packed?: boolean;
  /** Bounds of g. */
  readonly decay?: readonly [number, number];
  /** Bounds of beta. */
  readonly rate?: readonly [number, number];
  /** Of q and k, before they are brought to length one where they are. */
  readonly size?: number;
}

function deltaInputs(draw: Draw, { b, l, h, n, p }: Size, parts: Parts): Record<string, NdArray> {
  const { wide = false, state = false, packed = false, decay = [-0.5, 0], rate = [0, 1], size = 1 } = parts;
  return {
    q: draw.normal([b, l, h, n], size),
    k: draw.normal([b, l, h, n], size),
    v: draw.normal([b, l, h, p]),
    g: draw.uniform(wide ? [b, l, h, n] : [b, l, h], ...decay),
    beta: draw.uniform([b, l, h], ...rate),
    ...(state ? { initialState: draw.normal([b, h, n, p]) } : {}),
    ...(packed ? { seqIdx: draw.boundaries([b, l], 0.15) } : {}),
  };
}

const bound = {
  forward: 32,
  backward: 256,
  reason:
    "an error is the difference of a value and a sum over n, so it is judged against the largest entry; with keys of length one no token enlarges the state's rounding, and gradients run through the recurrence twice",
};

function deltaCase(name: string, size: Size, parts: Parts = {}, attrs: Record<string, unknown> = {}): OpCase {
  return {
    op: gatedDeltaRule,
    name,
    attrs: { l2norm: true, returnLastState: true, ...attrs },
    make: (draw) => deltaInputs(draw, size, parts),
    bound,
    scale: "peak",
  };
}

/** Around spans and chunks of 16, 32 and 64 tokens, primes, and single tokens. */
const lengths = [1, 2, 15, 16, 17, 31, 32, 33, 63, 64, 65, 101].map((l) =>
  deltaCase(`l=${l}`, { b: 1, l, h: 2, n: 4, p: 3 }, { state: l % 2 === 1, wide: l % 3 === 0 }),
);

export const gatedDeltaRuleCases: readonly OpCase[] = [
  deltaCase("tiny", { b: 1, l: 1, h: 1, n: 1, p: 1 }, {}, { l2norm: false }),
  // Of length one there are only two numbers, and a central difference near the jump between them says nothing: a wide eps rounds it off.
  deltaCase("n=1", { b: 2, l: 19, h: 2, n: 1, p: 5 }, { state: true }, { l2eps: 0.5 }),
  deltaCase("p=1", { b: 2, l: 19, h: 2, n: 5, p: 1 }, { state: true, wide: true }),
  deltaCase("odd sizes", { b: 3, l: 37, h: 3, n: 7, p: 21 }, { state: true }),
  deltaCase("odd sizes, a decay a row", { b: 3, l: 37, h: 3, n: 7, p: 21 }, { state: true, wide: true }),
  deltaCase("n=64 p=64", { b: 1, l: 35, h: 2, n: 64, p: 64 }, { state: true }),
  deltaCase("n=64 p=80, a decay a row", { b: 1, l: 35, h: 2, n: 64, p: 80 }, { wide: true }),
  deltaCase("many heads", { b: 2, l: 18, h: 7, n: 3, p: 4 }, { state: true }),
  deltaCase("lengths as they are", { b: 2, l: 33, h: 2, n: 8, p: 6 }, { size: 0.3, state: true }, { l2norm: false }),
  deltaCase("a scale, an eps", { b: 1, l: 20, h: 2, n: 6, p: 6 }, { wide: true }, { scale: 0.7, l2eps: 0.5 }),
  deltaCase("negative eigenvalues", { b: 1, l: 40, h: 2, n: 8, p: 8 }, { rate: [1, 2], state: true }),
  deltaCase("nothing is corrected", { b: 1, l: 20, h: 2, n: 4, p: 4 }, { rate: [0, 0], state: true }),
  deltaCase("no decay", { b: 1, l: 40, h: 2, n: 8, p: 8 }, { decay: [0, 0], state: true }),
  deltaCase("strong decay", { b: 1, l: 40, h: 2, n: 8, p: 8 }, { decay: [-30, -5], state: true }),
  deltaCase("forgotten at once", { b: 1, l: 20, h: 2, n: 4, p: 4 }, { decay: [-900, -800], state: true, wide: true }),
  deltaCase("packed", { b: 2, l: 70, h: 2, n: 8, p: 6 }, { packed: true, state: true }),
  deltaCase("packed, a decay a row", { b: 2, l: 40, h: 2, n: 5, p: 18 }, { packed: true, wide: true }),
  deltaCase("three chunks, n=64 p=64", { b: 1, l: 150, h: 2, n: 64, p: 64 }, { state: true }),
  deltaCase("two chunks, n=128 p=96", { b: 1, l: 71, h: 1, n: 128, p: 96 }, { state: true, decay: [-0.1, 0] }),
  deltaCase("three chunks, odd sizes", { b: 2, l: 131, h: 3, n: 21, p: 37 }, { state: true, decay: [-0.05, 0] }),
  deltaCase("packed over chunks", { b: 2, l: 140, h: 2, n: 20, p: 36 }, { packed: true, state: true }),
  deltaCase("packed over chunks, odd sizes", { b: 1, l: 170, h: 1, n: 9, p: 35 }, { packed: true }),
  deltaCase("no last state, two chunks", { b: 2, l: 80, h: 2, n: 16, p: 8 }, {}, { returnLastState: false }),
  deltaCase("no last state", { b: 2, l: 9, h: 2, n: 4, p: 3 }, {}, { returnLastState: false }),
  ...lengths,
];

export const gatedDeltaRuleStepCases: readonly OpCase[] = (
  [
    ["one", { b: 1, l: 1, h: 1, n: 1, p: 1 }, false],
    ["batch", { b: 4, l: 1, h: 4, n: 16, p: 8 }, false],
    ["odd, a decay a row", { b: 2, l: 1, h: 3, n: 7, p: 21 }, true],
    ["n=128 p=128", { b: 1, l: 1, h: 2, n: 128, p: 128 }, false],
  ] as const
).map(([name, size, wide]): OpCase => ({
  op: gatedDeltaRuleStep,
  name,
  attrs: { l2norm: true },
  make: (draw) => {
    const { initialState, ...tokens } = deltaInputs(draw, size, { state: true, wide });
    const step = Object.entries(tokens).map(([key, { shape, data }]) => [
      key,
      { shape: shape.filter((_, axis) => axis !== 1), data },
    ]);
    return { state: initialState!, ...(Object.fromEntries(step) as Record<string, NdArray>) };
  },
  bound,
  scale: "peak",
}));

function drawn(dice: Dice, step = false): Drawn {
  const [b, l, h, n, p] = [
    dice.sizeOrNone(3),
    tokens(dice, step, 65),
    dice.size(3),
    dice.size(17),
    dice.sizeOrNone(17),
  ];
  return {
    inputs: {
      q: dice.normal([b, l, h, n]),
      k: dice.normal([b, l, h, n]),
      v: dice.normal([b, l, h, p]),
      g: dice.uniform(dice.flip() ? [b, l, h] : [b, l, h, n], dice.choice([-0.5, -5]), 0),
      beta: dice.uniform([b, l, h], 0, 1),
      initialState: dice.normal([b, h, n, p]),
      seqIdx: dice.boundaries([b, l], 0.15),
    },
    // A wide eps: near 0 a length of one is a jump.
    attrs: { l2norm: true, l2eps: 0.5, returnLastState: dice.flip(), scale: dice.choice([0, 0.7]) },
    scale: "peak",
    bound: {
      ...RECURRENCE,
      forward: 32,
      absolute: 32, // a row of one value may cancel
      reason: "an error is the difference of a value and a sum over n, so it is judged against the largest entry",
    },
  };
}

/** How generated cases are drawn. */
export const gatedDeltaRecipes: Readonly<Record<string, Recipe>> = {
  gatedDeltaRule: (dice) => drawn(dice),
  gatedDeltaRuleStep: (dice) => asStep(drawn(dice, true), { initialState: "state" }, ["l2norm", "l2eps", "scale"]),
};
