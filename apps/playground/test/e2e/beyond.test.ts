import { readFileSync } from "node:fs";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { launch, open, shoot } from "../support/browser.ts";

/** The pages past Mamba, and the code beside the figures. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const at = (address: string): string => `${inject("isolatedUrl")}#/${address}`;
const numbers = (row: string): number[] => row.split("\t").slice(1).map(Number);

it("Mamba-2: what is shown of M times the input is what is shown of the recurrence", async () => {
  const { page, errors } = await open(browser, at("ssd?lang=en&l=6&chunk=4"));
  const [matrix, recurrence, chunks] = (await page.getByTestId("outputs").locator("tbody tr").allInnerTexts()).map(
    numbers,
  );
  expect(matrix).toHaveLength(6);
  expect(recurrence).toEqual(matrix);
  expect(chunks).toEqual(matrix);
  const grid = async (name: string): Promise<number[][]> =>
    (await page.getByTestId(`grid-${name}`).locator("tbody tr").allInnerTexts()).map(numbers);
  // framed are the pairs of one chunk: 4 x 5 / 2 of the first, 2 x 3 / 2 of the second
  await expect.poll(() => page.getByTestId("grid-product").locator("td.framed").count()).toBe(13);
  const [scores, mask, product] = [await grid("scores"), await grid("mask"), await grid("product")];
  product.forEach((row, t) =>
    row.forEach((value, s) => s <= t && expect(value).toBeCloseTo(scores[t]![s]! * mask[t]![s]!, 1)),
  );
  expect(await seriousFindings(page)).toEqual([]);
  await shoot(page, "ssd");
  expect(errors).toEqual([]);
  await page.context().close();
});

it("Mamba-3: the turning state is right about every bit, and follows the visitor's", async () => {
  const { page, errors } = await open(browser, at("mamba3?lang=en"));
  expect(await page.getByTestId("right").innerText()).toBe("10 / 10");
  await page.getByTestId("bits").fill("11101");
  await expect.poll(() => page.getByTestId("right").innerText()).toBe("5 / 5");
  const rows = await page.getByTestId("turns").locator("tbody tr").allInnerTexts();
  expect(rows.map((row) => row.split("\t")[1])).toEqual(["1", "2", "3", "3", "4"]);
  expect(rows.map((row) => row.split("\t")[5])).toEqual(["odd", "even", "odd", "odd", "even"]);
  const error = async (id: string): Promise<number> => Number(await page.getByTestId(id).innerText());
  expect(await error("error-half")).toBeLessThan((await error("error-one")) / 4);
  expect(await seriousFindings(page)).toEqual([]);
  await shoot(page, "mamba3");
  expect(errors).toEqual([]);
  await page.context().close();
});

it("hybrids: the cache follows the layers of attention", async () => {
  const { page, errors } = await open(browser, at("hybrids?lang=en&attention=2&l=1024"));
  expect(await page.getByTestId("cache").innerText()).toBe("8.4 MB"); // 2 layers x 2 x 1024 x 1024 x 2 bytes
  expect(await page.getByTestId("stack").locator("li.attention").count()).toBe(2);
  expect(Number.parseFloat(await page.getByTestId("attention-right").innerText())).toBeGreaterThan(95);
  expect(await seriousFindings(page)).toEqual([]);
  await shoot(page, "hybrids");
  expect(errors).toEqual([]);
  await page.context().close();
});

describe("code beside a figure", () => {
  it("has the visitor's numbers, in both languages, and can be taken along", async () => {
    const { page, errors } = await open(browser, at("selection?lang=en&knob=3,0.1,2,0.05,1"));
    await page.getByTestId("code").locator("summary").click();
    const text = page.getByTestId("code-text");
    expect(await text.innerText()).toContain("const deltas = [3, 0.1, 2, 0.05, 1];");
    await page.getByTestId("code-language").getByText("numpy").click();
    expect(await text.innerText()).toContain("deltas = np.array([3, 0.1, 2, 0.05, 1])");
    await expect.poll(() => page.url()).toContain("code=numpy");
    const [notebook] = await Promise.all([page.waitForEvent("download"), page.getByTestId("code-ipynb").click()]);
    expect(notebook.suggestedFilename()).toBe("delta-jar.ipynb");
    const told = JSON.parse(readFileSync(await notebook.path(), "utf8")) as { cells: { source: string[] }[] };
    expect(told.cells[0]!.source.join("")).toBe((await text.innerText()).trimEnd());
    expect(await seriousFindings(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it.each(["why", "discretize", "hippo", "scan", "ssd", "mamba3"])("%s has it, readable by everybody", async (id) => {
    const { page, errors } = await open(browser, at(`${id}?lang=zh`));
    await page.getByTestId("code").locator("summary").click();
    expect((await page.getByTestId("code-text").innerText()).split("\n").length).toBeGreaterThan(8);
    expect(await seriousFindings(page)).toEqual([]);
    expect(errors).toEqual([]);
    await page.context().close();
  });
});
