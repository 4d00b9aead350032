import { ndarray } from "@statespace/core/math";
import { elementBound, moved } from "../cases/bounds.ts";
import { arithmeticRoundings, unaryRanges, WGSL_EXP } from "../cases/elementwise.ts";
import { wordsOfFloats } from "../cases/halfWords.ts";
import { values } from "../cases/opCase.ts";
import type { Dice } from "./dice.ts";
import { dot, type Recipe } from "./recipe.ts";

const KINKED = new Set(["abs", "relu", "maximum", "minimum"]);
const ELEMENTS = 1500;

const unaryRecipe =
  (name: string): Recipe =>
  (dice) => {
    const { low = -3, high = 3, edges, relative = 16, absolute = 0 } = unaryRanges[name]!;
    if (edges && dice.flip(0.2))
      return {
        inputs: { x: values([edges.length], edges) },
        scale: "value",
        gradients: false,
        bound: elementBound(
          relative === 0 ? 0 : WGSL_EXP,
          "exp may err by 3 + 2|x| ulp in WGSL, and |x| goes to 80 here",
          absolute,
        ),
      };
    const shape = dice.shape(ELEMENTS);
    return {
      inputs: {
        x: KINKED.has(name) ? dice.apart(shape) : dice.uniform(shape, low > 0 ? Math.max(low, 0.1) : low, high),
      },
      scale: "value",
      bound: elementBound(relative, "a library function to a few ulp", absolute),
    };
  };

/** Two shapes that broadcast: axes of one or of the other are 1, or not there. */
function broadcastShapes(dice: Dice): [number[], number[]] {
  const shape = dice.shape(ELEMENTS);
  const thinned = (): number[] =>
    shape.map((extent) => (dice.flip(0.25) ? 1 : extent)).slice(dice.flip(0.3) ? dice.whole(shape.length + 1) : 0);
  const [a, b] = [dice.flip() ? shape : thinned(), thinned()];
  return dice.flip() ? [a, b] : [b, a];
}

const arithmeticRecipe =
  (name: string): Recipe =>
  (dice) => {
    const [relative, reason] = arithmeticRoundings[name]!;
    const [a, b] = broadcastShapes(dice);
    const draw = (shape: readonly number[]) => (KINKED.has(name) ? dice.apart(shape) : dice.values(shape));
    const x = name === "pow" ? dice.uniform(a, 0.2, 3) : draw(a);
    const y = name === "div" || name === "pow" ? dice.uniform(b, 0.5, 2) : draw(b);
    // Values of one may be those of the other: at a tie the gradient has no derivative to be compared with.
    const offset = KINKED.has(name)
      ? ndarray(
          y.shape,
          y.data.map((v) => v + 1 / 128),
        )
      : y;
    return { inputs: { a: x, b: offset }, scale: "value", bound: elementBound(relative, reason) };
  };

const comparisonRecipe: Recipe = (dice) => {
  const [a, b] = broadcastShapes(dice);
  return {
    inputs: { a: dice.integers(a, 3), b: dice.integers(b, 3) },
    scale: "value",
    bound: elementBound(0, "true or false"),
  };
};

const movedRecipe =
  (more: (dice: Dice, shape: readonly number[]) => Readonly<Record<string, unknown>>): Recipe =>
  (dice) => {
    const shape = dice.shape(ELEMENTS);
    return { inputs: { x: dice.values(shape) }, attrs: more(dice, shape), scale: "value", bound: moved };
  };

const axesOf = (dice: Dice, shape: readonly number[]): number[] =>
  shape.flatMap((_, axis) => (dice.flip() ? [axis] : []));

function shuffled(dice: Dice, rank: number): number[] {
  const order = Array.from({ length: rank }, (_, i) => i);
  for (let i = rank - 1; i > 0; i--) {
    const j = dice.whole(i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** A shape in which a fold over these axes has something to tell. */
const filled = (shape: readonly number[], axes: readonly number[]): number[] =>
  shape.map((extent, axis) => (axes.includes(axis) ? Math.max(1, extent) : extent));

const foldRecipe =
  (picked: boolean): Recipe =>
  (dice) => {
    const drawn = dice.shape(ELEMENTS);
    const axes = axesOf(dice, drawn);
    const shape = picked ? filled(drawn, axes) : drawn;
    const terms = axes.reduce((n, axis) => n * shape[axis]!, 1);
    return {
      inputs: { x: picked ? dice.apart(shape) : dice.uniform(shape, 0.1, 1) },
      attrs: { axes, keepDims: dice.flip() },
      scale: "value",
      bound: picked
        ? elementBound(0, "picked")
        : elementBound(4 + 2 * Math.sqrt(terms), "a sum in any order of positive terms"),
    };
  };

/** A shape with an axis in it, and that axis. */
function withAxis(dice: Dice, most = 3): { shape: number[]; axis: number } {
  const shape = [dice.size(129), ...dice.shape(60, most)];
  return { shape, axis: dice.whole(shape.length) };
}

const gatherRecipe: Recipe = (dice) => {
  const { shape, axis } = withAxis(dice);
  const extent = Math.max(1, shape[axis]!);
  const whole = shape.with(axis, extent);
  return {
    inputs: { x: dice.values(whole), indices: dice.integers(dice.shape(20, 2), extent) },
    attrs: { axis },
    scale: "value",
    bound: moved,
  };
};

/** How cases of the base ops are drawn. */
export const elementaryRecipes: Readonly<Record<string, Recipe>> = {
  ...Object.fromEntries(Object.keys(unaryRanges).map((name) => [name, unaryRecipe(name)])),
  ...Object.fromEntries(Object.keys(arithmeticRoundings).map((name) => [name, arithmeticRecipe(name)])),
  ...Object.fromEntries(
    ["equal", "notEqual", "less", "lessEqual", "greater", "greaterEqual"].map((name) => [name, comparisonRecipe]),
  ),
  logicalAnd: (dice) => {
    const [a, b] = broadcastShapes(dice);
    return { inputs: { a: dice.integers(a, 2), b: dice.integers(b, 2) }, scale: "value", bound: moved };
  },
  logicalNot: (dice) => ({ inputs: { x: dice.integers(dice.shape(ELEMENTS), 2) }, scale: "value", bound: moved }),
  clip: (dice) => ({
    inputs: { x: dice.apart(dice.shape(ELEMENTS)) },
    attrs: { min: -130 / 256, max: 194 / 256 },
    scale: "value",
    bound: moved,
  }),
  where: (dice) => {
    const shape = dice.shape(ELEMENTS);
    return {
      inputs: { condition: dice.integers(shape, 2), t: dice.values(shape), e: dice.values(shape) },
      scale: "value",
      bound: moved,
    };
  },
  cast: (dice) => ({
    inputs: { x: dice.flip() ? dice.normal(dice.shape(ELEMENTS), 30) : dice.integers(dice.shape(ELEMENTS), 3) },
    attrs: { dtype: dice.choice(["int32", "bool"]) },
    scale: "value",
    bound: moved,
  }),
  full: (dice) => ({ inputs: {}, attrs: { shape: dice.shape(ELEMENTS), value: 0.75 }, scale: "value", bound: moved }),
  identity: movedRecipe(() => ({})),
  reshape: movedRecipe((dice, shape) => ({ shape: shuffled(dice, shape.length).map((axis) => shape[axis]!) })),
  transpose: movedRecipe((dice, shape) => ({ perm: shuffled(dice, shape.length) })),
  reverse: movedRecipe((dice, shape) => ({ axes: axesOf(dice, shape) })),
  tile: movedRecipe((dice, shape) => ({ reps: shape.map(() => dice.choice([0, 1, 1, 2, 3])) })),
  slice: movedRecipe((dice, shape) => {
    const begin = shape.map((extent) => dice.whole(extent + 1));
    return { begin, size: shape.map((extent, i) => dice.whole(extent - begin[i]! + 1)) };
  }),
  pad: movedRecipe((dice, shape) => ({ paddings: shape.map(() => [dice.whole(3), dice.whole(4)]), value: 0.5 })),
  concat: (dice) => {
    const { shape, axis } = withAxis(dice);
    const parts = Array.from({ length: 1 + dice.whole(4) }, (_, i) => [
      String(i),
      dice.values(shape.with(axis, dice.sizeOrNone(17))),
    ]);
    return { inputs: Object.fromEntries(parts), attrs: { axis }, scale: "value", bound: moved };
  },
  gather: gatherRecipe,
  oneHot: (dice) => ({
    inputs: { indices: dice.integers(dice.shape(60, 2), 9) },
    attrs: { depth: dice.sizeOrNone(33) },
    scale: "value",
    bound: moved,
  }),
  segmentSum: (dice) => {
    const [n, count] = [dice.sizeOrNone(65), dice.size(33)];
    return {
      inputs: { x: dice.uniform([n, ...dice.shape(40, 2)], 0.1, 1), ids: dice.integers([n], count) },
      attrs: { count },
      scale: "value",
      bound: elementBound(dot(n), "a sum in any order of positive terms"),
    };
  },
  sum: foldRecipe(false),
  max: foldRecipe(true),
  min: foldRecipe(true),
  softmax: (dice) => ({
    inputs: { x: dice.normal([...dice.shape(40, 2), dice.size(257)], 3) },
    scale: "value",
    bound: elementBound(64, "an exponential of a difference of up to 20, and a sum"),
  }),
  argMax: (dice) => {
    const { shape, axis } = withAxis(dice);
    return {
      inputs: { x: dice.integers(shape.with(axis, Math.max(1, shape[axis]!)), 5) },
      attrs: { axis },
      scale: "value",
      bound: elementBound(0, "the lowest index of the largest"),
    };
  },
  cumsum: (dice) => {
    const { shape, axis } = withAxis(dice);
    return {
      inputs: { x: dice.uniform(shape, 0.1, 1) },
      attrs: { axis, exclusive: dice.flip(), reverse: dice.flip() },
      scale: "value",
      bound: elementBound(48, "a running sum of positive terms"),
    };
  },
  topK: (dice) => {
    const n = dice.size(97);
    return {
      inputs: { x: dice.flip() ? dice.apart([...dice.shape(20, 2), n]) : dice.integers([...dice.shape(20, 2), n], 5) },
      attrs: { k: 1 + dice.whole(n) },
      scale: "value",
      bound: elementBound(0, "indices"),
    };
  },
  toHalves: (dice) => ({
    inputs: { x: dice.values([...dice.shape(40, 2), 2 * dice.size(65)]) },
    scale: "value",
    bound: elementBound(0, "the nearest half is one"),
  }),
  fromHalves: (dice) => ({
    inputs: { x: wordsOfFloats(dice.normal([...dice.shape(40, 2), 2 * dice.size(65)])) },
    scale: "value",
    bound: elementBound(0, "what a half stands for is one number"),
  }),
};
