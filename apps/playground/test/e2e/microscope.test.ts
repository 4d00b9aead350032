import { resolve } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend } from "@statespace/core";
import { load } from "@statespace/models";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { launch, open, phone } from "../support/browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const TEXT = "The state of the Union is strong";
const checkpoint = resolve(import.meta.dirname, "../../../../packages/statespace/checkpoint");

it("shows what the model expected, how surprised it was, and a way from there; the numbers are the library's", async () => {
  const { page, errors } = await open(
    browser,
    `${inject("isolatedUrl")}#/mamba?lang=en&look=${encodeURIComponent(TEXT)}`,
  );
  await page.getByTestId("load").click();
  const chips = page.getByTestId("chips").getByRole("button");
  await expect.poll(() => chips.count()).toBeGreaterThan(5);

  await setBackend(cpuBackend());
  const lm = await load(checkpoint);
  const ids = lm.tokenizer!.encode(TEXT);
  expect(await chips.count()).toBe(ids.length);
  // the mean surprise in bits is the logarithm of the perplexity
  const bits = (await chips.locator("small").allInnerTexts()).map((words) => Number.parseFloat(words)).slice(1);
  const { perplexity } = await lm.inspect(TEXT, { perplexity: true });
  const mean = bits.reduce((sum, value) => sum + value, 0) / bits.length;
  expect(Math.abs(mean - Math.log2(perplexity!))).toBeLessThan(0.06); // each is shown to a tenth

  // what it expects after a prefix is what it writes after it
  for (const length of [2, 5]) {
    await chips.nth(length - 1).click();
    const first = page.getByTestId("candidates").locator("tbody tr").first();
    const expected = await lm.complete(ids.slice(0, length), { maxNewTokens: 1, greedy: true });
    await expect
      .poll(async () => (await first.getByRole("button").innerText()).replaceAll("␣", " ").trim())
      .toBe(expected.trim());
  }
  const percents = async (which: string): Promise<number[]> =>
    (await page.getByTestId("candidates").locator(`[data-${which}]`).allInnerTexts()).map(Number.parseFloat);
  const shares = await percents("expected");
  expect(shares).toEqual([...shares].sort((a, b) => b - a));

  // the bars follow the sampler before anything is drawn: what the temperature makes of the ratios, then top-k, then top-p
  const set = async (slider: string, value: number): Promise<void> => {
    await page.getByTestId(`look-${slider}`).fill(String(value));
  };
  await set("temperature", 0.5);
  await expect
    .poll(async () => {
      const chances = await percents("chance");
      return Math.abs(chances[0]! / chances[1]! / (shares[0]! / shares[1]!) ** 2 - 1);
    })
    .toBeLessThan(0.05);
  await set("topk", 3);
  await expect
    .poll(async () => (await percents("chance")).map((chance) => chance > 0))
    .toEqual(shares.map((_, i) => i < 3));
  expect((await percents("chance")).reduce((sum, chance) => sum + chance, 0)).toBeCloseTo(100, 0);
  expect(await page.getByTestId("drawable").innerText()).toMatch(/^3 of \d+ tokens/);
  await set("topp", 0.05);
  await expect.poll(() => percents("chance")).toEqual(shares.map((_, i) => (i === 0 ? 100 : 0)));
  expect(await page.getByTestId("write-topk").inputValue()).toBe("3"); // writing draws by the same settings

  // no token reads a later one, and each reads itself
  await page.getByRole("button", { name: "As a table: What reads what" }).click();
  const told = page.getByRole("group", { name: "What reads what" }).locator("tbody tr");
  await expect.poll(() => told.count()).toBe(ids.length);
  const rows = await told.evaluateAll((list) =>
    list.map((row) => [...row.children].slice(1).map((cell) => Number(cell.textContent))),
  );
  rows.forEach((row, read) =>
    row.forEach((value, reader) => {
      if (reader < read) expect(value).toBe(0);
      if (reader === read) expect(value).toBeGreaterThan(0);
    }),
  );

  // another way: the text ends at the token, and goes on with the candidate
  await chips.nth(2).click();
  const candidate = page.getByTestId("candidates").locator("tbody tr").nth(3).getByRole("button");
  const word = (await candidate.innerText()).replaceAll("␣", " ");
  await candidate.click();
  await expect.poll(() => page.getByTestId("look").inputValue()).toBe(lm.tokenizer!.decode(ids.slice(0, 3)) + word);
  await expect.poll(() => chips.count()).toBe(4);
  expect(await seriousFindings(page)).toEqual([]);
  lm.dispose();
  expect(errors).toEqual([]);
  await page.context().close();
}, 120_000);

it("fits a phone, and an empty text shows nothing", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/mamba?lang=zh&theme=dark`, phone);
  await page.getByTestId("load").click();
  await page.getByTestId("chips").waitFor();
  const widest = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(widest).toBeLessThanOrEqual(0);
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByTestId("look").fill("");
  await expect.poll(() => page.getByTestId("chips").count()).toBe(0);
  expect(errors).toEqual([]);
  await page.context().close();
}, 120_000);
