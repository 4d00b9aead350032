import { FormatError } from "@statespace/core";
import { expect, it } from "vitest";
import { parseRecipe } from "../src/training/recipe.ts";

const good = { data: { texts: ["a.txt"] }, steps: 1 };

it("fills in what is absent", () => {
  const recipe = parseRecipe(good);
  expect(recipe).toMatchObject({
    data: { kind: "text", texts: ["a.txt"], heldOut: 0.05 },
    tokenizer: { kind: "byte" },
    optimizer: { learningRate: 1e-3, beta1: 0.9, beta2: 0.95, eps: 1e-8, weightDecay: 0.1 },
    batchSize: 8,
    seqLen: 256,
    accumulate: 1,
    clipNorm: 1,
    rows: "crops",
    seed: 0,
    dtype: "F32",
    output: undefined,
  });
  // Cosine with a warm-up over a twentieth.
  expect([recipe.schedule(0.025), recipe.schedule(0.05)]).toEqual([0.5, 1]);
});

it.each([
  [{}, "recipe: data must be an object, got undefined"],
  [[], "recipe: the file must be an object, got []"],
  [{ ...good, stepz: 3 }, /^recipe: stepz is not a setting; known are .*steps/],
  [{ ...good, data: { texts: [] } }, "recipe: data.texts must be a list of texts, got []"],
  [
    { ...good, data: { fixture: "other.txt" } },
    'recipe: data.fixture must be one of moby-dick-opening.txt, got "other.txt"',
  ],
  [{ ...good, data: { texts: ["a"], heldOut: 0.9 } }, "recipe: data.heldOut must be a number in [0.001, 0.5], got 0.9"],
  [{ ...good, data: { task: "sorting" } }, /^recipe: data.task must be one of selectiveCopying, .*got "sorting"$/],
  [{ ...good, data: { task: "parity", texts: ["a"] } }, /^recipe: data.texts is not a setting/],
  [
    { ...good, tokenizer: { kind: "wordpiece" } },
    'recipe: tokenizer.kind must be one of bpe, byte, char, got "wordpiece"',
  ],
  [
    { ...good, tokenizer: { kind: "bpe", vocabSize: 256 } },
    "recipe: tokenizer.vocabSize must be an integer in [257, 1000000], got 256",
  ],
  [
    { ...good, optimizer: { learningRate: "fast" } },
    'recipe: optimizer.learningRate must be a number >= 0, got "fast"',
  ],
  [{ ...good, optimizer: { beta1: 1 } }, /^recipe: optimizer.beta1 must be a number in/],
  [{ ...good, schedule: { kind: "step" } }, 'recipe: schedule.kind must be one of cosine, wsd, constant, got "step"'],
  [{ ...good, steps: 0 }, "recipe: steps must be an integer >= 1, got 0"],
  [{ ...good, steps: 1.5 }, "recipe: steps must be an integer >= 1, got 1.5"],
  [{ ...good, seed: -1 }, /^recipe: seed must be an integer/],
  [{ ...good, dtype: "F64" }, 'recipe: dtype must be one of F32, F16, BF16, got "F64"'],
  [{ ...good, model: 3 }, "recipe: model must be an object, got 3"],
  [{ ...good, evaluation: { every: true } }, "recipe: evaluation.every must be an integer >= 1, got true"],
  [{ ...good, checkpoints: { keep: 0 } }, "recipe: checkpoints.keep must be an integer >= 1, got 0"],
  [{ ...good, output: "" }, 'recipe: output must be a text, got ""'],
])("refuses %j, naming the key", (json, message) => {
  expect(() => parseRecipe(json)).toThrow(FormatError);
  expect(() => parseRecipe(json)).toThrow(message);
});
