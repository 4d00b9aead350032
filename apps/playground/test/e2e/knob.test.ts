import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { launch, open, phone } from "../support/browser.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** What the page says the jar holds, in percent: five words and what is empty. */
async function held(page: Page): Promise<number[]> {
  const said = await page.getByTestId("jar").innerText();
  return [...said.matchAll(/(\d+\.\d) %/g)].map(([, share]) => Number(share));
}

it("the jar holds what the knobs say, and small steps let the fillers pass", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/selection?lang=en`);
  const shares = (deltas: readonly number[]): number[] => {
    const left = (s: number): number => Math.exp(-deltas.slice(s + 1).reduce((sum, delta) => sum + delta, 0));
    return [...deltas.map((delta, s) => 100 * (1 - Math.exp(-delta)) * left(s)), 100 * left(-1)];
  };
  const expectHeld = (deltas: readonly number[]): Promise<void> =>
    expect
      .poll(async () => (await held(page)).map((share, i) => Math.abs(share - shares(deltas)[i]!) < 0.051))
      .toEqual(Array(6).fill(true));
  await expectHeld([1, 1, 1, 1, 1]);
  await page.getByTestId("knob-chosen").click();
  await expectHeld([2, 0.05, 2, 0.05, 2]);
  const [cat, um] = await held(page);
  expect(um!).toBeLessThan(1);
  expect(cat!).toBeGreaterThan(um!);
  // one knob by the keyboard: the slider's end
  await page.getByTestId("knob-1").focus();
  await page.keyboard.press("End");
  await expectHeld([2, 4, 2, 0.05, 2]);
  await expect.poll(() => page.evaluate(() => location.hash)).toContain("knob=");
  expect(await seriousFindings(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});

it("fits a phone in Chinese, and an address that makes no sense starts as the page does", async () => {
  const { page, errors } = await open(
    browser,
    `${inject("isolatedUrl")}#/selection?lang=zh&theme=dark&knob=9,x`,
    phone,
  );
  await page.getByTestId("jar").waitFor();
  expect((await held(page)).reduce((sum, share) => sum + share, 0)).toBeCloseTo(100, 0);
  const widest = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(widest).toBeLessThanOrEqual(0);
  expect(await seriousFindings(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});
