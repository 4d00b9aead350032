import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { launch, open } from "../support/browser.ts";

/** What is drawn and written is there and true. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const at = (address: string): string => `${inject("isolatedUrl")}#/${address}`;

/** Height in CSS pixels of what a plot draws in a colour of the style sheet. */
function heightOf(page: Page, label: RegExp, tone: string): Promise<number> {
  return page
    .getByRole("img", { name: label })
    .locator("canvas")
    .evaluate((element, name) => {
      const canvas = element as HTMLCanvasElement;
      const hex = getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
      const wanted = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16));
      const { width, height } = canvas;
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, width, height);
      const rows = new Set<number>();
      for (let i = 0; i < width * height; i++)
        if (wanted.every((value, c) => Math.abs(data[4 * i + c]! - value) < 25)) rows.add(Math.floor(i / width));
      return (rows.size === 0 ? 0 : Math.max(...rows) - Math.min(...rows)) / devicePixelRatio;
    }, tone);
}

it.each([20, 30, 45, 63])("4 the bars of the convolution can be seen, k = %i", async (k) => {
  const { page } = await open(browser, at(`two-views?lang=en&k=${k}`));
  await expect.poll(() => heightOf(page, /As a convolution: their product/, "attention")).toBeGreaterThan(30);
  await page.context().close();
});

it("8 each element shows its a and its b, and each order of merging its cost", async () => {
  const { page, errors } = await open(browser, at("scan?lang=en&l=8&round=0&algorithm=tree"));
  const texts = await page.locator(".lane svg text").allTextContents();
  expect(texts.filter((text) => /^a 0\.\d\d$/.test(text))).toHaveLength(8);
  expect(texts.filter((text) => /^-?\d\.\d\d$/.test(text))).toHaveLength(8);
  const cells = await page.getByTestId("costs").locator("tr", { hasText: "32" }).first().locator("td").allInnerTexts();
  expect(cells).toEqual(["31 rounds, 31 merges", "9 rounds, 57 merges", "11 rounds, 52 merges"]);
  expect(await page.getByTestId("costs").innerText()).not.toContain("NaN");
  expect(errors).toEqual([]);
  await page.context().close();
});

it("9 says from which token on the cache is the larger, and it is", async () => {
  const { page } = await open(browser, at("mamba?lang=en"));
  await page.getByTestId("load").click();
  await page.getByTestId("facts").waitFor();
  const note = await page.getByText(/the cache is the larger of the two/).innerText();
  const from = Number(/From (\d+) tokens/.exec(note)![1]);
  const [, layers, width] = /(\d+) layers, width (\d+)/.exec(await page.getByTestId("facts").innerText())!.map(Number);
  const state = 1000 * Number.parseFloat(await page.getByTestId("state-bytes").innerText());
  const token = 4 * 2 * layers! * width!;
  expect(from * token).toBeGreaterThan(state + 100); // the state is shown to a tenth of a kB
  expect((from - 1) * token).toBeLessThanOrEqual(state + 100);
  await page.context().close();
});

it("7 says how large the networks are that race", async () => {
  const { page } = await open(browser, at("selection?lang=en&size=small"));
  await page.getByText("2 layers, width 16, 8 states a channel").waitFor();
  await page.getByTestId("size").getByText("usual").click();
  await page.getByText("2 layers, width 32, 16 states a channel").waitFor();
  await page.context().close();
});
