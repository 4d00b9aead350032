import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { launch, open, phone, shoot } from "../support/browser.ts";

/** Where the bytes go: parcels that add up, and times that were predicted from them. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const megabytes = (text: string): number => Number.parseFloat(text) * (text.includes("kB") ? 1e-3 : 1);

it("the kernels' bytes add up to the total, and the switches take parcels away", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/bytes?lang=en&l=2048`);
  const bytes = async (): Promise<number[]> =>
    page
      .getByTestId("parcels")
      .locator("output")
      .evaluateAll((all) => all.map((each) => Number((each as HTMLElement).dataset["bytes"])));
  const moved = async (): Promise<number> => megabytes(await page.getByTestId("moved").innerText());
  const expectSum = async (): Promise<void> => {
    const sum = (await bytes()).reduce((total, each) => total + each, 0) / 1e6;
    expect(Math.abs((await moved()) - sum)).toBeLessThan(0.06);
  };
  expect(await bytes()).toHaveLength(3);
  await expectSum();
  const before = await moved();
  await page.getByTestId("fused").click();
  expect(await bytes()).toHaveLength(1);
  await expectSum();
  expect(await moved()).toBeLessThan(before / 10);
  await page.getByTestId("training").click();
  const kept = megabytes(await page.getByTestId("kept").innerText());
  expect(kept).toBeCloseTo((4 * 2048 * 64 * 16) / 1e6, 1);
  await page.getByTestId("recompute").click();
  expect(megabytes(await page.getByTestId("kept").innerText())).toBeCloseTo(kept / 64, 2);
  await expectSum();
  expect(new URL(page.url()).hash).toContain("bytes");
  expect(await seriousFindings(page)).toEqual([]);
  await shoot(page, "bytes-recomputed");
  expect(errors).toEqual([]);
  await page.context().close();
});

it("times are predicted from the measured bandwidth and then measured", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/bytes?lang=en&l=1024`);
  await page.getByTestId("measure").click();
  await expect.poll(() => page.getByTestId("measured").locator("tbody tr").count()).toBe(5);
  const gigabytes = Number.parseFloat(await page.getByTestId("bandwidth").innerText());
  expect(gigabytes).toBeGreaterThan(0.2);
  for (const row of await page.getByTestId("measured").locator("tbody tr").all()) {
    const [bytes, arithmetic, transfer, predicted, measured, ratio] = await row.locator("td").allInnerTexts();
    // 1 MB at 1 GB/s is 1 ms; the bandwidth is shown with one digit behind the point
    expect(Number(transfer)).toBeCloseTo(megabytes(bytes!) / gigabytes, gigabytes > 2 ? 0 : -1);
    expect(Number(predicted)).toBeCloseTo(Number(arithmetic) + Number(transfer), 1);
    expect(Number(ratio)).toBeCloseTo(Number(measured) / Number(predicted), 1);
  }
  await shoot(page, "bytes-measured");
  expect(errors).toEqual([]);
  await page.context().close();
});

it("fits a phone in Chinese", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/bytes?lang=zh&theme=dark&training=on`, phone);
  await page.getByTestId("parcels").waitFor();
  const widest = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(widest).toBeLessThanOrEqual(0);
  expect(await seriousFindings(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});
