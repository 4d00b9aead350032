import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { launch, open, settled } from "../support/browser.ts";
import { titles } from "../support/pages.ts";

/** A word of the running text lights its part of the figure, and the part its word; by mouse, and by keys until it is let go. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

/** Parts of the figure that are lit, and words: what a visitor sees of them, an edge or a ground of the accent colour. */
const litParts = (page: Page): Promise<{ figure: string[]; words: string[] }> =>
  page.evaluate(() => {
    const probe = document.body.appendChild(document.createElement("i"));
    probe.style.color = "var(--accent)";
    const accent = getComputedStyle(probe).color;
    probe.style.color = "var(--accent-soft)";
    const soft = getComputedStyle(probe).color;
    probe.remove();
    const figure = [...document.querySelectorAll<HTMLElement>("[data-shows]")].filter((element) => {
      const { outlineColor, outlineStyle, stroke, fill } = getComputedStyle(element);
      return (outlineStyle === "solid" && outlineColor === accent) || stroke === accent || fill === accent;
    });
    const words = [...document.querySelectorAll<HTMLElement>(".word")].filter(
      (element) => getComputedStyle(element).backgroundColor === soft,
    );
    return {
      figure: [...new Set(figure.map((element) => element.dataset["shows"]!))],
      words: [...new Set(words.map((element) => element.dataset["lights"]!))],
    };
  });

it("on every page that has such words", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/state-space?lang=en`);
  for (const [id, parts] of Object.entries({
    "state-space": ["A", "B", "C", "D", "x"],
    bytes: ["sram", "dram"],
    ssd: ["scores", "mask", "product", "outputs"],
    why: ["map", "state"],
  })) {
    await page.evaluate((target) => (location.hash = `#/${target}?lang=en`), id);
    await page.getByRole("heading", { level: 1, name: titles[id]!.en, exact: true }).waitFor();
    await settled(page);
    await expect
      .poll(() =>
        page
          .locator(".word")
          .evaluateAll((all) => [...new Set(all.map((each) => (each as HTMLElement).dataset["lights"]))].toSorted()),
      )
      .toEqual(parts.toSorted());
    expect(await litParts(page)).toEqual({ figure: [], words: [] });
    for (const part of parts) {
      const word = page.locator(`.word[data-lights="${part}"]`).first();
      await word.hover();
      await expect.poll(() => litParts(page)).toEqual({ figure: [part], words: [part] });
    }
    // the reverse
    await page.locator(`[data-shows="${parts[1]}"]`).last().hover();
    await expect.poll(async () => (await litParts(page)).words).toEqual([parts[1]]);
    // by keys it stays, is told, and is looked at by everybody's checks
    const word = page.locator(`.word[data-lights="${parts[0]}"]`).first();
    await page.mouse.move(2, 2);
    await word.press("Enter");
    await expect.poll(() => litParts(page)).toEqual({ figure: [parts[0]], words: [parts[0]] });
    expect(await word.getAttribute("aria-pressed")).toBe("true");
    expect(await seriousFindings(page)).toEqual([]);
    // the next page begins unlit: what is held ends with its page
  }
  // One token, one block, whose parts stand in an equation and in code, too
  await page.evaluate(() => (location.hash = "#/block?lang=en"));
  await page.getByTestId("load").click();
  await page.getByTestId("wires").waitFor();
  await page.locator('.word[data-lights="gate"]').hover();
  const boxes = page.locator(".box.lit"); // the gate's SiLU, and where it multiplies
  await expect
    .poll(() => boxes.evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset["part"])))
    .toEqual(["gate", "gate"]);
  await expect.poll(() => page.locator(".code-line.lit").allInnerTexts()).toEqual(["y = y * silu(z)"]);
  expect(errors).toEqual([]);
  await page.context().close();
});
