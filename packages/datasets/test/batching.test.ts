import { AbortedError, ArgumentError, FormatError } from "@statespace/core";
import { describe, expect, test } from "vitest";
import {
  type ArrayDataset,
  type Batch,
  type BatchStream,
  contiguousBatches,
  evaluationBatches,
  IGNORE_INDEX,
  orderedBatches,
  packDocuments,
  padDocuments,
  parity,
  prefetch,
  prefetchBatches,
  randomCrops,
  shuffledBatches,
  splitDataset,
  splitText,
  streamTask,
} from "../src/index.ts";

const info = { name: "counts", description: "", licence: "Apache-2.0", source: "", split: "" };
const dataset: ArrayDataset<Float32Array, Int32Array> = {
  info,
  length: 23,
  inputs: Float32Array.from({ length: 23 * 6 }, (_, i) => i),
  inputShape: [3, 2],
  targets: Int32Array.from({ length: 23 }, (_, i) => i),
  targetShape: [],
};
const ids = Int32Array.from({ length: 101 }, (_, i) => i + 1);
const documents = [5, 1, 17, 0, 8, 40].map((length, d) => Int32Array.from({ length }, (_, i) => 100 * (d + 1) + i));

const streams: [string, () => BatchStream][] = [
  ["shuffled", () => shuffledBatches(dataset, { batchSize: 4, seed: 1 })],
  ["contiguous", () => contiguousBatches(ids, { batchSize: 3, seqLen: 5 })],
  ["crops", () => randomCrops(ids, { batchSize: 3, seqLen: 5, seed: 1 })],
  ["packed", () => packDocuments(documents, { batchSize: 2, seqLen: 16, seed: 1, endId: 7 })],
];

describe("resume", () => {
  test.each(streams)("%s batches continue bit-exactly from every place, through JSON", (_name, make) => {
    const whole = make();
    const states: string[] = [];
    const batches: Batch[] = [];
    for (let i = 0; i < 20; i++) {
      states.push(JSON.stringify(whole.state()));
      batches.push(whole.nextBatch());
    }
    for (let i = 0; i < 20; i++) {
      const resumed = make();
      resumed.nextBatch();
      resumed.restore(JSON.parse(states[i]));
      expect(JSON.stringify(resumed.state())).toBe(states[i]);
      for (let j = i; j < Math.min(i + 3, 20); j++) expect(resumed.nextBatch()).toEqual(batches[j]);
    }
    const [first] = make();
    expect(first).toEqual(batches[0]);
  });

  test.each(streams)("%s batches refuse foreign and broken states and stay as they were", (_name, make) => {
    const stream = make();
    stream.nextBatch();
    const good = stream.state() as Record<string, never>;
    const broken: unknown[] = [null, 1, "x", [], {}, { ...good, kind: "other" }];
    for (const key of Object.keys(good))
      broken.push({ ...good, [key]: -1 }, { ...good, [key]: null }, { ...good, [key]: 1e9 });
    let refused = 0;
    for (const state of broken) {
      try {
        stream.restore(state as never);
        stream.restore(good); // an epoch of 1e9 is odd but possible
      } catch (error) {
        expect(error).toBeInstanceOf(FormatError);
        refused++;
      }
      expect(stream.state()).toEqual(good);
    }
    expect(refused).toBeGreaterThanOrEqual(broken.length - 1);
  });
});

describe("shuffling", () => {
  test("every example once an epoch, whatever the batch size; orders differ between epochs and seeds", () => {
    const epochs = (seed: number): number[][] => {
      const stream = shuffledBatches(dataset, { batchSize: 5, seed });
      const seen = Array.from({ length: 23 }, () => [...stream.nextBatch().targets]).flat();
      return Array.from({ length: 5 }, (_, e) => seen.slice(e * 23, (e + 1) * 23));
    };
    const sets = epochs(1);
    for (const epoch of sets) expect(epoch.toSorted((p, q) => p - q)).toEqual([...dataset.targets]);
    expect(new Set([...sets, ...epochs(2)].map(String)).size).toBe(10);
    expect(epochs(1)).toEqual(sets);
  });

  test("inputs stay with their targets, and shapes are whole", () => {
    const { inputs, shape, targets, targetShape } = shuffledBatches(dataset, { batchSize: 4, seed: 3 }).nextBatch();
    expect([shape, targetShape]).toEqual([[4, 3, 2], [4]]);
    targets.forEach((target, row) => expect(inputs[row * 6]).toBe(target * 6));
  });

  test("ordered batches: all of it, the rest last", () => {
    const batches = [...orderedBatches(dataset, 10)];
    expect(batches.map(({ shape }) => shape[0])).toEqual([10, 10, 3]);
    expect(batches.flatMap(({ targets }) => [...targets])).toEqual([...dataset.targets]);
  });
});

describe("splits", () => {
  test("each example in exactly one part, the same parts for the same seed", () => {
    const parts = splitDataset(dataset, { validation: 4, test: 6, seed: 9 });
    expect([parts.train.length, parts.validation.length, parts.test.length]).toEqual([13, 4, 6]);
    const all = [parts.train, parts.validation, parts.test].flatMap(({ targets }) => [...targets]);
    expect(all.toSorted((p, q) => p - q)).toEqual([...dataset.targets]);
    expect(parts.test.inputs[0]).toBe(parts.test.targets[0] * 6);
    expect(splitDataset(dataset, { validation: 4, test: 6, seed: 9 })).toEqual(parts);
    expect(splitDataset(dataset, { validation: 4, test: 6, seed: 8 })).not.toEqual(parts);
    expect(() => splitDataset(dataset, { validation: 20, test: 3, seed: 1 })).toThrow(ArgumentError);
  });

  test("text is cut at line ends and nothing is lost", () => {
    const text = Array.from({ length: 100 }, (_, i) => `line ${i}\n`).join("");
    const parts = splitText(text, { validation: 0.1, test: 0.2 });
    expect(parts.train + parts.validation + parts.test).toBe(text);
    for (const part of Object.values(parts)) expect(part).toMatch(/^line \d+\n[^]*\n$/);
    expect(Math.abs(parts.test.length / text.length - 0.2)).toBeLessThan(0.02);
    expect(splitText("no line break", { validation: 0, test: 0 }).train).toBe("no line break");
  });

  test("a text of one line is cut by the shares all the same, at spaces where there are any", () => {
    const words = "word ".repeat(2000);
    const parts = splitText(words, { validation: 0.1, test: 0.2 });
    expect(parts.train + parts.validation + parts.test).toBe(words);
    expect([parts.validation, parts.test].map(({ length }) => length)).toEqual([1000, 2000]);
    expect(parts.test.startsWith("word")).toBe(true);
    const dna = "ACGT".repeat(500);
    expect(splitText(dna, { validation: 0, test: 0.25 }).test).toHaveLength(500);
    const pairs = "\u{1f40d}".repeat(11); // never between the halves of a character
    expect([...splitText(pairs, { validation: 0, test: 0.5 }).train].every((sign) => sign === "\u{1f40d}")).toBe(true);
    expect(() => splitText("ab", { validation: 0.1, test: 0.1 })).toThrow(/validation part would be empty/);
  });

  test("shares out of range", () => {
    const text = "a line\nand another\n";
    expect(() => splitText(text, { validation: 0.5, test: 0.5 })).toThrow(ArgumentError);
  });
});

describe("token streams", () => {
  test("contiguous: each batch continues the last one's rows, targets are one step on, reset once a pass", () => {
    const stream = contiguousBatches(ids, { batchSize: 4, seqLen: 6 });
    const rows: number[][] = [[], [], [], []];
    const resets: unknown[] = [];
    for (let i = 0; i < 8; i++) {
      const { inputs, targets, reset } = stream.nextBatch();
      resets.push(reset);
      inputs.forEach((id, at) => expect(targets[at]).toBe(id + 1));
      if (i < 4) for (let row = 0; row < 4; row++) rows[row].push(...inputs.subarray(row * 6, row * 6 + 6));
    }
    expect(rows).toEqual([0, 25, 50, 75].map((start) => [...ids.subarray(start, start + 24)]));
    expect(resets).toEqual([true, false, false, false, true, false, false, false]);
    expect(() => contiguousBatches(ids, { batchSize: 20, seqLen: 6 })).toThrow(/needs 121 ids/);
  });

  test("random crops reach both ends", () => {
    const stream = randomCrops(Int32Array.of(1, 2, 3, 4), { batchSize: 64, seqLen: 2, seed: 1 });
    const { inputs, targets } = stream.nextBatch();
    expect(new Set(inputs.filter((_, i) => i % 2 === 0))).toEqual(new Set([1, 2]));
    inputs.forEach((id, i) => expect(targets[i]).toBe(id + 1));
    expect(() => randomCrops(ids, { batchSize: 1, seqLen: 101, seed: 1 })).toThrow(ArgumentError);
  });

  test("evaluation: every id but the first is a target once", () => {
    const batches = [...evaluationBatches(ids, 16)];
    expect(batches.flatMap(({ targets }) => [...targets])).toEqual([...ids.subarray(1)]);
    expect(batches.map(({ reset }) => reset)).toEqual([true, ...new Array(6).fill(false)]);
    expect(batches.at(-1)?.shape).toEqual([1, 4]);
  });
});

describe("packing and padding", () => {
  test("rows are full; documents come back whole; boundaries and targets are right", () => {
    const stream = packDocuments(documents, { batchSize: 3, seqLen: 10, seed: 2 });
    const flat: number[] = [];
    for (let i = 0; i < 10; i++) {
      const { inputs, targets, mask, seqIdx } = stream.nextBatch() as Required<ReturnType<typeof stream.nextBatch>>;
      flat.push(...inputs);
      for (let at = 0; at < inputs.length; at++) {
        const rowStart = at % 10 === 0;
        const sameDocument = !rowStart && inputs[at] === inputs[at - 1] + 1;
        expect(seqIdx[at]).toBe(rowStart ? 0 : seqIdx[at - 1] + (sameDocument ? 0 : 1));
        const last = documents.some((document) => document.at(-1) === inputs[at]);
        expect([targets[at], mask[at]]).toEqual(last ? [IGNORE_INDEX, 0] : [inputs[at] + 1, 1]);
      }
    }
    const sizes = documents.reduce((sum, { length }) => sum + length, 0);
    for (let epoch = 0; epoch < 4; epoch++) {
      const once = flat.slice(epoch * sizes, (epoch + 1) * sizes).toSorted((p, q) => p - q);
      expect(once).toEqual(documents.flatMap((document) => [...document]));
    }
  });

  test("an end id closes each document and is a target", () => {
    const { inputs, targets } = packDocuments([Int32Array.of(1, 2)], {
      batchSize: 1,
      seqLen: 7,
      seed: 1,
      endId: 9,
    }).nextBatch();
    expect([...inputs]).toEqual([1, 2, 9, 1, 2, 9, 1]);
    expect([...targets]).toEqual([2, 9, IGNORE_INDEX, 2, 9, IGNORE_INDEX, 2]);
    expect(() => packDocuments([new Int32Array(0)], { batchSize: 1, seqLen: 7, seed: 1 })).toThrow(ArgumentError);
  });

  test("tokens that are only read are no targets, and a document that fits a row stays whole", () => {
    const documents = [Int32Array.of(1, 2, 3, 4), Int32Array.of(5, 6, 7), Int32Array.of(8, 9, 10, 11, 12, 13, 14)];
    const counts = [Uint8Array.of(0, 0, 1, 1), Uint8Array.of(1, 0, 1), Uint8Array.of(0, 1, 1, 1, 1, 1, 0)];
    const stream = packDocuments(documents, { batchSize: 1, seqLen: 5, seed: 3, counts, whole: true });
    const predicted = new Set<number>();
    for (let i = 0; i < 12; i++) {
      const { inputs, targets, mask, seqIdx } = stream.nextBatch();
      const starts = [...inputs].flatMap((id, t) => (t === 0 || seqIdx![t] !== seqIdx![t - 1] ? [id] : []));
      // Only the one that no row holds is cut; the rest of a row that is too short for the next stays empty.
      for (const id of starts) expect([2, 3, 4, 6, 7]).not.toContain(id);
      targets.forEach((id, t) => {
        expect(mask![t]).toBe(id === IGNORE_INDEX ? 0 : 1);
        if (id !== IGNORE_INDEX) predicted.add(id);
      });
    }
    expect([...predicted].sort((a, b) => a - b)).toEqual([3, 4, 7, 9, 10, 11, 12, 13]);
    const short = [Uint8Array.of(1)];
    expect(() => packDocuments(documents, { batchSize: 1, seqLen: 5, seed: 3, counts: short })).toThrow(
      /a number for each token of each document, see document 0/,
    );
  });

  test("padding: at the end, masked, with lengths", () => {
    const { inputs, targets, mask, lengths, shape } = padDocuments(
      [Int32Array.of(1, 2, 3, 4), Int32Array.of(5, 6)],
      99,
    );
    expect(shape).toEqual([2, 3]);
    expect([...inputs]).toEqual([1, 2, 3, 5, 99, 99]);
    expect([...targets]).toEqual([2, 3, 4, 6, IGNORE_INDEX, IGNORE_INDEX]);
    expect([...(mask as Float32Array)]).toEqual([1, 1, 1, 1, 0, 0]);
    expect([...(lengths as Int32Array)]).toEqual([3, 1]);
    expect(() => padDocuments([Int32Array.of(1)])).toThrow(ArgumentError);
    expect(() => padDocuments([])).toThrow(ArgumentError);
  });
});

describe("prefetch", () => {
  test("same batches in the same order; the state is that of the last batch handed out", async () => {
    const make = (): BatchStream => streamTask(parity({ seqLen: 9 }), { batchSize: 2, seed: 4 });
    const plain = make();
    const ahead = prefetchBatches(make(), { depth: 3 });
    let i = 0;
    for await (const batch of ahead) {
      expect(batch).toEqual(plain.nextBatch());
      expect(ahead.state()).toEqual(plain.state());
      if (++i === 10) break;
    }
    for await (const batch of ahead) {
      expect(batch).toEqual(plain.nextBatch());
      break;
    }
  });

  test("reads ahead by the depth and no more, one read at a time", async () => {
    let open = 0;
    let made = 0;
    async function* source(): AsyncGenerator<number> {
      for (; made < 20;) {
        expect(++open).toBe(1);
        await new Promise((resolve) => setTimeout(resolve, 1));
        open--;
        yield made++;
      }
    }
    let next = 0;
    for await (const item of prefetch(source(), 4)) {
      expect(item).toBe(next++);
      await new Promise((resolve) => setTimeout(resolve, 12));
      expect(made).toBeLessThanOrEqual(next + 4);
      if (next === 5) expect(made).toBeGreaterThan(next);
    }
    expect(next).toBe(20);
  });

  test("errors come in their turn; abort ends a wait", async () => {
    async function* failing(): AsyncGenerator<number> {
      yield 1;
      throw new RangeError("broken");
    }
    const seen: number[] = [];
    await expect(async () => {
      for await (const item of prefetch(failing(), 3)) seen.push(item);
    }).rejects.toThrow("broken");
    expect(seen).toEqual([1]);
    const controller = new AbortController();
    const never: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({ next: () => new Promise(() => undefined) }),
    };
    setTimeout(() => controller.abort(), 20);
    await expect(prefetch(never, 2, controller.signal).next()).rejects.toThrow(AbortedError);
    await expect(prefetch([1, 2], 0).next()).rejects.toThrow(ArgumentError);
  });
});
