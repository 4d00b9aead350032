import type { Browser, Page } from "playwright-core";
import { describe, expect, inject, it } from "vitest";
import { launch, open, shoot } from "../support/browser.ts";
import { longestTask } from "../support/longestTask.ts";
import { savedReport } from "../support/savedReport.ts";

/**
 * Selection, The scan, Your model and Your machine on WebGPU (Mamba at work switches to it in its own test), with small settings:
 * in a test the device is emulated.
 * They run at the same time, each in a browser of its own, since a browser compiles one shader after another.
 */
async function onPage(address: string, visit: (page: Page, browser: Browser) => Promise<void>): Promise<void> {
  const browser = await launch();
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/${address}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await visit(page, browser);
  expect(errors).toEqual([]);
  await browser.close();
}

const texts = (page: Page, testid: string): Promise<string[]> => page.getByTestId(testid).locator("td").allInnerTexts();

describe.concurrent("on WebGPU", () => {
  it("7 Selection: Mamba trains, the page stays responsive, and stopping works", ({ expect }) =>
    onPage("selection?lang=en&len=16&backend=webgpu&size=small&against=nobody", async (page, browser) => {
      const note = page.locator(".stat", { hasText: "Mamba: letters right" });
      const lossAndStep = async (): Promise<{ loss: number; step: number }> => {
        const text = await note.innerText();
        return {
          loss: Number(/loss (\S+)/.exec(text)?.[1] ?? Number.NaN),
          step: Number(/step (\d+)/.exec(text)?.[1] ?? 0),
        };
      };
      let first = Number.NaN;
      const longest = await longestTask(browser, page, async () => {
        await page.getByTestId("start").click();
        await expect.poll(async () => (first = (await lossAndStep()).loss), { interval: 200 }).toBeGreaterThan(0);
        // it begins at about ln 8, the vocabulary; knowing that answers are letters and no noise is worth ln 8 - ln 6 = 0.29
        await expect.poll(async () => (await lossAndStep()).loss, { interval: 300 }).toBeLessThan(first - 0.25);
      });
      expect(longest).toBeLessThan(50); // milliseconds of the processor
      await page.getByTestId("stop").click();
      await page.getByTestId("start").waitFor();
      await expect.poll(() => page.getByTestId("answers-mamba").locator(".answer").count()).toBe(4);
      const stopped = await lossAndStep();
      expect(stopped.step).toBeGreaterThan(5);
      await page.waitForTimeout(1500);
      expect((await lossAndStep()).step).toBe(stopped.step);
      await shoot(page, "selection-webgpu");
    }));

  it("where the browser has none, the page says so and another backend can be taken", ({ expect }) =>
    onPage("selection?lang=en&len=16", async (page) => {
      await page.addInitScript(() => Reflect.deleteProperty(Navigator.prototype, "gpu"));
      await page.reload();
      expect(await page.getByTestId("no-webgpu").innerText()).toContain("does not offer WebGPU");
      expect(await page.getByTestId("backend").locator("input[value=webgpu]").isDisabled()).toBe(true);
      await page.getByTestId("backend").getByText("cpu", { exact: true }).click();
      expect(await page.getByTestId("backend").locator("input[value=cpu]").isChecked()).toBe(true);
    }));

  it("8 The scan: bytes and times of both forms", ({ expect }) =>
    onPage("scan?lang=zh&backend=webgpu&upto=64", async (page) => {
      await page.getByTestId("measure").click();
      const rows = page.getByTestId("measurements").locator("tbody tr");
      await expect.poll(() => rows.count()).toBe(1);
      const [l, , , naiveMs, fusedMs, , , difference] = await texts(page, "measurements");
      expect(l).toBe("64");
      expect(Number(fusedMs)).toBeGreaterThan(0);
      expect(Number(fusedMs)).toBeLessThan(Number(naiveMs)); // one launch against hundreds
      expect(Number(difference)).toBeLessThan(1e-4);
    }));

  it("Your model learns, and stops with what it learned", ({ expect }) =>
    onPage("your-model?lang=en&backend=webgpu&steps=400&width=32&layers=1&length=32", async (page) => {
      await page.getByTestId("own-example").click();
      await page.getByTestId("own-start").click();
      const bits = async (): Promise<number> => Number.parseFloat(await page.getByTestId("own-bits").innerText());
      await expect.poll(bits, { interval: 300 }).toBeGreaterThan(4.5); // it begins at about six, those who guess
      const first = await bits();
      await expect.poll(bits, { interval: 300 }).toBeLessThan(first - 0.25);
      await expect.poll(() => page.getByTestId("own-thumbnails").locator("canvas").count()).toBe(1);
      await page.getByTestId("own-stop").click();
      await page.getByTestId("own-facts-trained").waitFor();
    }));

  it("10 Your machine: every check passes and every timing is there", ({ expect }) =>
    onPage("machine?lang=en&check=webgpu&depth=quick", async (page) => {
      await page.getByTestId("run").click();
      await expect.poll(() => page.getByTestId("run").isVisible(), { timeout: 400_000, interval: 500 }).toBe(true);
      const cells = [...(await texts(page, "golden")), ...(await texts(page, "conformance"))];
      expect(cells.length).toBeGreaterThan(25);
      for (const cell of cells) expect(cell).toMatch(/^✓ [1-9]/);
      const [within, compared] = (await page.getByTestId("total").innerText()).split(" of ").map(Number) as [
        number,
        number,
      ];
      expect(within).toBe(compared);
      const timings = await texts(page, "timings");
      expect(timings).toHaveLength(4);
      for (const timing of timings) expect(Number.parseFloat(timing)).toBeGreaterThan(0);
      await shoot(page, "machine-webgpu");
    }));

  it("10 Your machine: cases drawn at random, with the card and its limits in the file", ({ expect }) =>
    onPage("machine?lang=en&check=webgpu&count=30", async (page) => {
      const { devices, rows } = (await savedReport(page)).report;
      expect(rows.reduce((sum, { cases }) => sum + cases, 0)).toBe(30);
      expect(rows.flatMap(({ faults }) => faults)).toEqual([]);
      expect(devices[0]!.limits!["maxComputeInvocationsPerWorkgroup"]).toBeGreaterThanOrEqual(256);
      expect(String(devices[0]!.traits!["name"])).toMatch(/swiftshader/i);
    }));
});
