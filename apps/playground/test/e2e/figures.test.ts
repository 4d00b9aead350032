import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { launch, open, shoot, visiting, type WatchedPage } from "../support/browser.ts";

/** Every figure tells its numbers: under the pointer, on its scale, as a table. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const at = (address: string): string => `${inject("isolatedUrl")}#/${address}`;

const visit = (address: string): Promise<WatchedPage> => open(browser, at(address));
const look = visiting(() => browser);

describe.each([
  "state-space",
  "discretize",
  "two-views",
  "hippo",
  "s4",
  "selection",
  "induction",
  "your-model",
  "ssd",
  "mamba3",
  "hybrids",
])("%s", (id) => {
  it("each plot, picture and plane has a table, and the page stays readable by everybody with all of them open", async () => {
    const { page, errors } = await look(at(`${id}?lang=en`));
    const figures = await page.locator(".plot, .heat, .jar, svg[viewBox='-112 -112 224 224']").count();
    expect(figures).toBeGreaterThan(0);
    const buttons = page.locator(".as-table button");
    expect(await buttons.count()).toBe(figures);
    for (const button of await buttons.all()) {
      await button.click();
      const table = page.locator(`#${await button.getAttribute("aria-controls")} table`);
      expect(await table.locator("thead th").count()).toBeGreaterThan(1);
    }
    expect(await page.locator(".as-table td").first().innerText()).toMatch(/\d/);
    expect(await seriousFindings(page)).toEqual([]);
    expect(errors).toEqual([]);
  });
});

it("a plot's table holds the numbers that were computed, and the pointer shows them, too", async () => {
  const { page } = await visit("two-views?lang=en");
  const plot = page.locator(".plotted", { has: page.getByRole("img", { name: /^Output of both views/ }) });
  await plot.locator(".as-table button").click();
  const rows = (await plot.locator("tbody tr").allInnerTexts()).map((row) => row.split(/\s+/).map(Number));
  expect(rows).toHaveLength(64);
  expect(rows[30]![1]).toBeCloseTo(Number(await page.getByTestId("y-recurrence").innerText()), 4); // k is 30 at first
  for (const row of rows) expect(row[2]).toBeCloseTo(row[1]!, 4);
  expect(await plot.locator(".legend output").count()).toBe(0);
  await plot.scrollIntoViewIfNeeded();
  const box = (await plot.locator(".u-over").boundingBox())!;
  for (const share of [0.1, 0.5, 0.93]) {
    await page.mouse.move(box.x + share * box.width, box.y + 20);
    const place = async (): Promise<number> =>
      Number((await plot.locator(".legend li.quiet").allInnerTexts()).join("").replace(/\D+/, "") || "NaN");
    await expect.poll(async () => Math.abs((await place()) - share * 63)).toBeLessThan(1.1);
    const shown = await plot.locator(".legend output").allInnerTexts();
    expect(shown.map(Number)).toEqual(rows[await place()]!.slice(1));
  }
  await page.mouse.move(box.x + box.width / 2, box.y - 200);
  await expect.poll(() => plot.locator(".legend output").count()).toBe(0);
  await page.context().close();
});

it("a picture says what its colours mean, and what lies under the pointer", async () => {
  const { page } = await visit("hippo?lang=en&n=8&measure=legs");
  const picture = page.locator(".heated", { has: page.getByRole("img", { name: /^A, LegS, unscaled/ }) });
  // the last row of -A is 1 3 5 7 9 11 13 8
  expect(await picture.locator(".colorbar").innerText()).toMatch(/−13\s+13/);
  await picture.scrollIntoViewIfNeeded();
  const box = (await picture.locator("canvas").boundingBox())!;
  await page.mouse.move(box.x + (2.5 / 8) * box.width, box.y + (7.5 / 8) * box.height);
  await expect.poll(() => picture.locator(".under output").innerText()).toBe("row 8, column 3: -5");
  await picture.locator(".as-table button").click();
  expect((await picture.locator("tbody tr").nth(2).innerText()).split(/\s+/)).toEqual(
    "3 0 0 -3 -5 -5 -5 -5 -5".split(" "),
  );
  await page.context().close();
});

it("a plane of eigenvalues has numbers on its axes, and its table the eigenvalues", async () => {
  const { page } = await visit("s4?lang=en&init=lin&n=8");
  const plane = page.locator("figure", { has: page.locator("svg[viewBox='-112 -112 224 224']") }).first();
  const numbers = (await plane.locator("text.tick").allTextContents()).map((text) => Number(text.replace("−", "-")));
  expect(numbers.length).toBeGreaterThanOrEqual(8);
  expect(Math.max(...numbers)).toBe(8); // the box reaches to 3 pi
  await plane.locator(".as-table button").click();
  const rows = (await plane.locator("tbody tr").allInnerTexts()).map((row) => row.split(/\s+/).map(Number));
  expect(rows).toHaveLength(8);
  for (const [i, [re, im]] of rows.entries()) {
    expect(re).toBeCloseTo(-0.5, 4);
    expect(Math.abs(im!)).toBeCloseTo(Math.PI * (i >> 1), 2);
  }
  await page.context().close();
});

it("9 the pictures of all layers share one scale, which only grows", async () => {
  const { page, errors } = await visit("mamba?lang=en&tokens=30&temperature=0&pace=0");
  await page.getByTestId("load").click();
  await page.getByTestId("facts").waitFor();
  const scales = async (): Promise<number[]> =>
    page
      .locator("figure .colorbar")
      .evaluateAll((all) => all.map((bar) => Number((bar as HTMLElement).dataset["full"])));
  let before = 0;
  for (const go of ["write", "more", "more"]) {
    await page.getByTestId(go).click();
    await expect.poll(() => page.getByTestId("text").getAttribute("aria-busy")).toBe("false");
    const now = await scales();
    expect(now.length).toBeGreaterThan(1);
    expect(new Set(now).size).toBe(1);
    expect(now[0]).toBeGreaterThanOrEqual(before);
    before = now[0]!;
  }
  expect(before).toBeGreaterThan(0);
  await shoot(page, "mamba-one-scale");
  expect(errors).toEqual([]);
  await page.context().close();
});
