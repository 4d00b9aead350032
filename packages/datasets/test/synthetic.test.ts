import { ArgumentError, Rng } from "@statespace/core";
import { describe, expect, test } from "vitest";
import {
  addingProblem,
  associativeRecall,
  copying,
  delay,
  IGNORE_INDEX,
  inductionHeads,
  listOps,
  listOpsSymbols,
  maze,
  modularArithmetic,
  type ModularArithmeticOptions,
  parity,
  selectiveCopying,
  streamTask,
  type TokenBatch,
} from "../src/index.ts";

/** Row `row` of [b, l] numbers. */
function rowOf<N extends Int32Array | Float32Array>(values: N, row: number, l: number): N {
  return values.slice(row * l, (row + 1) * l) as N;
}

/** Solves each row from its inputs alone: a map from step to answer must equal the targets, no more and no fewer. */
function expectSolved(batch: TokenBatch, solve: (inputs: Int32Array) => Map<number, number>): void {
  const [b, l] = batch.targetShape;
  expect(batch.targets.length).toBe(b * l);
  for (let row = 0; row < b; row++) {
    const expected = new Int32Array(l).fill(IGNORE_INDEX);
    const mask = new Float32Array(l);
    for (const [t, answer] of solve(rowOf(batch.inputs, row, batch.inputs.length / b))) {
      expected[t] = answer;
      mask[t] = 1;
    }
    expect(rowOf(batch.targets, row, l)).toEqual(expected);
    if (batch.mask) expect(rowOf(batch.mask, row, l)).toEqual(mask);
    else expect(mask.every((x) => x === 1)).toBe(true);
  }
}

describe("solvers", () => {
  test.each([selectiveCopying(), copying(), selectiveCopying({ vocabSize: 3, nTokens: 5, seqLen: 5 })])(
    "$info.name is solved by keeping what is not noise",
    (task) => {
      const batch = task.sample(new Rng(1), 16);
      const marker = (task.vocabSize as number) - 1;
      expectSolved(batch, (inputs) => {
        const data = [...inputs].filter((id) => id !== 0 && id !== marker);
        const first = inputs.indexOf(marker);
        expect(inputs.length - first).toBe(data.length);
        return new Map(data.map((id, i) => [first + i, id]));
      });
    },
  );

  test("selective copying scatters its tokens over every place, plain copying does not", () => {
    const uses = new Float64Array(32);
    const { inputs: scattered } = selectiveCopying({ nTokens: 4, seqLen: 32 }).sample(new Rng(1), 3200);
    scattered.forEach((id, i) => id !== 0 && i % 36 < 32 && uses[i % 36]++);
    // 400 uses a place are expected, deviation sqrt(3200 * 7/64) = 19; 100 is more than five of them.
    expect(uses.every((count) => Math.abs(count - 400) < 100)).toBe(true);
    const { inputs } = copying({ nTokens: 4, seqLen: 32 }).sample(new Rng(1), 1);
    expect(inputs.subarray(0, 4).every((id) => id > 0)).toBe(true);
    expect(inputs.subarray(4, 32).every((id) => id === 0)).toBe(true);
  });

  test.each([3, 4, 64, 256])("induction heads at length %i: the token after the first special one", (seqLen) => {
    expectSolved(inductionHeads({ seqLen }).sample(new Rng(2), 32), (inputs) => {
      const special = 15;
      expect(inputs.filter((id) => id === special)).toHaveLength(2);
      expect(inputs[seqLen - 1]).toBe(special);
      return new Map([[seqLen - 1, inputs[inputs.indexOf(special) + 1]]]);
    });
  });

  test("associative recall: a look-up of every key", () => {
    const task = associativeRecall({ vocabSize: 40, nPairs: 9, seqLen: 50 });
    expectSolved(task.sample(new Rng(3), 32), (inputs) => {
      const table = new Map(Array.from({ length: 9 }, (_, i) => [inputs[2 * i], inputs[2 * i + 1]]));
      expect(table.size).toBe(9);
      return new Map(
        [...inputs.entries()].filter(([t, id]) => t >= 18 && id !== 0).map(([t, id]) => [t, table.get(id) as number]),
      );
    });
  });

  test("parity: the exclusive or of all bits so far", () => {
    expectSolved(parity({ seqLen: 33 }).sample(new Rng(4), 8), (inputs) => {
      let ones = 0;
      return new Map([...inputs].map((bit, t) => [t, (ones += bit) % 2]));
    });
  });

  const arithmetic: ModularArithmeticOptions[] = [
    { seqLen: 40 },
    { seqLen: 2, modulus: 2 },
    ...[2, 3, 4, 5, 6, 7, 12, 39].map((seqLen) => ({ seqLen, brackets: true, modulus: 7 })),
  ];
  test.each(arithmetic)("modular arithmetic %o: what exact integer arithmetic gives", (options) => {
    const task = modularArithmetic(options);
    const modulus = BigInt(options.modulus ?? 5);
    expectSolved(task.sample(new Rng(5), 32), (inputs) => {
      const text = [...inputs].map((id) => task.symbols[id]).join("");
      expect(text.endsWith("=")).toBe(true);
      const value = BigInt(evaluate(text.slice(0, -1)));
      return new Map([[inputs.length - 1, Number(((value % modulus) + modulus) % modulus)]]);
    });
  });

  test("adding: the two flagged numbers, one from each half", () => {
    const { inputs, targets } = addingProblem({ seqLen: 21 }).sample(new Rng(6), 16);
    for (let row = 0; row < 16; row++) {
      const steps = Array.from({ length: 21 }, (_, t) => inputs.subarray((row * 21 + t) * 2, (row * 21 + t) * 2 + 2));
      const flagged = [...steps.entries()].filter(([, [, flag]]) => flag === 1);
      expect(flagged).toHaveLength(2);
      expect(flagged[0][0]).toBeLessThan(10);
      expect(flagged[1][0]).toBeGreaterThanOrEqual(10);
      expect(targets[row]).toBe(Math.fround(flagged[0][1][0] + flagged[1][1][0]));
    }
  });

  test("delay: the input, moved", () => {
    const { inputs, targets, mask } = delay({ seqLen: 100, lag: 30 }).sample(new Rng(7), 3);
    for (let row = 0; row < 3; row++) {
      expect(rowOf(targets, row, 100).slice(30)).toEqual(rowOf(inputs, row, 100).slice(0, 70));
      expect([...rowOf(mask as Float32Array, row, 100)].lastIndexOf(0)).toBe(29);
    }
  });

  test("ListOps: a parser's value", () => {
    const { inputs, targets, lengths } = listOps({ minLen: 10, maxLen: 60 }).sample(new Rng(8), 64);
    for (let row = 0; row < 64; row++) {
      const length = (lengths as Int32Array)[row];
      const ids = rowOf(inputs, row, 60);
      expect(length).toBeGreaterThanOrEqual(10);
      expect(ids.subarray(length).every((id) => id === 0)).toBe(true);
      expect(targets[row]).toBe(evaluateListOps([...ids.subarray(0, length)].map((id) => listOpsSymbols[id])));
    }
    expect(new Set(targets).size).toBeGreaterThan(5);
  });

  test.each(["state", "start"] as const)("maze, seeing the %s: dead reckoning over the map", (observe) => {
    const task = maze({ width: 7, height: 4, observe, seqLen: 40 });
    expectSolved(task.sample(new Rng(9), 8), (inputs) => {
      let cell = inputs[0];
      return new Map(Array.from({ length: 40 }, (_, t) => [t, (cell = task.next[4 * cell + inputs[2 * t + 1]])]));
    });
  });

  test("the maze is one tree: all cells reached, as many doors as cells less one, doors open both ways", () => {
    const { next } = maze({ width: 9, height: 6, mazeSeed: 3 });
    const doors = [...next.entries()].filter(([i, to]) => to !== i >> 2);
    expect(doors).toHaveLength(2 * (54 - 1));
    for (const [i, to] of doors) expect(next[4 * to + (((i & 3) + 2) & 3)]).toBe(i >> 2);
    const reached = new Set([0]);
    for (const cell of reached) for (let action = 0; action < 4; action++) reached.add(next[4 * cell + action]);
    expect(reached.size).toBe(54);
  });
});

test("settings that do not fit are refused by name", () => {
  expect(() => selectiveCopying({ nTokens: 10, seqLen: 9 })).toThrow(/seqLen must be an integer in \[10/);
  expect(() => inductionHeads({ vocabSize: 1 })).toThrow(ArgumentError);
  expect(() => associativeRecall({ nPairs: 32, vocabSize: 64, seqLen: 128 })).toThrow(/nPairs must be <= 31/);
  expect(() => associativeRecall({ seqLen: 33 })).toThrow(/even/);
  expect(() => modularArithmetic({ seqLen: 5 })).toThrow(/even/);
  expect(() => parity({ seqLen: Number.NaN })).toThrow(ArgumentError);
  expect(() => delay({ seqLen: 10, lag: 10 })).toThrow(ArgumentError);
  expect(() => maze({ observe: "nothing" as "state" })).toThrow(ArgumentError);
  expect(() => streamTask(parity(), { batchSize: 0, seed: 1 })).toThrow(ArgumentError);
  expect(() => streamTask(parity(), { batchSize: 1, seed: 0.5 })).toThrow(ArgumentError);
  expect(() => streamTask(parity(), { batchSize: 1, seed: 1, split: "dev" as "test" })).toThrow(ArgumentError);
  expect(() => listOps({ minLen: 120, maxLen: 120, nesting: 0 }).sample(new Rng(1), 1)).toThrow(/raise maxDepth/);
});

/** Recursive-descent arithmetic on exact integers; independent of the generator. */
function evaluate(text: string): bigint {
  let at = 0;
  const atom = (): bigint => {
    if (text[at] === "-") {
      at++;
      return -atom();
    }
    if (text[at] === "(") {
      at++;
      const value = sum();
      expect(text[at++]).toBe(")");
      return value;
    }
    return BigInt(text[at++]);
  };
  const product = (): bigint => {
    let value = atom();
    while (text[at] === "*") {
      at++;
      value *= atom();
    }
    return value;
  };
  const sum = (): bigint => {
    let value = product();
    while (text[at] === "+" || text[at] === "-") value = text[at++] === "+" ? value + product() : value - product();
    return value;
  };
  const value = sum();
  expect(at).toBe(text.length);
  return value;
}

function evaluateListOps(symbols: readonly string[]): number {
  const stack: (string | number)[] = [];
  for (const symbol of symbols) {
    if (symbol !== "]") {
      stack.push(symbol.startsWith("[") ? symbol : Number(symbol));
      continue;
    }
    const values: number[] = [];
    while (typeof stack.at(-1) === "number") values.push(stack.pop() as number);
    const sorted = values.sort((p, q) => p - q);
    const middle = (sorted.length - 1) / 2;
    const results: Record<string, number> = {
      "[MIN": sorted[0],
      "[MAX": sorted[sorted.length - 1],
      "[SM": sorted.reduce((sum, x) => sum + x, 0) % 10,
      "[MED": Math.floor((sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2),
    };
    stack.push(results[stack.pop() as string]);
  }
  expect(stack).toHaveLength(1);
  return stack[0] as number;
}
