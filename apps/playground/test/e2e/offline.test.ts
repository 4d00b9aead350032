import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { desktop, launch, open, patience, settled } from "../support/browser.ts";
import { titles } from "../support/pages.ts";

/** The network may fail at any moment: what fails is told truthfully and can be tried again, and after one visit nothing needs it. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const dist = resolve(import.meta.dirname, "../../dist");
const heading = (page: Page, id: string): Promise<void> =>
  page.getByRole("heading", { level: 1, name: titles[id]!.en, exact: true }).waitFor();

/** A context whose requests can be made to fail; nothing is kept by a service worker, which would hide it. */
async function withFailing(
  visit: (page: Page, fail: (pattern: RegExp | undefined) => void) => Promise<void>,
): Promise<void> {
  const context: BrowserContext = await browser.newContext({ ...desktop, serviceWorkers: "block" });
  let failing: RegExp | undefined;
  await context.route("**/*", (route) => (failing?.test(route.request().url()) ? route.abort() : route.continue()));
  const page = await context.newPage();
  await page.goto(`${inject("isolatedUrl")}#/state-space?lang=en`);
  await heading(page, "state-space");
  await visit(page, (pattern) => (failing = pattern));
  await context.close();
}

describe("a part that cannot be fetched", () => {
  it("is told, does not spoil the other pages, and comes when it is asked for again", () =>
    withFailing(async (page, fail) => {
      fail(/assets\/page-/);
      await page.locator("nav.contents a").nth(2).click();
      expect(await page.getByRole("alert").innerText()).toContain("could not be fetched");
      await page.locator("nav.contents a").nth(1).click(); // one that is there already
      await heading(page, "state-space");
      expect(await page.getByRole("alert").count()).toBe(0);
      await page.locator("nav.contents a").nth(2).click();
      await page.getByRole("alert").waitFor();
      fail(undefined);
      await page.getByRole("alert").getByRole("button").click();
      await heading(page, "discretize");
    }));

  it.each([
    ["the engine's program", /engine\.worker/],
    ["a part of it", /hippoApi/],
  ])("%s likewise", (_, pattern) =>
    withFailing(async (page, fail) => {
      fail(pattern);
      await page.locator("nav.contents a").nth(4).click();
      await heading(page, "hippo");
      await page.getByRole("alert").waitFor();
      expect(await page.getByRole("alert").innerText()).toContain("could not be fetched");
      fail(undefined);
      await page.getByRole("alert").getByRole("button").click();
      await expect.poll(() => page.getByTestId("error-legs").innerText()).toMatch(/^0\.\d+$/);
      // it is there now, and pages that come back share it
      await page.locator("nav.contents a").nth(1).click();
      await heading(page, "state-space");
      fail(pattern);
      await page.locator("nav.contents a").nth(4).click();
      await expect.poll(() => page.getByTestId("error-legs").innerText()).toMatch(/^0\.\d+$/);
    }),
  );
});

it("after one visit the whole tour works without a network", async () => {
  const { page } = await open(browser, `${inject("plainUrl")}#/state-space?lang=en`);
  await page.locator('[data-testid="offline"][data-complete="true"]').waitFor();
  await page.close();
  const context = browser.contexts().at(-1)!;
  await context.setOffline(true);
  const later = await context.newPage();
  const errors: string[] = [];
  later.on("pageerror", (error) => errors.push(error.message));
  await later.goto(`${inject("plainUrl")}#/why?lang=en&upto=512`);
  for (const id of Object.keys(titles)) {
    await later.locator("nav.contents a").nth(Object.keys(titles).indexOf(id)).click();
    await heading(later, id);
    if (id === "hippo") await expect.poll(() => later.getByTestId("error-legs").innerText()).toMatch(/^0\.\d+$/);
    if (id === "selection") {
      await later.getByTestId("start").click();
      await expect.poll(() => later.locator(".stat").first().innerText()).toContain("step");
    }
    if (id === "mamba") {
      await later.getByTestId("load").click();
      await later.getByTestId("facts").waitFor();
      await later.getByTestId("write").click();
      await expect.poll(async () => Number(await later.getByTestId("position").innerText())).toBeGreaterThan(6);
    }
    if (id === "your-model") {
      await later.getByTestId("own-example").click();
      await later.getByTestId("own-start").click();
      await expect.poll(() => later.getByTestId("own-sample").count()).toBeGreaterThan(0);
      await later.getByTestId("own-stop").click();
    }
    if (id === "machine") {
      await later.goto(`${inject("plainUrl")}#/machine?lang=en&depth=quick`);
      await later.getByTestId("run").click();
      await expect.poll(() => later.getByTestId("golden").locator("td").allInnerTexts()).toHaveLength(6);
      for (const cell of await later.getByTestId("golden").locator("td").allInnerTexts())
        expect(cell).toMatch(/^✓ [1-9]/);
    }
  }
  await later.reload();
  await heading(later, Object.keys(titles).at(-1)!);
  expect(errors).toEqual([]);
  await context.close();
});

it("a new build is another version, with every file of its own in the list", () => {
  const text = readFileSync(resolve(dist, "sw.js"), "utf8");
  expect(text).toMatch(/VERSION = "[0-9a-f]{12}"/);
  for (const file of readdirSync(resolve(dist, "assets")).filter((name) => /\.(js|css)$/.test(name)))
    expect(text).toContain(`"assets/${file}"`);
  expect(text).toContain("model.safetensors");
});

it("a backend is one file, whichever page asks for it", () => {
  const large = readdirSync(resolve(dist, "assets"))
    .filter((name) => name.endsWith(".js"))
    .map((name) => ({ name, text: readFileSync(resolve(dist, "assets", name), "utf8") }))
    .filter(({ text }) => text.length > 40_000);
  expect(large.length).toBeGreaterThan(2);
  for (const { name, text } of large) {
    const piece = text.slice(text.length / 2, text.length / 2 + 1000);
    expect(large.filter((other) => other.text.includes(piece)).map((other) => other.name)).toEqual([name]);
  }
});

/** Bytes that a context was sent so far, compressed as a host would; each address once. What a page makes for itself (`blob:`) was not sent. */
function weighing(context: BrowserContext, which = /^http/): () => Promise<number> {
  const urls = new Set<string>();
  context.on("response", (response) => which.test(response.url()) && urls.add(response.url()));
  return async () => {
    const bodies = await Promise.all(
      [...urls].map(async (url) => gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length),
    );
    return bodies.reduce((sum, bytes) => sum + bytes, 0);
  };
}

describe("what is sent", () => {
  it.each(Object.keys(titles))(
    "the first load is at most 60 kB, %s with what it computes on opening, or by itself while one reads, at most 150 kB",
    async (id) => {
      const context = await browser.newContext({ ...desktop, serviceWorkers: "block" });
      context.setDefaultTimeout(patience);
      const page = await context.newPage();
      // what Why measures once nothing has happened for a while waits until its first load is weighed
      await page.addInitScript(() => {
        const natural = window.requestIdleCallback.bind(window);
        const held: IdleRequestCallback[] = [];
        window.requestIdleCallback = (act) => held.push(act);
        Object.assign(window, {
          goIdle: () => {
            window.requestIdleCallback = natural;
            for (const act of held) natural(act);
          },
        });
      });
      const weigh = weighing(context);
      await page.goto(`${inject("isolatedUrl")}#/${id}?lang=en`);
      await heading(page, id);
      await settled(page);
      if (id === "why") expect(await weigh()).toBeLessThan(60_000);
      await page.evaluate(() => (window as unknown as { goIdle: () => void }).goIdle());
      if (id === "why") await page.locator('[data-testid="costs"][data-done="true"]').waitFor();
      await page.waitForLoadState("networkidle");
      const total = await weigh();
      expect(total).toBeGreaterThan(10_000);
      expect(total).toBeLessThan(150_000);
      await context.close();
    },
  );

  it.each(["wasm", "webgpu"] as const)("what a button says it fetches is what comes: %s", async (backend) => {
    const context = await browser.newContext({ ...desktop, serviceWorkers: "block" });
    context.setDefaultTimeout(patience);
    const page = await context.newPage();
    const weigh = weighing(context, /^http.*\.js$/); // a font may come at any moment
    await page.goto(`${inject("isolatedUrl")}#/why?lang=en&upto=512&backend=${backend}`);
    await page.locator('[data-testid="costs"][data-done="true"]').waitFor();
    const before = await weigh();
    const said = Number(/fetches (\d+) kB/.exec(await page.getByTestId("measure").innerText())![1]) * 1000;
    await page.getByTestId("measure").click();
    await expect.poll(async () => (await weigh()) - before, { timeout: patience }).toBeGreaterThan(0.85 * said);
    await page.waitForLoadState("networkidle");
    expect((await weigh()) - before).toBeLessThan(1.15 * said);
    await context.close();
  });
});
