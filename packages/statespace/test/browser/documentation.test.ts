import { expect, it, vi } from "vitest";

/** Programs of the documentation's reference that need a page around them. */
const programs = import.meta.glob("../../../../apps/docs/examples/*.page.ts", {}) as unknown as Record<
  string,
  () => Promise<unknown>
>;

it.each(Object.entries(programs))("%s runs, and prints", async (_, load) => {
  const printed = vi.spyOn(console, "log");
  await load();
  expect(printed.mock.calls).toEqual([['{"n_layer": 2}'], [3, "bytes, kept over a reload"], [3, 1], [3, 1]]);
});

it("there are such programs", () => expect(Object.keys(programs).length).toBeGreaterThan(0));
