import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { desktop, launch, open, phone, shoot, type WatchedPage } from "../support/browser.ts";

/** One token through one block: each number shown follows from those shown before it. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const at = (address: string): string => `${inject("isolatedUrl")}#/block?lang=en&${address}`;
const numberIn = (text: string): number => Number(text.replaceAll("−", "-"));
const eq = async (page: Page, name: string): Promise<number> =>
  numberIn(await page.getByTestId(`eq-${name}`).innerText());
const silu = (x: number): number => x / (1 + Math.exp(-x));

/** Opens the page, and has the model fetched. */
async function openLoaded(where: string, device: BrowserContextOptions = desktop): Promise<WatchedPage> {
  const opened = await open(browser, at(where), device);
  await opened.page.getByTestId("load").click();
  await opened.page.getByTestId("equation").waitFor();
  return opened;
}

/** The projection, opened, gives the number on the wire: eight products shown, and what the others come to. */
async function productsAddUp(page: Page): Promise<void> {
  const table = page.getByTestId("products");
  await table.waitFor();
  const rows = (await table.locator("tbody tr").allInnerTexts()).map((row) => row.trim().split(/\s+/).map(numberIn));
  expect(rows).toHaveLength(8);
  const sizes = rows.map(([, , , product]) => Math.abs(product!));
  expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  for (const [, weight, input, product] of rows) near(product!, weight! * input!);
  const total = async (name: string): Promise<number> =>
    numberIn(await page.getByTestId(`products-${name}`).innerText());
  const [largest, others, v] = [await total("largest"), await total("others"), await total("v")];
  const scale = sizes.reduce((sum, size) => sum + size, 0);
  near(
    largest,
    rows.reduce((sum, [, , , product]) => sum + product!, 0),
    scale,
  );
  near(v, largest + others, Math.abs(largest) + Math.abs(others));
  const wire = (await page.getByTestId("wires").locator('[data-number="v"]').textContent())!.replace("v ", "");
  expect(Math.abs(numberIn(wire) - v)).toBeLessThanOrEqual(6e-3 * Math.abs(v)); // three digits stand on a wire
}

/** Numbers are shown with five digits. */
const near = (shown: number, expected: number, scale = Math.abs(expected)): void =>
  expect(Math.abs(shown - expected)).toBeLessThanOrEqual(2e-4 * Math.max(scale, 1e-4));

it.each(["t=2&layer=1&channel=3&n=1", "t=5&layer=4&channel=200&n=16", "t=7&layer=7&channel=512&n=8"])(
  "the equation's numbers follow from each other, %s",
  async (where) => {
    const { page, errors } = await openLoaded(where);
    await page.getByTestId("equation").waitFor();
    near(await eq(page, "u"), silu(await eq(page, "convolved")));
    near(await eq(page, "delta"), Math.log1p(Math.exp(await eq(page, "deltaRaw"))), 1);
    const [delta, A, ABar, B, u] = await Promise.all(["delta", "A", "ABar", "B", "u"].map((name) => eq(page, name)));
    near(ABar!, Math.exp(delta! * A!), 1);
    const [before, x] = [await eq(page, "before"), await eq(page, "x")];
    near(x, ABar! * before + delta! * B! * u!, Math.abs(before) + Math.abs(delta! * B! * u!));
    const [read, D, y] = [await eq(page, "read"), await eq(page, "D"), await eq(page, "y")];
    near(y, read + D * u!, Math.abs(read) + Math.abs(D * u!));
    const [gate, gated] = [await eq(page, "gate"), await eq(page, "gated")];
    near(gate, silu(await eq(page, "z")));
    near(gated, y * gate);
    await productsAddUp(page);
    expect(errors).toEqual([]);
    await page.context().close();
  },
);

it("the table of a channel adds up to the equation's y, and each row is one step of the recurrence", async () => {
  const { page, errors } = await openLoaded("t=4&zoom=channel&n=3");
  await page.getByTestId("channel").waitFor();
  const rows = (await page.getByTestId("channel").locator("tbody tr").allInnerTexts()).map((row) =>
    row.split(/\s+/).map(numberIn),
  );
  expect(rows).toHaveLength(16);
  let sum = 0;
  for (const [, ABar, before, kept, , written, after, C, reads] of rows as number[][]) {
    near(kept!, ABar! * before!);
    near(after!, kept! + written!, Math.abs(kept!) + Math.abs(written!));
    near(reads!, C! * after!);
    sum += reads!;
  }
  const scale = rows.reduce((total, row) => total + Math.abs(row[8]!), 0);
  near(numberIn(await page.getByTestId("channel-sum").innerText()), sum, scale);
  near(numberIn(await page.getByTestId("channel-y").innerText()), await eq(page, "y"));
  expect(await seriousFindings(page)).toEqual([]);
  await shoot(page, "block-channel");
  await page.getByTestId("channel").getByRole("button", { name: "5", exact: true }).click();
  const course = page.getByTestId("course");
  await course.waitFor();
  const steps = (await course.locator("tbody tr").allInnerTexts()).map((row) => row.split("\t").slice(1).map(numberIn));
  expect(steps[0]![2]).toBe(0);
  for (let t = 1; t < steps.length; t++) expect(steps[t]![2]).toBe(steps[t - 1]![5]); // before is what was after
  expect(await seriousFindings(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});

it("pointing at a symbol lights its box, its wire and its line of code, and the reverse", async () => {
  const { page, errors } = await openLoaded("t=3");
  await page.getByTestId("wires").waitFor();
  const litOf = async (selector: string): Promise<string[]> =>
    page
      .locator(`${selector}.lit`)
      .evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset["part"] ?? ""));
  await page.locator('.sym[data-part="gate"]').hover();
  expect(new Set(await litOf(".box"))).toEqual(new Set(["gate"]));
  expect(await litOf(".wire")).toEqual(["gate"]);
  expect(await page.locator(".code-line.lit").allInnerTexts()).toEqual(["y = y * silu(z)"]);
  await page.locator('.box[data-part="delta"]').hover();
  expect(await litOf(".sym")).toEqual(["delta"]);
  expect(await page.locator(".code-line.lit").innerText()).toContain("softplus");
  await page.locator(".code-line", { hasText: "silu(conv(v))" }).hover();
  expect(await litOf(".sym")).toEqual(["conv"]);
  // by keys: held until it is let go
  await page.locator('.sym[data-part="D"]').focus();
  await page.keyboard.press("Enter");
  await page.mouse.move(5, 5);
  expect(await page.locator(".code-line.lit").innerText()).toContain("D * u");
  await page.locator('.box[data-part="x"]').click();
  await page.getByTestId("channel").waitFor();
  expect(errors).toEqual([]);
  await page.context().close();
});

it("walks through a sentence of the visitor's; what comes later changes nothing before", async () => {
  const { page, errors } = await openLoaded("say=The%20old%20man&t=2&layer=3", phone);
  await page.getByTestId("equation").waitFor();
  const before = await page.getByTestId("equation").innerText();
  await page.getByTestId("say").fill("The old man and the sea");
  await expect.poll(() => page.getByTestId("chips").locator("button").count()).toBeGreaterThan(4);
  expect(await page.getByTestId("equation").innerText()).toBe(before);
  await page.getByTestId("chips").locator("button").nth(3).click();
  expect(await page.getByTestId("equation").innerText()).not.toBe(before);
  await page.getByTestId("zoom").getByText("the model").click();
  const adds = await page.getByTestId("tower").locator("output").allInnerTexts();
  expect(adds).toHaveLength(9);
  expect(await page.getByTestId("expected").locator("li").count()).toBe(5);
  const widest = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(widest).toBeLessThanOrEqual(0);
  expect(await seriousFindings(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});
