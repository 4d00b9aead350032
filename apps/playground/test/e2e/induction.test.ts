import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { launch, open, shoot } from "../support/browser.ts";

/** Questions and answers of the visitor's, learned in the tab, asked later. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it("shows the visitor's pairs in the sequence, and keeps them in the address", async () => {
  const { page, errors } = await open(
    browser,
    `${inject("isolatedUrl")}#/induction?lang=en&qa=Ann%3Dred%3BBob%3Dblue&asked=2`,
  );
  const tokens = async (): Promise<string[]> => page.getByTestId("sequence").locator("span").allInnerTexts();
  const before = (await tokens()).slice(0, -1);
  expect(before).toHaveLength(48);
  expect(before.at(-1)).toBe("Bob");
  expect(before[before.indexOf("Ann") + 1]).toBe("red");
  await page.getByTestId("answer-1").fill("green");
  await page.getByTestId("answer-1").press("Enter");
  await page.getByTestId("answer-1").blur();
  await expect.poll(tokens).toContain("green");
  await expect.poll(() => decodeURIComponent(page.url())).toContain("qa=Ann=green;Bob=blue");
  expect(await seriousFindings(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});

it("attention learns in the tab, answers a pair that it never saw, and is asked after longer texts", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/induction?lang=en`);
  await page.getByTestId("learn").click();
  await expect
    .poll(async () => Number.parseFloat(await page.getByTestId("right-attention").innerText()), { timeout: 400_000 })
    .toBeGreaterThan(98);
  await page.getByTestId("stop").click();
  const row = page.getByTestId("answers").locator("tbody tr").nth(2);
  const best = async (): Promise<number> => {
    const shares = (await row.locator("td").allInnerTexts()).map(Number.parseFloat);
    return shares.indexOf(Math.max(...shares));
  };
  const right = async (): Promise<number> =>
    (await page.getByTestId("answers").locator("thead th").allInnerTexts()).findIndex((name) => name.includes("✓"));
  await expect.poll(async () => (await best()) === (await right())).toBe(true);
  await page.getByTestId("asked").getByText("dog").click();
  await expect.poll(async () => (await best()) === (await right()) && (await right()) === 1).toBe(true);
  await page.getByTestId("measure").click();
  await expect
    .poll(async () => Number((await page.getByTestId("lengths").getAttribute("data-count")) ?? 0), { timeout: 400_000 })
    .toBeGreaterThan(4);
  expect(await seriousFindings(page)).toEqual([]);
  await shoot(page, "induction");
  expect(errors).toEqual([]);
  await page.context().close();
});
