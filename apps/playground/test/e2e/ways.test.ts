import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { desktop, launch, open, phone, visiting } from "../support/browser.ts";
import { titles } from "../support/pages.ts";

/** Getting about: the view stays while one works with it, pages open where one expects, controls are in sight. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const scrolled = (page: Page): Promise<number> => page.evaluate(() => scrollY);
const heading = (page: Page, id: string): Promise<void> =>
  page.getByRole("heading", { level: 1, name: titles[id]!.en, exact: true }).waitFor();

it("a control whose value lives in the address leaves the view where it is", async () => {
  const { page } = await open(browser, `${inject("isolatedUrl")}#/s4?lang=en`);
  await heading(page, "s4");
  await page.getByTestId("target").scrollIntoViewIfNeeded();
  await page.evaluate(() => scrollBy(0, 200));
  const before = await scrolled(page);
  expect(before).toBeGreaterThan(300);
  await page.getByTestId("target").getByText("a tone").click();
  await expect.poll(() => page.url()).toContain("target=ringing");
  expect(await scrolled(page)).toBe(before);
  await page.context().close();
});

it("a link opens a page at its top and tells it; going back finds the place that was left, and what was set there", async () => {
  const { page } = await open(browser, `${inject("isolatedUrl")}#/hippo?lang=en`);
  await heading(page, "hippo");
  await page.getByTestId("measure").getByText("LegT").scrollIntoViewIfNeeded();
  await page.getByTestId("measure").getByText("LegT").click();
  await page.locator(".ways .forward").scrollIntoViewIfNeeded();
  const left = await scrolled(page);
  expect(left).toBeGreaterThan(500);
  await page.locator(".ways .forward").click(); // at once, before the address has followed
  await heading(page, "s4");
  await expect.poll(() => scrolled(page)).toBe(0);
  expect(await page.evaluate(() => document.activeElement?.textContent)).toBe(titles["s4"]!.en);
  expect(await page.getByTestId("announced").innerText()).toBe(titles["s4"]!.en);
  await page.goBack();
  await heading(page, "hippo");
  await expect.poll(async () => Math.abs((await scrolled(page)) - left)).toBeLessThan(3);
  expect(await page.getByTestId("measure").locator("input[value=legt]").isChecked()).toBe(true);
  await page.goForward();
  await heading(page, "s4");
  await expect.poll(() => scrolled(page)).toBe(0);
  await page.context().close();
});

describe("on a phone", () => {
  const visit = visiting(() => browser, phone);
  it.each(Object.keys(titles))("a control of %s stands on the first screen", async (id) => {
    const { page } = await visit(`${inject("isolatedUrl")}#/${id}?lang=en`);
    await heading(page, id);
    const first = page.locator(".panel").locator("input, button, select").first();
    const box = (await first.boundingBox())!;
    expect(box.y + box.height).toBeLessThan(phone.viewport!.height);
    // the text is folded, not gone
    await page.locator("details.prose summary").click();
    expect(await page.locator("details.prose p").first().isVisible()).toBe(true);
  });

  it("the text stands open where there is room", async () => {
    const { page } = await open(browser, `${inject("isolatedUrl")}#/why?lang=en`, desktop);
    await heading(page, "why");
    expect(await page.locator(".prose p").first().isVisible()).toBe(true);
    expect(await page.locator(".prose summary").count()).toBe(0);
    await page.context().close();
  });
});
