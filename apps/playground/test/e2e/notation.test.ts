import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { launch, open, shoot } from "../support/browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const identifiers = (page: Page): Promise<string[]> => page.locator(".formula mi").allTextContents();

it("2 has a dictionary of letters; the switch changes formulas, symbols and words on all pages, and is remembered", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/state-space?lang=en`);
  const row = (name: string): Promise<string[]> =>
    page.getByTestId("dictionary").locator("tr", { hasText: name }).locator("td").allInnerTexts();
  expect(await row("the state")).toEqual(["x", "x", "h", "state"]);
  expect(await row("the input")).toEqual(["u", "u", "x", "u"]);
  expect(await identifiers(page)).toContain("u");
  await page.getByText("input u", { exact: true }).first().waitFor();

  await page.getByTestId("notation").getByText("state h, input x").click();
  expect(await row("the state")).toEqual(["h", "x", "h", "state"]);
  expect(await row("the input")).toEqual(["x", "u", "x", "u"]);
  const switched = await identifiers(page);
  expect(switched).toContain("h");
  expect(switched).toContain("x");
  expect(switched).not.toContain("u");
  await page.getByText("input x", { exact: true }).first().waitFor();
  await page.getByText("state h₁", { exact: true }).first().waitFor();
  expect(await page.locator(".symbol").allInnerTexts()).toContain("h");
  await shoot(page, "notation-hx");

  await page.locator("nav.contents a").nth(2).click();
  await page.getByTestId("edge").waitFor();
  expect(await page.locator(".prose").innerText()).toMatch(/hk\s*= Ā hk−1 \+ B̄ xk/);
  expect(await identifiers(page)).not.toContain("u");
  await page.goto(`${inject("isolatedUrl")}#/two-views?lang=zh`);
  await page.getByText("输入 x", { exact: true }).first().waitFor();
  await page.getByTestId("notation").locator("label").first().click();
  await page.getByText("输入 u", { exact: true }).first().waitFor();
  expect(await page.evaluate(() => document.body.textContent)).not.toMatch(/[𝑥𝑢]/u); // marks of the catalogues
  expect(errors).toEqual([]);
  await page.context().close();
});
