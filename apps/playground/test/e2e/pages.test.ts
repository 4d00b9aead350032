import { type Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { desktop, launch, open, phone, shoot, visiting } from "../support/browser.ts";
import { titles } from "../support/pages.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

// English is looked at in light colours on a desktop, Chinese in dark ones on a phone: every page is seen in both of each
describe.each([
  ["en", "light", desktop],
  ["zh", "dark", phone],
] as const)("in %s, %s", (language, theme, device) => {
  const visit = visiting(() => browser, device);
  it.each(Object.keys(titles))("page %s opens, readable by everybody", async (id) => {
    const { page, errors } = await visit(`${inject("isolatedUrl")}#/${id}?lang=${language}&theme=${theme}`);
    await page.getByRole("heading", { level: 1, name: titles[id]![language], exact: true }).waitFor();
    expect(await page.evaluate(() => document.documentElement.lang)).toBe(language === "en" ? "en" : "zh-Hans");
    expect(await page.evaluate(() => document.documentElement.dataset["theme"])).toBe(theme);
    expect(await page.title()).toContain(titles[id]![language]);
    const widest = await page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(widest, "nothing sticks out sideways").toBeLessThanOrEqual(0);
    expect(await seriousFindings(page)).toEqual([]);
    await shoot(page, `${id}-${language}-${theme}`);
    expect(errors).toEqual([]);
  });
});

describe("the frame", () => {
  it("switches the language in place and remembers it", async () => {
    const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/hippo`);
    await page.getByTestId("language").selectOption("zh");
    await page.getByRole("heading", { level: 1, name: titles["hippo"]!.zh }).waitFor();
    await page.goto(`${inject("isolatedUrl")}#/scan`);
    await page.getByRole("heading", { level: 1, name: titles["scan"]!.zh }).waitFor();
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it("leads through all pages with its links alone", async () => {
    const { page } = await open(browser, inject("isolatedUrl"));
    for (const { en } of Object.values(titles)) {
      await page.getByRole("heading", { level: 1, name: en, exact: true }).waitFor();
      const next = page.locator(".ways .forward");
      if ((await next.count()) > 0) await next.click();
    }
    expect(new URL(page.url()).hash).toContain("ideas");
    await page.context().close();
  });

  it("loads under 300 kB", async () => {
    const context = await browser.newContext();
    const page = await context.newPage();
    const urls: string[] = [];
    page.on("response", (response) => urls.push(response.url()));
    await page.goto(`${inject("isolatedUrl")}#/selection`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.waitForLoadState("networkidle");
    const { gzipSync } = await import("node:zlib");
    const bodies = await Promise.all(
      urls.map(async (url) => gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length),
    );
    const total = bodies.reduce((sum, bytes) => sum + bytes, 0);
    expect(total).toBeGreaterThan(10_000);
    expect(total).toBeLessThan(300_000);
    await context.close();
  });
});
