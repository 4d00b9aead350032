import { wasmBackend } from "@statespace/backend-wasm";
import { readFloats, Rng, setBackend, tensor } from "@statespace/core";
import { beforeAll, describe, expect, it } from "vitest";
import { askedLast } from "../../src/pages/induction/compute/asked.ts";
import { canRead, Learner } from "../../src/pages/induction/compute/learner.ts";
import {
  answerId,
  ANSWERS,
  drawPairs,
  FILLERS,
  makeRow,
  PAIRS,
  questionId,
  TRAINED,
  VOCABULARY,
} from "../../src/pages/induction/compute/task.ts";
import { answerWords, pairsOf, wordPairs } from "../../src/pages/induction/words.ts";

describe("the task", () => {
  it("shows each question once with its answer behind it, and asks each at the end", () => {
    const rng = new Rng(3);
    for (let i = 0; i < 200; i++) {
      const pairs = drawPairs(rng);
      const { ids, due } = makeRow(rng, pairs, TRAINED);
      expect(ids).toHaveLength(TRAINED);
      const shown = ids.subarray(0, TRAINED - PAIRS);
      for (const { question, answer } of pairs) {
        const at = shown.indexOf(questionId(question));
        expect(shown[at + 1]).toBe(answerId(answer));
        expect(shown.lastIndexOf(questionId(question))).toBe(at);
      }
      due.forEach((answer, j) => {
        const asked = ids[TRAINED - PAIRS + j]!;
        expect(shown[shown.indexOf(asked) + 1]).toBe(answerId(answer));
      });
      expect(shown.filter((id) => id >= FILLERS)).toHaveLength(2 * PAIRS);
    }
  });

  it("moves the asked question to the end, and nothing else", () => {
    const pairs = [
      { question: 0, answer: 4 },
      { question: 1, answer: 2 },
    ];
    for (let seed = 1; seed < 20; seed++)
      for (const asked of [0, 1]) {
        const row = makeRow(new Rng(seed), pairs, TRAINED, 16);
        const { ids, due } = askedLast(row, pairs, asked);
        expect(ids.at(-1)).toBe(questionId(asked));
        expect(due.at(-1)).toBe(pairs[asked]!.answer);
        expect([...ids].toSorted()).toEqual([...row.ids].toSorted());
        expect(ids.subarray(0, -PAIRS)).toEqual(row.ids.subarray(0, -PAIRS));
      }
  });
});

describe("words", () => {
  const others = ["milk", "bone", "seed", "worm", "honey"];
  it("are written into the address and read again", () => {
    const pairs = [
      { question: "Ann", answer: "red" },
      { question: "Bob", answer: "milk" },
    ];
    expect(wordPairs.parse(wordPairs.format(pairs))).toEqual(pairs);
    expect(answerWords(pairs, others)).toEqual(["red", "milk", "bone", "seed", "worm"]);
    expect(pairsOf(pairs, others)).toEqual([
      { question: 0, answer: 0 },
      { question: 1, answer: 1 },
    ]);
    expect(
      pairsOf(
        pairs.map((pair) => ({ ...pair, answer: "x" })),
        others,
      ).map(({ answer }) => answer),
    ).toEqual([0, 0]);
  });
  it.each(["", "a=b", "a=b;a=c", "a=;b=c", "a=b;c=d;e=f", "a=b=c;d=e"])("%j is no pair of pairs", (text) =>
    expect(wordPairs.parse(text)).toBeUndefined(),
  );
});

describe("a learner", () => {
  beforeAll(() => setBackend(wasmBackend({ threads: 1 })));

  it.each(["mamba", "s4"] as const)("%s answers a long text in pieces as it does at once", async (kind) => {
    const learner = new Learner(kind, 1);
    const rng = new Rng(8);
    for (const length of [1500, 1025, 2048 + 1]) {
      const rows = [makeRow(rng, drawPairs(rng), length), makeRow(rng, drawPairs(rng), length)];
      const scores = await learner.scores(rows);
      const x = tensor(Int32Array.from(rows.flatMap(({ ids }) => [...ids])), [2, length]);
      const logits = await readFloats(learner.model.forward(x).output);
      for (const [row, told] of scores.entries())
        for (let i = 0; i < PAIRS; i++) {
          const at = ((row + 1) * length - PAIRS + i) * VOCABULARY + answerId(0);
          const weights = logits.slice(at, at + ANSWERS).map(Math.exp);
          const total = weights.reduce((sum, weight) => sum + weight, 0);
          weights.forEach((weight, a) => expect(told[i * ANSWERS + a]).toBeCloseTo(weight / total, 4));
        }
    }
    learner.dispose();
  });

  it("attention learns to answer from the text, S4 as long in training does not", async () => {
    const [attention, s4] = [new Learner("attention", 1), new Learner("s4", 1)];
    while (attention.steps < 160 && (attention.steps % 20 !== 0 || (await attention.accuracy()) < 0.97))
      attention.step().dispose();
    while (s4.steps < attention.steps) s4.step().dispose();
    expect(await attention.accuracy()).toBeGreaterThan(0.95);
    expect(await s4.accuracy()).toBeLessThan(0.75);
    attention.dispose();
    s4.dispose();
  }, 120_000);

  it("is asked for no map that a device could not hold", () => {
    expect(canRead("attention", 2000)).toBe(true);
    expect(canRead("attention", 2001)).toBe(false);
    expect(canRead("mamba", 48_000)).toBe(true);
  });
});
