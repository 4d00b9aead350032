import { mkdirSync } from "node:fs";
import { resolve } from "node:path";
import { chromium, type Browser, type BrowserContextOptions, type Page } from "playwright-core";
import { afterAll } from "vitest";

export const artifacts: string = resolve(import.meta.dirname, "../../artifacts");

/** Shaders zero their own workgroup memory, as on Metal and D3D12: SwiftShader compiles the Vulkan extension's zeroing 2.6 times as long. */
const quickCompiler = "--disable-dawn-features=use_vulkan_zero_initialize_workgroup_memory_extension";

/** Milliseconds that a test waits for what should be there: no law of speed, or a busy machine would fail it. */
export const patience = 120_000;

export function launch(more: readonly string[] = []): Promise<Browser> {
  return chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: ["--enable-unsafe-webgpu", "--no-sandbox", quickCompiler, ...more],
  });
}

export const desktop: BrowserContextOptions = { viewport: { width: 1280, height: 900 } };
export const phone: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
  hasTouch: true,
};

const BLOCKED = "Service Worker registration blocked by Playwright";

/** A page that remembers every error the browser reports, whatever its kind. */
export interface WatchedPage {
  readonly page: Page;
  readonly errors: string[];
}

export async function open(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = desktop,
): Promise<WatchedPage> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const errors: string[] = [];
  page.on("console", (message) => {
    if (message.text() === BLOCKED && options.serviceWorkers === "block") return;
    if (message.type() === "error" || message.type() === "warning") errors.push(`${message.type()}: ${message.text()}`);
  });
  page.on("pageerror", (error) => errors.push(`uncaught: ${error.message}`));
  page.on("response", (response) => {
    if (response.status() >= 400) errors.push(`${response.status()}: ${response.url()}`);
  });
  // the math font, which comes a moment after a page stands, at once: what lies below a formula would move under the test's hands
  await page.addInitScript(() =>
    document.addEventListener("DOMContentLoaded", () => (document.documentElement.dataset["math"] = "")),
  );
  await page.goto(url);
  await settled(page);
  return { page, errors };
}

/** Whatever an earlier document of the tab has remembered is gone before the next one's first line runs. */
const forget = (): void => {
  try {
    localStorage.clear();
    sessionStorage.clear();
  } catch {
    // a blank page has no storage
  }
};

/**
 * Opens address after address in one tab, each as a document of its own that finds nothing remembered: what a first visit sees, without
 * the profile and the processes of a new one, which take four times as long as the page. For pages that are looked at, not for what a
 * browser keeps (models, the service worker's files).
 */
export function visiting(
  browser: () => Browser,
  options: BrowserContextOptions = desktop,
): (url: string) => Promise<WatchedPage> {
  let opened: WatchedPage | undefined;
  afterAll(() => opened?.page.context().close());
  return async (url) => {
    if (opened === undefined) {
      opened = await open(browser(), url, { ...options, serviceWorkers: "block" });
      await opened.page.addInitScript(forget);
      return opened;
    }
    const { page, errors } = opened;
    await page.goto("about:blank"); // an address that differs after its # only would be the same document
    errors.length = 0;
    await page.goto(url);
    await settled(page);
    return opened;
  };
}

/**
 * Waits until the page stands and owes nothing: its parts are fetched, its figures computed, what it keeps is kept (src/shell/owed.ts).
 * What is read at once (a count, all texts) would find the state before that on a busy machine.
 */
export async function settled(page: Page): Promise<void> {
  await page.locator("h1").first().waitFor();
  await page.evaluate(async () => {
    // what a result sets off (a part that is shown now and asks for more) comes with the next frames
    for (let quiet = 0; quiet < 3; quiet++) {
      await new Promise(requestAnimationFrame);
      await document.fonts.ready;
      if (document.documentElement.dataset["owed"] !== undefined) quiet = -1;
    }
  });
}

/** A picture of the whole page for people to look at, where they ask for it (`PICTURES=1`): to draw one takes as long as to open the page. */
export async function shoot(page: Page, name: string): Promise<void> {
  if (process.env["PICTURES"] === undefined) return;
  mkdirSync(artifacts, { recursive: true });
  await page.screenshot({ path: resolve(artifacts, `${name}.png`), fullPage: true });
}
