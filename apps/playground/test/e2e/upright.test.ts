import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { desktop, launch, phone, shoot, visiting } from "../support/browser.ts";
import { titles } from "../support/pages.ts";

let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());
const onPhone = visiting(() => browser, phone);
const onDesk = visiting(() => browser, desktop);
const at = (rest: string): string => `${inject("isolatedUrl")}#/${rest}`;

/** What is wrong with the pictures of a page for who holds it upright: those that must be moved sideways, words that are small, cut off or on one another. */
const faults = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const found: string[] = [];
    for (const lane of document.querySelectorAll(".lane"))
      if (lane.scrollWidth > lane.clientWidth + 1) found.push(`moves sideways: ${lane.getAttribute("aria-label")}`);
    for (const svg of document.querySelectorAll<SVGSVGElement>(".lane svg")) {
      const frame = svg.getBoundingClientRect();
      const texts = [...svg.querySelectorAll<SVGTextElement>("text")].filter(({ textContent }) => textContent !== "");
      const boxes = texts.map((text) => text.getBoundingClientRect());
      for (const [i, text] of texts.entries()) {
        const size = Number.parseFloat(getComputedStyle(text).fontSize) * text.getScreenCTM()!.a;
        if (size < 11) found.push(`small: ${text.textContent} ${size.toFixed(1)}`);
        const own = boxes[i]!;
        if (own.left < frame.left - 1 || own.right > frame.right + 1 || own.bottom > frame.bottom + 1)
          found.push(`cut off: ${text.textContent}`);
        for (const [j, other] of boxes.entries())
          if (j < i && own.left < other.right - 1 && other.left < own.right - 1)
            if (own.top < other.bottom - 3 && other.top < own.bottom - 3)
              found.push(`on one another: ${text.textContent} and ${texts[j]!.textContent}`);
      }
    }
    return found;
  });

describe("on a phone held upright", () => {
  it.each([
    "state-space?lang=en",
    "state-space?lang=zh&input=sine&skip=on&abcd=0,1,-40,-0.4,10,-10,10,-10,0.5",
    "scan?lang=en&l=8&round=0&algorithm=tree",
    "scan?lang=en&l=16&round=7&algorithm=tree",
    "scan?lang=zh&l=32&round=31&algorithm=sequential",
    "scan?lang=en&l=32&round=11&algorithm=chunked",
  ])("no picture of %s must be moved sideways, and its words can be read", async (address) => {
    const { page } = await onPhone(at(address));
    await page.locator(".lane svg").first().waitFor();
    expect(await faults(page)).toEqual([]);
    await shoot(page, `upright-${address.replaceAll(/\W+/g, "-")}`);
  });

  it("the picture of signals says what the broad one says", async () => {
    const signals = async (page: Page): Promise<string[]> => {
      const texts = page.getByTestId("flow").locator("[data-signal]");
      await expect.poll(() => texts.count()).toBe(8);
      return texts.allTextContents();
    };
    const address = at("state-space?lang=en&input=step");
    const names = (texts: string[]): string[] => texts.map((text) => text.replaceAll(/[−\d.]+/g, "#"));
    const tall = names(await signals((await onPhone(address)).page));
    expect(tall).toEqual(names(await signals((await onDesk(address)).page)));
  });

  it("the numbers of the scan stand below its picture: those of the broad one's last row", async () => {
    const address = at("scan?lang=en&l=8&round=3&algorithm=tree");
    const { page: small } = await onPhone(address);
    const list = small.getByTestId("elements").locator("li");
    await expect.poll(() => list.allInnerTexts()).toHaveLength(8);
    const numbers = (await list.allInnerTexts()).map((text) => text.split(/\s+/));
    const { page: large } = await onDesk(address);
    const drawn = large.locator(".lane.stays text[text-anchor=middle]");
    await expect.poll(() => drawn.count()).toBe(4 * 8 * 2);
    expect(numbers.flatMap(([, a, b]) => [`a ${a}`, b])).toEqual((await drawn.allTextContents()).slice(-16));
    // after the way up the ends of whole trees have their last values: 1, 2, 4 and 8
    expect(await small.locator(".elements .final").allInnerTexts()).toHaveLength(4);
  });
});

describe("files are asked for in the page's words", () => {
  it.each([
    ["en", "your-model", "own-file", "Choose a file A text file", "none chosen yet"],
    ["zh", "your-model", "own-file", "选择文件 文本文件", "尚未选择"],
    ["en", "mamba", "files", "Choose files Files of a local folder", "none chosen yet"],
    ["zh", "mamba", "files", "选择多个文件 本机文件夹中的文件", "尚未选择"],
  ] as const)("%s, %s: by keyboard, and what was chosen is said", async (language, id, testid, name, none) => {
    const { page } = await onDesk(at(`${id}?lang=${language}`));
    await page.getByRole("heading", { level: 1, name: titles[id]![language] }).waitFor();
    if (id === "mamba") await page.locator("details:has([data-testid=files]) > summary").click();
    const button = page.getByRole("button", { name, exact: true });
    await button.focus();
    const chosen = page.getByTestId(`${testid}-chosen`);
    expect(await chosen.getAttribute("role")).toBe("status");
    expect(await chosen.innerText()).toBe(none);
    const [chooser] = await Promise.all([page.waitForEvent("filechooser"), page.keyboard.press("Enter")]);
    expect(chooser.isMultiple()).toBe(id === "mamba");
    await chooser.setFiles({
      name: "words.txt",
      mimeType: "text/plain",
      buffer: Buffer.from("so it goes ".repeat(80)),
    });
    await expect.poll(() => chosen.innerText()).toBe("words.txt");
  });

  it("no control of the browser's own is shown on any page that takes files", async () => {
    for (const id of ["your-model", "mamba"]) {
      const { page } = await onDesk(at(`${id}?lang=zh`));
      const inputs = page.locator("input[type=file]");
      await expect.poll(() => inputs.count()).toBeGreaterThan(0);
      for (const input of await inputs.all()) expect(await input.isHidden()).toBe(true);
    }
  });
});
