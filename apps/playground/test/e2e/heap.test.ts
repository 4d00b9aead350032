import type { Browser, CDPSession, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { launch, open } from "../support/browser.ts";
import { titles } from "../support/pages.ts";

/**
 * What the page holds while one reads, computes and trains for long. By default a few rounds; `HEAP_MINUTES=10 pnpm vitest run --project "playground e2e" heap`
 * goes on for so long, and prints what it saw.
 */
let browser: Browser;
beforeAll(async () => {
  // JavaScript compiled a second and third time, ever faster, lies in the same heap, for as long as it pleases the browser: without it there is
  // what pages hold, and nothing else
  browser = await launch(["--js-flags=--no-opt --no-maglev --no-sparkplug --no-lazy-feedback-allocation"]);
});
afterAll(() => browser.close());

const minutes = Number(process.env["HEAP_MINUTES"] ?? 0);
const ROUNDS = 4;

interface Held {
  /** Bytes of the page's own objects. */
  readonly bytes: number;
  readonly nodes: number;
  readonly listeners: number;
}

/** What the page holds, rubbish swept out. */
async function held(session: CDPSession): Promise<Held> {
  await session.send("HeapProfiler.enable");
  for (let i = 0; i < 3; i++) await session.send("HeapProfiler.collectGarbage");
  const { usedSize } = (await session.send("Runtime.getHeapUsage")) as { usedSize: number };
  const { nodes, jsEventListeners } = await session.send("Memory.getDOMCounters");
  return { bytes: usedSize, nodes, listeners: jsEventListeners };
}

/** Every page once, its first slider moved; the two that train do so for a while. */
async function round(page: Page): Promise<void> {
  for (const id of Object.keys(titles)) {
    await page.evaluate((target) => (location.hash = `#/${target}?lang=en`), id);
    await page.getByRole("heading", { level: 1, name: titles[id]!.en, exact: true }).waitFor();
    const slider = page.locator("article input[type=range]").first();
    if ((await slider.count()) > 0) for (let i = 0; i < 5; i++) await slider.press("ArrowRight");
    if (id === "selection") {
      await page.getByTestId("start").click();
      await expect.poll(() => page.getByTestId("accuracy-mamba").innerText()).toMatch(/\d/);
      await page.getByTestId("stop").click();
    }
  }
}

it("the heap is flat and the engine one over many rounds of all pages, computing and training", async () => {
  const { page, errors } = await open(browser, `${inject("isolatedUrl")}#/why?lang=en`);
  const session = await page.context().newCDPSession(page);
  const engines: string[] = [];
  page.on("worker", (worker) => /engine\.worker/.test(worker.url()) && engines.push(worker.url()));
  const rounds: Held[] = [];
  const end = performance.now() + 60_000 * minutes;
  while (rounds.length < ROUNDS || performance.now() < end) {
    await round(page);
    rounds.push(await held(session));
  }
  const tell = ({ bytes, nodes, listeners }: Held): string =>
    `${(bytes / 1e6).toFixed(3)} MB, ${nodes} nodes, ${listeners} listeners`;
  if (minutes > 0) console.log(`${rounds.length} rounds:\n${rounds.map(tell).join("\n")}`);
  // the first rounds, of a long run its first fifth, fetch code, translate it and fill what is remembered; then nothing may be left behind
  const settled = rounds[Math.max(1, Math.floor(rounds.length / 5))]!;
  // what a busy machine is still about to let go of is no leak: it is looked at again
  const grown = async (): Promise<number> => {
    const now = await held(session);
    return Math.max(now.bytes / settled.bytes, now.nodes / settled.nodes, now.listeners / settled.listeners);
  };
  await expect.poll(grown, { message: rounds.map(tell).join("\n") }).toBeLessThan(minutes > 0 ? 1.02 : 1.04);
  // all pages share one engine; the two that race on Selection have a core each beside it
  expect(engines).toHaveLength(3);
  expect(errors).toEqual([]);
  await page.context().close();
}, 1_500_000);
