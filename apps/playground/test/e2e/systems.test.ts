import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { launch, open } from "../support/browser.ts";

/** What a visitor types and what is said of a system. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

it("a matrix cell takes a number as it is typed, sign first", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/state-space?lang=en`);
  const cell = page.getByLabel("A 2,2");
  /** The number the address holds; it is not written there while it is the one the page starts with. */
  const held = (): Promise<number> =>
    page.evaluate(() =>
      Number((/abcd=([^&]*)/.exec(decodeURIComponent(location.hash))?.[1] ?? "0,1,-4,-0.4").split(",")[3]),
    );
  for (const typed of ["-0.4", "-0.05", "-2e-1", "0.125"]) {
    await cell.selectText();
    await cell.pressSequentially(typed);
    expect(await cell.inputValue()).toBe(typed);
    await expect.poll(async () => Math.abs((await held()) - Number(typed))).toBeLessThan(1e-6);
  }
  // left empty, the cell shows the number that holds
  await cell.fill("");
  await page.getByLabel("A 1,1").focus();
  expect(Number(await cell.inputValue())).toBe(0.125);
  expect(errors).toEqual([]);
  await page.context().close();
});

it("without damping a push swings for ever; the first view is calm and says where forward Euler will explode", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/discretize?lang=en`);
  const fate = (rule: string): Promise<string> => page.getByTestId(`stable-${rule}`).innerText();
  expect(await fate("forward")).toBe("stable");
  const edge = Number(/Δ = (\d\.\d+)/.exec(await page.getByTestId("edge").innerText())![1]);
  expect(edge).toBeCloseTo(0.15, 3); // A = (0 1; -4 -0.6): |1 + Δλ|² = 1 - 0.6 Δ + 4 Δ²
  expect((await page.getByTestId("edge").boundingBox())!.y).toBeLessThan(
    (await page.locator(".plot").first().boundingBox())!.y,
  );
  await page.goto(`${inject("isolatedUrl")}#/discretize?lang=en&delta=${edge - 0.002}`);
  await expect.poll(() => fate("forward")).toBe("stable");
  await page.goto(`${inject("isolatedUrl")}#/discretize?lang=en&delta=${edge + 0.002}`);
  await expect.poll(() => fate("forward")).toBe("explodes");
  await page.goto(`${inject("isolatedUrl")}#/discretize?lang=en&damping=0&delta=0.3`);
  await expect.poll(() => fate("zoh")).toBe("swings for ever");
  expect(await fate("bilinear")).toBe("swings for ever");
  expect(await fate("backward")).toBe("stable");
  expect(await fate("forward")).toBe("explodes");
  expect(errors).toEqual([]);
  await page.context().close();
});
