import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { launch, open, phone, settled, shoot, visiting } from "../support/browser.ts";
import { titles } from "../support/pages.ts";

/** Pages told in steps: every step an address, a figure, a question that is answered before it is revealed. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const at = (address: string): string => `${inject("isolatedUrl")}#/${address}`;
const queryOf = (page: Page): URLSearchParams => new URLSearchParams(new URL(page.url()).hash.split("?")[1]);

describe("walks through its steps; each has its figure in sight and its own address:", () => {
  const visit = visiting(() => browser);
  const visitOther = visiting(() => browser, phone);
  it.each(Object.keys(titles).filter((id) => id !== "ideas"))("the story of %s", async (id) => {
    const { page, errors } = await visit(at(`${id}?lang=en`));
    await page.getByTestId("story-start").click();
    const seen: string[] = [];
    for (let step = 1; ; step++) {
      await page
        .getByTestId("story")
        .getByRole("heading", { name: `Step ${step} of` })
        .waitFor();
      expect(queryOf(page).get("story")).toBe(String(step));
      await settled(page);
      seen.push(page.url());
      const about = (await page.getByTestId("story").getAttribute("data-about"))!;
      await page.getByTestId(about).waitFor();
      expect(await page.getByTestId("story-reveal").innerText()).toBe("");
      await page.getByTestId("story-option-0").click();
      await expect.poll(() => page.getByTestId("story-reveal").innerText()).toMatch(/^(Yes|Not quite)\. /);
      expect(await page.getByTestId("story").locator("button.right").count()).toBe(1);
      const next = page.getByTestId("story-next");
      if ((await next.count()) === 0) break;
      await next.click();
    }
    expect(seen.length).toBeGreaterThanOrEqual(4);
    expect(await seriousFindings(page)).toEqual([]);
    // the address of a step, in a tab of another visitor, shows that step beside its figure
    const other = await visitOther(seen[1]!.replace("lang=en", "lang=zh"));
    await other.page.getByRole("heading", { name: /^第 2 步/ }).waitFor();
    await settled(other.page);
    const widest = await other.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
    );
    expect(widest).toBeLessThanOrEqual(0);
    expect(await seriousFindings(other.page)).toEqual([]);
    expect([...errors, ...other.errors]).toEqual([]);
  });
});

it("what a step is about stands in the window", async () => {
  const { page } = await open(browser, at("scan?lang=en&algorithm=tree&l=8&story=3"));
  await page.getByTestId("story").waitFor();
  await expect
    .poll(async () => {
      const figure = (await page.getByTestId("rounds").boundingBox())!;
      const card = (await page.getByTestId("story").boundingBox())!;
      return figure.y >= 0 && figure.y + figure.height <= card.y;
    })
    .toBe(true);
  await page.context().close();
});

it("goes on and back by the arrow keys, which stay with what has the focus", async () => {
  const { page, errors } = await open(browser, at("discretize?lang=en&story=1"));
  const step = (n: number): Promise<void> => page.getByRole("heading", { name: `Step ${n} of` }).waitFor();
  await step(1);
  for (const [key, n] of [
    ["ArrowRight", 2],
    ["ArrowRight", 3],
    ["ArrowLeft", 2],
  ] as const) {
    await page.keyboard.press(key);
    await step(n);
  }
  const slider = page.locator("input[type=range]").first();
  const before = await slider.inputValue();
  await slider.focus();
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => slider.inputValue()).not.toBe(before);
  await settled(page);
  expect(queryOf(page).get("story")).toBe("2");
  expect(errors).toEqual([]);
  await page.context().close();
});

it("remembers what was answered, and goes on where the visitor stopped", async () => {
  const { page } = await open(browser, at("why?lang=en"));
  await page.getByTestId("story-start").click();
  await page.getByTestId("story-option-2").click();
  await page.getByRole("link", { name: "Close the story" }).click();
  await page.getByTestId("story").waitFor({ state: "detached" });
  await page.reload();
  await page.getByText("1 of 4 questions answered").waitFor();
  await page.getByTestId("story-start").click();
  await page.getByRole("heading", { name: "Step 2 of 4" }).waitFor();
  await page.goBack();
  await page.getByTestId("story").waitFor({ state: "detached" });
  await page.context().close();
});

it("the index leads to every idea's step, and marks those that were answered", async () => {
  const { page, errors } = await open(browser, at("ideas?lang=en"));
  const links = page.locator("a[data-idea]");
  await expect.poll(async () => (await links.first().getAttribute("href")) ?? "").toContain("story=");
  for (const href of await links.evaluateAll((all) => all.map((each) => each.getAttribute("href")!)))
    expect(href).toMatch(/^#\/[\w-]+\?.*story=[1-6]/);
  const shown = (): Promise<string[]> =>
    links.evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset["idea"]!));
  await page.getByTestId("find").fill("small");
  await expect.poll(shown).toEqual(["smallDelta"]);
  await page.locator('a[data-idea="smallDelta"]').click();
  await page.getByRole("heading", { name: "Step 4 of 6" }).waitFor();
  expect(queryOf(page).get("knob")).toBe("2,0.05,2,0.05,2");
  await page.getByTestId("story-option-1").click();
  await expect.poll(() => page.getByTestId("story-reveal").innerText()).toContain("Yes.");
  await page.goBack();
  await page.locator('a[data-idea="smallDelta"]', { hasText: "(answered)" }).waitFor();
  await shoot(page, "ideas");
  expect(errors).toEqual([]);
  await page.context().close();
});

it("asks for an explanation before it shows what belongs in one", async () => {
  const { page, errors } = await open(browser, at("ideas?lang=en"));
  await expect.poll(() => page.getByTestId("show-points").isDisabled()).toBe(true);
  await page
    .getByTestId("explanation")
    .fill("Attention is quadratic. Mamba keeps a small state and selects: the step size depends on the token.");
  await page.getByTestId("show-points").click();
  const mentioned = page.locator("[data-point]", { hasText: "mentioned" });
  await expect
    .poll(() => mentioned.evaluateAll((all) => all.map((each) => (each as HTMLElement).dataset["point"])))
    .toEqual(["attentionCost", "state", "selection", "delta"]);
  await page.locator('[data-point="scan"]').getByRole("switch").check();
  await expect.poll(() => page.getByTestId("ticked").innerText()).toBe("1 of 11 ticked");
  expect(await seriousFindings(page)).toEqual([]);
  await page.reload();
  await expect.poll(() => page.getByTestId("explanation").inputValue()).toContain("quadratic");
  expect(errors).toEqual([]);
  await page.context().close();
});
