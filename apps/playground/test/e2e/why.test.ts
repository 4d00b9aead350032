import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { desktop, launch, open, shoot } from "../support/browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const numbersIn = async (page: Page): Promise<number[]> => {
  const plot = page.getByTestId("costs");
  await plot.locator(".as-table button").click();
  const cells = await plot.locator("tbody td").allInnerTexts();
  await plot.locator(".as-table button").click();
  return cells.filter((cell) => cell !== "").map(Number);
};

it("1 arrives with recorded curves, and measures by itself on the small backend while one reads; slopes are fitted and have their spread", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/why?lang=en&upto=512`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  const before = await numbersIn(page);
  expect(before.length).toBeGreaterThan(4 * 5);
  expect(await page.getByTestId("standing").innerText()).toMatch(/recorded earlier, on .* cpu\./);
  expect(await page.getByTestId("measure").innerText()).toBe("Measure on wasm (fetches 140 kB)");
  await page.locator('[data-testid="costs"][data-done="true"]').waitFor();
  expect((await numbersIn(page)).length).toBeGreaterThan(before.length);
  expect(await page.getByTestId("standing").innerText()).toContain("your machine on cpu");
  for (const kind of ["attention", "gru", "s4d", "mamba"]) {
    const slope = await page.locator(".stat", { has: page.getByTestId(`doubling-${kind}`) }).innerText();
    expect(slope).toMatch(/l\^-?\d\.\d\d ± \d\.\d\d/);
    const growth = await page.locator(".stat", { has: page.getByTestId(`growth-${kind}`) }).innerText();
    const [low, high] = /between (\S+) and (\S+)/.exec(growth)!.slice(1).map(Number);
    const middle = Number.parseFloat(await page.getByTestId(`growth-${kind}`).innerText());
    expect(low).toBeLessThanOrEqual(middle + 0.06);
    expect(high).toBeGreaterThanOrEqual(middle - 0.06);
  }
  await shoot(page, "why-by-itself");
  await page.getByTestId("measure").click();
  await expect.poll(() => page.getByTestId("standing").innerText()).toContain("your machine on wasm");
  expect(await page.getByTestId("standing").innerText()).toMatch(/recorded earlier, on .* wasm\./);
  expect(await page.getByTestId("measure").innerText()).toBe("Measure on wasm");
  expect(errors).toEqual([]);
  await page.context().close();
});

it("1 does not measure where downloads should be spared", async () => {
  const context = await browser.newContext({ ...desktop, serviceWorkers: "block" });
  const page = await context.newPage();
  await page.addInitScript(() =>
    Object.defineProperty(Navigator.prototype, "connection", { get: () => ({ saveData: true }), configurable: true }),
  );
  await page.goto(`${inject("isolatedUrl")}#/why?lang=en&upto=512`);
  await page.getByTestId("standing").waitFor();
  await page.waitForTimeout(4000);
  expect(await page.getByTestId("costs").getAttribute("data-done")).toBe("false");
  expect(await page.getByTestId("standing").innerText()).toContain("when you ask for it");
  expect(await page.getByTestId("offline").getByRole("button").isVisible()).toBe(true);
  await context.close();
});
