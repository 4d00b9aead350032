import { describe, expect, it } from "vitest";
import type { Place } from "../../src/pages/ideas/concepts.ts";
import { pretendDocument } from "../support/document.ts";

pretendDocument();

const { stories } = await import("../../src/story/stories.ts");
const { CONCEPTS, POINTS } = await import("../../src/pages/ideas/concepts.ts");
const { messages } = await import("../../src/pages/ideas/messages.ts");
const { roundsOf } = await import("../../src/pages/scan/compute/rounds.ts");
const { jarOf } = await import("../../src/pages/selection/jar.ts");

describe.each(Object.entries(stories))("the story of %s", (_, load) => {
  it("has 4 to 6 steps, each with a question that has one right answer", async () => {
    const { steps, words } = await load();
    expect(steps.length).toBeGreaterThanOrEqual(4);
    expect(steps.length).toBeLessThanOrEqual(6);
    const said = words();
    expect(said).toHaveLength(steps.length);
    for (const [i, { options, ask, say, reveal }] of said.entries()) {
      expect(steps[i]!.answer).toBeGreaterThanOrEqual(0);
      expect(steps[i]!.answer).toBeLessThan(options.length);
      expect(new Set(options).size).toBe(options.length);
      for (const text of [ask, say, reveal]) expect(text.length).toBeGreaterThan(8);
    }
  });

  it("does not always put the right answer at one place", async () => {
    const { steps } = await load();
    expect(new Set(steps.map(({ answer }) => answer)).size).toBeGreaterThan(1);
  });
});

describe("the index of ideas", () => {
  const places: [string, Place][] = [
    ...Object.values(CONCEPTS).flatMap((section) => Object.entries(section)),
    ...Object.entries(POINTS),
  ];
  it.each(places)("%s has a step that tells it", async (_, { page, step }) => {
    const { steps } = await stories[page]!();
    expect(step).toBeGreaterThanOrEqual(1);
    expect(step).toBeLessThanOrEqual(steps.length);
  });

  it("names every idea", () => {
    const names: Readonly<Record<string, string>> = messages().concepts;
    const wanted = Object.values(CONCEPTS).flatMap((section) => Object.keys(section));
    expect(Object.keys(names).toSorted()).toEqual(wanted.toSorted());
  });
});

describe("numbers that stories tell", () => {
  it("a loop over 8 elements takes 7 rounds, the tree 5, and two more when the length doubles", () => {
    expect(roundsOf("sequential", 8, 4)).toHaveLength(7);
    for (const l of [8, 16, 32]) expect(roundsOf("tree", l, 4)).toHaveLength(2 * Math.log2(l) - 1);
  });

  it("with delta 1 each word is 63 % of the jar after it, and the last is the most", () => {
    const { steps, shares } = jarOf([1, 1, 1, 1, 1]);
    expect(Math.round(100 * steps[0]!.written)).toBe(63);
    expect(Math.round(100 * steps[0]!.kept)).toBe(37);
    expect(shares.indexOf(Math.max(...shares))).toBe(4);
  });
});
