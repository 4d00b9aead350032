import type { Browser, BrowserContextOptions, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { launch, open, phone, settled, shoot, type WatchedPage } from "../support/browser.ts";
import { titles } from "../support/pages.ts";

/** What holds for the controls and figures of all pages: sizes for fingers, figures beside their sliders, every colour scheme, after every interaction. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const at = (address: string): string => `${inject("isolatedUrl")}#/${address}`;
const ids = Object.keys(titles);

/** Everything a finger can press, with its size in CSS pixels; a choice's target is its label, and a link within a sentence is as high as its line. */
function targets(page: Page): Promise<{ what: string; width: number; height: number }[]> {
  return page.evaluate(() => {
    const inSentence = (element: Element): boolean =>
      element.tagName === "A" &&
      getComputedStyle(element).display === "inline" &&
      element.closest("p, li, td") !== null;
    return [
      ...document.querySelectorAll<HTMLElement>(
        "a[href], button, input:not([type=hidden]), select, textarea, summary, [role=button], [data-place]",
      ),
    ]
      .filter((element) => element.checkVisibility() && !inSentence(element) && !element.matches(".skip"))
      .map((element) => {
        const target = element.matches("[type=radio], [type=checkbox]") ? element.closest("label")! : element;
        const { width, height } = target.getBoundingClientRect();
        const what = `${element.tagName.toLowerCase()} ${element.dataset["testid"] ?? (element.getAttribute("aria-label") ?? target.textContent).slice(0, 40)}`;
        return { what, width, height };
      });
  });
}

/** Walks through the pages in one tab, as a visitor does: what they share is fetched once. */
function walking(options: BrowserContextOptions): (address: string) => Promise<WatchedPage> {
  let opened: WatchedPage | undefined;
  afterAll(() => opened?.page.context().close());
  return async (address) => {
    if (opened === undefined) opened = await open(browser, at(address), options);
    else {
      opened.errors.length = 0;
      const hash = `#/${address}`;
      // a second try finds the page as the first has left it
      if (decodeURIComponent(new URL(opened.page.url()).hash).startsWith(hash)) await opened.page.reload();
      else await opened.page.evaluate((to) => (location.hash = to), hash);
    }
    const { page } = opened;
    const title = titles[address.split("?")[0]!]!.en;
    await page.getByRole("heading", { level: 1, name: title, exact: true }).waitFor();
    await settled(page);
    return opened;
  };
}

describe("at 390 px", () => {
  const visit = walking(phone);
  it.each(ids)("every control of %s is 24 pixels wide and high at least", async (id) => {
    const { page } = await visit(`${id}?lang=en`);
    await expect.poll(async () => (await targets(page)).length).toBeGreaterThan(20);
    await page.evaluate(() => {
      for (const details of document.querySelectorAll<HTMLDetailsElement>("article details")) details.open = true;
    });
    expect((await targets(page)).filter(({ width, height }) => width < 23.9 || height < 23.9)).toEqual([]);
  });
});

/** Share of an element's height that stands in the window. */
const inSight = (figure: Locator): Promise<number> =>
  figure.evaluate((element) => {
    const { top, bottom, height } = element.getBoundingClientRect();
    return (Math.min(bottom, innerHeight) - Math.max(top, 0)) / height;
  });

describe("on a phone a figure stays in sight while its sliders are moved", () => {
  const visit = walking(phone);
  it.each([
    ["state-space?input=hand", ".panel:has([data-testid=A])", "> .plotted"],
    ["discretize", ".panel:has([data-testid=delta]) ", "> .plotted"],
    ["two-views", ".panel:has([data-testid=k])", "> .plotted"],
    ["hippo", ".panel:has([data-testid=n])", "> .plotted"],
    ["s4", ".panel:has([data-testid=n])", "> .opens > .stays"],
    ["s4", ".panel:has([data-testid=lag])", "> .plotted"],
    ["selection", ".panel:has([data-testid=knob-0])", "> .jar"],
    ["scan", ".panel:has([data-testid=round])", "> .lane"],
    ["bytes", ".panel:has([data-testid=moved])", "> .stats.stays"],
    ["mamba3", ".panel:has([data-testid=turn])", "> .stats.stays"],
    ["ssd", ".panel:has([data-testid=chunk])", "> .stays"],
    ["hybrids", ".panel:has([data-testid=pairs])", "> .plotted"],
    ["hybrids", ".panel:has([data-testid=layers])", "> .plotted"],
    ["why", ".panel:has([data-testid=written])", "> .opens > .stays"],
  ] as const)("%s %s", async (address, panelAt, figureAt) => {
    const { page, errors } = await visit(`${address}${address.includes("?") ? "&" : "?"}lang=en`);
    const panel = page.locator(panelAt).first();
    await panel.waitFor();
    const figure = panel.locator(`:scope ${figureAt}`).first();
    await figure.waitFor();
    const sliders = panel.locator("input[type=range]");
    await expect.poll(() => sliders.count()).toBeGreaterThan(0);
    for (const slider of await sliders.all()) {
      await expect
        .poll(async () => {
          await slider.evaluate((element) => element.scrollIntoView({ block: "center", behavior: "instant" }));
          const free = await slider.evaluate((element) => {
            const { left, width, top, height } = element.getBoundingClientRect();
            return document.elementFromPoint(left + width / 2, top + height / 2) === element;
          });
          return free ? inSight(figure) : -1;
        })
        .toBeGreaterThan(0.9);
    }
    expect(errors).toEqual([]);
  });
});

/** Uses every control of a page: choices, switches, sliders, tables and code; what starts long work, downloads or leaves the page is left alone. */
async function useAll(page: Page, after: () => Promise<void>): Promise<void> {
  const kinds = [
    "article details > summary",
    "article .choice:not([data-testid=backend]) input:not(:disabled) + span",
    "article .toggle input:not(:disabled)",
    "article input[type=range]",
    "article .as-table button",
  ];
  for (const kind of kinds) {
    let used = 0;
    for (const control of (await page.locator(`${kind}:visible`).elementHandles()).slice(0, 24)) {
      // what another one has taken away or folded in since is not there to be used
      if (!(await control.isVisible())) continue;
      await control.evaluate((element) =>
        (element as HTMLElement).scrollIntoView({ block: "center", behavior: "instant" }),
      );
      if (kind.includes("range")) await control.press("ArrowRight");
      else await control.click();
      used++;
      if (process.env["AXE"] === "every") await after();
    }
    if (used > 0) await after(); // where there is no control of a kind, nothing has changed
  }
}

const wide: BrowserContextOptions = { viewport: { width: 1440, height: 900 } };
const middle: BrowserContextOptions = { viewport: { width: 820, height: 1180 } };
/** Every width, both colours, and colours that the system dictates; `AXE=every` looks after each single interaction, and at all of them in both colours. */
const looks: Readonly<Record<string, readonly [BrowserContextOptions, string]>> = {
  "1440 light": [wide, "light"],
  "820 dark": [middle, "dark"],
  "390 dark, forced colours": [{ ...phone, forcedColors: "active", colorScheme: "dark" }, "dark"],
  ...(process.env["AXE"] === "every"
    ? {
        "1440 dark": [wide, "dark"] as const,
        "820 light": [middle, "light"] as const,
        "390 light": [phone, "light"] as const,
        "390 dark": [phone, "dark"] as const,
        "1440 light, forced colours": [{ ...wide, forcedColors: "active" as const }, "light"] as const,
      }
    : {}),
};

describe.each(Object.entries(looks))("after every kind of interaction, %s", (name, [options, theme]) => {
  const visit = walking(options);
  it.each(ids.filter((id) => id !== "ideas"))("%s is readable by everybody", async (id) => {
    const { page, errors } = await visit(`${id}?lang=en&theme=${theme}`);
    await expect.poll(() => page.locator("article .panel").count()).toBeGreaterThan(0);
    expect(await seriousFindings(page)).toEqual([]);
    await useAll(page, async () => expect(await seriousFindings(page)).toEqual([]));
    if (name.includes("forced")) await shoot(page, `${id}-forced`);
    expect(errors).toEqual([]);
  });
});

it("where the system dictates colours, series keep theirs and what is chosen has an edge", async () => {
  const { page } = await open(browser, at("hybrids?lang=en"), {
    forcedColors: "active",
    viewport: { width: 1280, height: 900 },
  });
  await page.locator(".legend svg path").first().waitFor({ state: "attached" }); // a line that lies has no height
  const strokes = await page
    .locator(".panel")
    .first()
    .locator(".legend svg path[stroke]")
    .evaluateAll((paths) => [...new Set(paths.map((path) => getComputedStyle(path).stroke))]);
  expect(strokes).toHaveLength(3);
  const current = page.locator(".contents a[aria-current]");
  expect(await current.evaluate((link) => getComputedStyle(link).outlineStyle)).toBe("solid");
  await page.context().close();
});

it("formulas are set in the math font, which is fetched where the device has none", async () => {
  const { page, errors } = await open(browser, at("state-space?lang=en"));
  await page.locator("math").first().waitFor();
  await page.locator("math").first().scrollIntoViewIfNeeded();
  await expect
    .poll(() =>
      page.evaluate(
        () =>
          [...document.fonts].filter(({ family, status }) => family.includes("Page Math") && status === "loaded")
            .length,
      ),
    )
    .toBe(1);
  // brackets of a matrix grow with it: a font without a MATH table cannot do that
  const [bracket, letter] = await page.evaluate(() => {
    const matrix = document.querySelector("mtable")!.closest("mrow")!;
    return [matrix.querySelector("mo")!, matrix.querySelector("mtd mi, mtd mn")!].map(
      (each) => each.getBoundingClientRect().height,
    );
  });
  expect(bracket).toBeGreaterThan(1.6 * letter!);
  expect(errors).toEqual([]);
  await page.context().close();
});
