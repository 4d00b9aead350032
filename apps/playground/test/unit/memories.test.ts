import { describe, expect, it } from "vitest";
import { attentionMap, KEPT, recurrentStates, vectorOf, wordsOf } from "../../src/pages/why/compute/attentionMap.ts";
import { run, scriptedInput } from "../../src/pages/stateSpace/compute.ts";
import { flowAt } from "../../src/pages/stateSpace/flow.ts";

describe("1 two memories of a sentence", () => {
  const words = wordsOf("the cat sat because the cat was tired", 10);

  it("each row of the map is the softmax of what its word has in common with those before", () => {
    const map = attentionMap(words, 4);
    expect(map.map((row) => row.length)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    for (const [t, row] of map.entries()) {
      expect(row.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 12);
      const score = (s: number): number =>
        4 * vectorOf(words[t]!).reduce((sum, v, i) => sum + v * vectorOf(words[s]!)[i]!, 0);
      for (let s = 1; s <= t; s++) expect(Math.log(row[s]! / row[0]!)).toBeCloseTo(score(s) - score(0), 10);
    }
    // the second "cat" looks at the first as much as at itself, and at nothing more
    expect(map[5]![1]).toBeCloseTo(map[5]![5]!, 12);
    expect(Math.max(...map[5]!)).toBeCloseTo(map[5]![1]!, 12);
  });

  it("a state has the same size after each word, and is made of the one before and the word alone", () => {
    const states = recurrentStates(words);
    for (const state of states) expect(state).toHaveLength(KEPT);
    const cut = recurrentStates(words.slice(0, 3));
    expect(cut[2]).toEqual(states[2]);
    expect(states[1]).not.toEqual(states[5]); // the same word after another past
  });

  it("cuts Chinese into characters", () => expect(wordsOf("猫坐下因为猫累了", 4)).toEqual(["猫", "坐", "下", "因"]));
});

it("2 what the picture of signals shows is A x, B u, C x and D u of the run, and adds up", () => {
  const numbers = { A: [0, 1, -4, -0.4], B: [0.5, 1], C: [1, -2], D: [0.5] };
  const told = run(numbers, scriptedInput("sine"));
  for (const k of [0, 17, 200, 359]) {
    const flow = flowAt(numbers, told, k);
    const [x1, x2] = [told.x1[k]!, told.x2[k]!];
    expect(flow.Ax).toEqual([x2, -4 * x1 - 0.4 * x2]);
    expect(flow.Bu).toEqual([0.5 * told.u[k]!, told.u[k]!]);
    flow.change.forEach((value, i) => expect(value).toBe(flow.Ax[i]! + flow.Bu[i]!));
    expect(flow.Cx + flow.Du).toBeCloseTo(told.y[k]!, 12);
    expect(flow.y).toBeCloseTo(told.y[k]!, 12);
  }
});
