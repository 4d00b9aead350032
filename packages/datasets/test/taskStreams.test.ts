import { FormatError, Rng } from "@statespace/core";
import { sha256Hex } from "@statespace/files";
import { describe, expect, test } from "vitest";
import {
  addingProblem,
  associativeRecall,
  type Batch,
  copying,
  delay,
  inductionHeads,
  listOps,
  maze,
  modularArithmetic,
  parity,
  selectiveCopying,
  streamInductionHeads,
  streamTask,
  type Task,
} from "../src/index.ts";

/** Row `row` of [b, l] numbers. */
function rowOf<N extends Int32Array | Float32Array>(values: N, row: number, l: number): N {
  return values.slice(row * l, (row + 1) * l) as N;
}

const all: Task[] = [
  selectiveCopying(),
  copying(),
  inductionHeads(),
  associativeRecall(),
  parity(),
  modularArithmetic(),
  modularArithmetic({ brackets: true }),
  addingProblem(),
  delay(),
  listOps(),
  maze(),
];

describe("streams", () => {
  test.each(all)(
    "$info.name: same seed, same batches; another seed or split, others; ids within the vocabulary",
    (task) => {
      const draw = (seed: number, split: "train" | "validation" | "test" = "train"): Batch =>
        streamTask(task, { batchSize: 4, seed, split }).nextBatch();
      expect(draw(1)).toEqual(draw(1));
      const kinds = [draw(1), draw(2), draw(1, "validation"), draw(1, "test")].map(({ inputs }) => inputs.join());
      expect(new Set(kinds).size).toBe(4);
      const { inputs, shape, targets, targetShape } = draw(1);
      expect(inputs.length).toBe(shape.reduce((p, n) => p * n, 1));
      expect(targets.length).toBe(targetShape.reduce((p, n) => p * n, 1));
      if (task.vocabSize !== undefined)
        expect(inputs.every((id) => id >= 0 && id < (task.vocabSize as number))).toBe(true);
    },
  );

  test.each(all)("$info.name: resumes bit-exactly from a state that went through JSON", (task) => {
    const stream = streamTask(task, { batchSize: 3, seed: 5 });
    stream.nextBatch();
    const saved = JSON.parse(JSON.stringify(stream.state()));
    const expected = [stream.nextBatch(), stream.nextBatch()];
    const resumed = streamTask(task, { batchSize: 3, seed: 99 });
    resumed.restore(saved);
    expect([resumed.nextBatch(), resumed.nextBatch()]).toEqual(expected);
    expect(resumed.state()).toEqual(stream.state());
  });

  test("broken states are named and change nothing", () => {
    const stream = streamTask(parity(), { batchSize: 2, seed: 5 });
    const before = stream.state();
    const good = before as Record<string, never>;
    for (const bad of [
      null,
      3,
      [],
      {},
      { ...good, name: "copying" },
      { ...good, position: -1 },
      { ...good, random: [0, 0, 0, 0] },
      { ...good, random: "x" },
    ]) {
      expect(() => stream.restore(bad)).toThrow(FormatError);
    }
    expect(stream.state()).toEqual(before);
  });

  test("induction heads as a stream joins to the batch of the same seed, whatever the chunk", () => {
    const whole = inductionHeads({ seqLen: 500 }).sample(new Rng(11), 3);
    for (const chunkLen of [1, 7, 499, 500, 501]) {
      const inputs: number[][] = [[], [], []];
      const targets: number[][] = [[], [], []];
      for (const batch of streamInductionHeads({ seqLen: 500, batchSize: 3, seed: 11, chunkLen })) {
        for (let row = 0; row < 3; row++) {
          inputs[row].push(...rowOf(batch.inputs, row, batch.shape[1]));
          targets[row].push(...rowOf(batch.targets, row, batch.shape[1]));
        }
      }
      expect(inputs.flat()).toEqual([...whole.inputs]);
      expect(targets.flat()).toEqual([...whole.targets]);
    }
  });

  test("a million steps of induction heads in chunks", () => {
    let steps = 0;
    let specials = 0;
    let after = -1;
    let expectAnswer = false;
    for (const { inputs, targets, shape } of streamInductionHeads({ seqLen: 2 ** 20, batchSize: 1, seed: 1 })) {
      steps += shape[1];
      for (const id of inputs) {
        if (expectAnswer && after < 0) after = id;
        expectAnswer = id === 15;
        if (id === 15) specials++;
      }
      if (steps === 2 ** 20) expect(targets[targets.length - 1]).toBe(after);
    }
    expect([steps, specials]).toEqual([2 ** 20, 2]);
  });
});

/** First 16 digits of the SHA-256 of inputs and targets of the first batch of 4 at seed 1, little-endian: results with a seed stay comparable between versions. */
const checksums: Record<string, string> = {
  "selective-copying": "01bca20cd16539b9",
  copying: "3913a4c3fae36034",
  "induction-heads": "c0d1dd1b6e647513",
  "associative-recall": "79197b1e9c781fa8",
  parity: "88c729034e4e89e6",
  "modular-arithmetic": "8b82c09c1c5c98e0",
  "modular-arithmetic-brackets": "0886329de0517002",
  adding: "7a2539944ec51293",
  listops: "0029531a9b275f46",
  maze: "c7c426994276455b",
};

test.each(Object.entries(checksums))("%s: the data of a seed never change", async (name, expected) => {
  const task = all.find(({ info }) => info.name === name) as Task;
  const { inputs, targets } = streamTask(task, { batchSize: 4, seed: 1 }).nextBatch();
  const bytes = new Uint8Array(inputs.byteLength + targets.byteLength);
  bytes.set(new Uint8Array(inputs.buffer, inputs.byteOffset, inputs.byteLength));
  bytes.set(new Uint8Array(targets.buffer, targets.byteOffset, targets.byteLength), inputs.byteLength);
  expect((await sha256Hex(bytes)).slice(0, 16)).toBe(expected);
});
