import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { desktop, launch, open, phone, settled, shoot, visiting } from "../support/browser.ts";
import { titles } from "../support/pages.ts";
import { latinWords, slantedChinese } from "../support/words.ts";

/** Hands, addresses, phones, languages and paper. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser.close());

const at = (address: string): string => `${inject("isolatedUrl")}#/${address}`;
const heading = (page: Page): Promise<void> => page.getByRole("heading", { level: 1 }).waitFor();

it("5 drawing fast leaves no gap", async () => {
  const { page, errors } = await open(browser, at("hippo?lang=en&signal=drawn"));
  await expect.poll(() => page.getByTestId("error-legs").innerText()).toMatch(/^\d\.\d+$/); // then nothing above it grows any more
  await page.getByTestId("sketch").scrollIntoViewIfNeeded();
  const box = (await page.getByTestId("sketch").boundingBox())!;
  await page.mouse.move(box.x + 0.1 * box.width, box.y + 0.9 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + 0.9 * box.width, box.y + 0.1 * box.height); // one event for the whole way
  await page.mouse.up();
  await expect.poll(() => page.url()).toContain("draw=");
  const drawn = new URLSearchParams(new URL(page.url()).hash.split("?")[1]).get("draw")!.split(",").map(Number);
  const way = drawn.slice(7, 53); // of 60 points, those well inside
  way.slice(1).forEach((y, i) => expect(y - way[i]!).toBeCloseTo((1.6 * 75) / 70 / (0.8 * 59), 2));
  expect(errors).toEqual([]);
  await page.context().close();
});

describe("an address no slider can make", () => {
  const visit = visiting(() => browser);
  it.each([
    "hippo?n=33&now=41.5&window=61",
    "two-views?k=2.5&n=3&delta=0.05",
    "two-views?n=31",
    "s4?n=33&lag=7.7",
    "scan?round=1.5&algorithm=tree",
    "selection?len=17.3&seed=1.5&letters=3A3B",
    "mamba?tokens=2.5&seed=0.5&temperature=9",
    "state-space?abcd=1,,2",
    "discretize?delta=-1&rules=none",
    "why?upto=77",
  ])("opens a page that works: %s", async (address) => {
    const { page, errors } = await visit(at(`${address}&lang=en`));
    expect(await page.getByRole("alert").count()).toBe(0);
    if (address.startsWith("hippo")) {
      await expect.poll(() => page.getByTestId("error-fourier").innerText()).toMatch(/^\d\.\d+$/);
      expect(await page.locator('[data-testid="n"]').getAttribute("aria-valuetext")).toBe("32");
    }
    expect(errors).toEqual([]);
  });
});

/** Steps of the learners of page 8 that the browser keeps. */
function keptSteps(page: Page): Promise<number[]> {
  return page.evaluate(async () => {
    const done = <T>(request: IDBRequest<T>): Promise<T> =>
      new Promise((settle) => request.addEventListener("success", () => settle(request.result)));
    const database = await done(indexedDB.open("statespace-playground", 1));
    const shelf = database.transaction("kept").objectStore("kept");
    const kept = await Promise.all(["mamba", "s4", "attention"].map((kind) => done(shelf.get(`induction-${kind}`))));
    database.close();
    return kept.map((pupil?: { history: { steps: number }[] }) => pupil?.history.at(-1)?.steps ?? 0);
  });
}

describe("a model outlives its page and a reload", () => {
  it("7 Selection", async () => {
    const { page, errors } = await open(browser, at("selection?lang=en&len=16&size=small&against=nobody"));
    await page.getByTestId("start").click();
    await expect.poll(() => page.getByTestId("accuracy-mamba").innerText()).toMatch(/^[3-9]\d\.\d %$|^100/);
    await page.getByTestId("stop").click();
    await page.getByTestId("start").waitFor();
    await settled(page); // it was kept
    const standing = (): Promise<string> => page.locator(".stat").first().innerText();
    const before = await standing();
    const answers = await page.getByTestId("answers-mamba").innerText();
    await page.locator("nav.contents a").nth(1).click();
    await page.getByTestId("maze").waitFor();
    await page.locator("nav.contents a").nth(6).click();
    await page.getByTestId("answers-mamba").waitFor();
    expect(await standing()).toBe(before);
    await page.reload();
    await page.getByTestId("answers-mamba").waitFor();
    expect(await standing()).toBe(before);
    await expect.poll(() => page.getByTestId("answers-mamba").innerText()).toBe(answers);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it("8 Induction", async () => {
    const { page, errors } = await open(browser, at("induction?lang=en"));
    const shown = async (): Promise<number[]> =>
      (await page.locator(".stat").allInnerTexts()).map((told) => Number(/step (\d+)/.exec(told)?.[1] ?? 0));
    const answers = (): Promise<string[]> => page.getByTestId("answers").locator("td").allInnerTexts();
    await page.getByTestId("learn").click();
    await expect.poll(async () => Math.min(...(await shown())), { interval: 500 }).toBeGreaterThan(0);
    await page.getByTestId("stop").click();
    // a step that was under way when it was told to stop is told, and kept, after that
    await expect.poll(async () => JSON.stringify(await keptSteps(page)) === JSON.stringify(await shown())).toBe(true);
    await settled(page);
    const kept = await keptSteps(page);
    await page.reload();
    expect(Math.min(...kept)).toBeGreaterThan(0);
    await expect.poll(shown).toEqual(kept);
    await expect.poll(async () => (await answers()).filter((text) => text.endsWith("%")).length).toBe(15);
    const before = await answers();
    await page.reload();
    await expect.poll(answers).toEqual(before);
    expect(await shown()).toEqual(kept);
    expect(errors).toEqual([]);
    await page.context().close();
  });

  it("9 Mamba at work", async () => {
    // without the service worker, which fetches the model, too, when it gets round to it
    const { page, errors } = await open(browser, at("mamba?lang=en&tokens=12&temperature=0&pace=0"), {
      ...desktop,
      serviceWorkers: "block",
    });
    const fetched: string[] = [];
    page.context().on("request", (request) => {
      if (request.url().includes("safetensors")) fetched.push(request.url());
    });
    await page.getByTestId("load").click();
    await page.getByTestId("facts").waitFor();
    await page.getByTestId("write").click();
    await expect.poll(() => page.getByTestId("text").getAttribute("aria-busy")).toBe("false");
    await expect.poll(async () => Number(await page.getByTestId("position").innerText())).toBeGreaterThan(12);
    const text = await page.getByTestId("text").innerText();
    const loads = fetched.length;
    expect(loads).toBeGreaterThan(0);
    await page.locator("nav.contents a").nth(1).click();
    await page.getByTestId("maze").waitFor();
    await page.locator('nav.contents a[href^="#/mamba?"]').click();
    await page.getByTestId("facts").waitFor();
    expect(await page.getByTestId("text").innerText()).toBe(text);
    expect(fetched).toHaveLength(loads); // it was there all the time: its weights were not asked for again
    await settled(page); // it was kept
    await page.reload();
    await expect.poll(() => page.getByTestId("text").innerText()).toBe(text);
    await page.getByTestId("more").click();
    await expect.poll(async () => (await page.getByTestId("text").innerText()).length).toBeGreaterThan(text.length);
    expect(errors).toEqual([]);
    await page.context().close();
  });
});

it("7 a swipe up on a letter scrolls the page and moves no letter; one sideways moves it", async () => {
  const { page } = await open(browser, at("selection?lang=en&len=16"), phone);
  const letter = page.getByTestId("strip").locator(".place.letter").first();
  await letter.evaluate((element) => element.scrollIntoView({ block: "center" }));
  const places = (): Promise<(string | null)[]> =>
    page
      .getByTestId("strip")
      .locator(".place.letter")
      .evaluateAll((all) => all.map((each) => each.getAttribute("data-place")));
  const cdp = await page.context().newCDPSession(page);
  const swipe = async (dx: number, dy: number): Promise<void> => {
    const box = (await letter.boundingBox())!;
    const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
    const touch = (type: "touchStart" | "touchMove" | "touchEnd", share: number): Promise<unknown> =>
      cdp.send("Input.dispatchTouchEvent", {
        type,
        touchPoints: type === "touchEnd" ? [] : [{ x: x + share * dx, y: y + share * dy }],
      });
    await touch("touchStart", 0);
    for (let i = 1; i <= 12; i++) await touch("touchMove", i / 12);
    await touch("touchEnd", 1);
    await page.waitForTimeout(300);
  };
  const [before, top] = [await places(), await page.evaluate(() => scrollY)];
  await swipe(45, -220);
  expect(await places()).toEqual(before);
  expect(await page.evaluate(() => scrollY)).toBeGreaterThan(top + 100);
  await letter.evaluate((element) => element.scrollIntoView({ block: "center" }));
  await swipe(36, 4);
  expect(await places()).not.toEqual(before);
  await page.context().close();
});

it("a graphics card that the processor plays is told from a real one", async () => {
  const { page } = await open(browser, at("why?lang=en&backend=webgpu"));
  expect(await page.getByTestId("software-webgpu").innerText()).toContain("played by the processor");
  await page.goto(at("machine?lang=zh"));
  await expect.poll(() => page.getByTestId("gpu").innerText()).toBe("由处理器模拟");
  await page.context().close();
});

it("9 a name on the hub is looked up there", async () => {
  const { page } = await open(browser, at("mamba?lang=en"));
  const asked: string[] = [];
  await page.context().route(/huggingface/, (route) => {
    asked.push(route.request().url());
    return route.fulfill({ status: 404, body: "" });
  });
  await page.locator("summary").click();
  for (const typed of ["state-spaces/mamba-130m-hf", "https://huggingface.co/state-spaces/mamba-130m-hf"]) {
    asked.length = 0;
    await page.getByTestId("url").fill(typed);
    await page.getByTestId("load-url").click();
    await page.getByRole("alert").waitFor();
    expect(asked[0]).toBe("https://huggingface.co/state-spaces/mamba-130m-hf/resolve/main/config.json");
  }
  await page.context().close();
});

describe("on a phone", () => {
  const visit = visiting(() => browser, phone);
  it.each(Object.keys(titles))("no formula of %s is cut", async (id) => {
    const { page } = await visit(at(`${id}?lang=en`));
    const cut = await page.locator(".formula").evaluateAll((all) =>
      all.flatMap((box) => {
        const edge = box.getBoundingClientRect();
        const outside = [...box.querySelectorAll("math, .label, math *")].some((each) => {
          const { left, right } = each.getBoundingClientRect();
          return left < edge.left - 1 || right > edge.right + 1;
        });
        return outside || box.scrollWidth > box.clientWidth + 1 ? [box.textContent] : [];
      }),
    );
    expect(cut).toEqual([]);
  });
});

/** Names of people, methods, programs, devices, keys and units; and what a Chinese text writes in Latin letters, too. */
const NAMES = new Set(
  (
    "statespace English LoRA PEFT Mamba HiPPO LegS LegT Fourier Lin Inv Real Transformer Hugging Face HuggingFace Blelloch Brent Kung Intel WebGPU wasm webgpu cpu GPU " +
    "GRU RNN SSM LTI for SSD softmax MIMO Jamba Zamba Samba JavaScript numpy ipynb mjs SRAM DRAM HBM FlashAttention SiLU ZOH LSSL NPLR DPLR PyTorch JAX GFLOP config json model safetensors tokenizer state spaces mamba exp log google swiftshader Xeon Chromium float nat NaN Shift"
  ).split(" "),
);

describe("in Chinese", () => {
  const visit = visiting(() => browser);
  it.each(Object.keys(titles))("%s has no English words and slants no Chinese", async (id) => {
    const { page } = await visit(at(`${id}?lang=zh`));
    const words = (await latinWords(page)).filter(({ word }) => !NAMES.has(word));
    expect(words).toEqual([]);
    expect(await slantedChinese(page)).toEqual([]);
  });
});

it("a page can be printed: text, figures and formulas, without what needs a hand, dark colours or not", async () => {
  const { page } = await open(browser, at("hippo?lang=en&theme=dark"));
  await heading(page);
  await page.emulateMedia({ media: "print" });
  await page.setViewportSize({ width: 718, height: 1000 }); // A4 between its margins
  for (const hidden of [".top", ".contents", ".ways", ".row button"])
    for (const element of await page.locator(hidden).all()) expect(await element.isVisible()).toBe(false);
  for (const shown of ["h1", ".prose p", ".plot canvas", ".formula math", ".hints li"])
    expect(await page.locator(shown).first().isVisible()).toBe(true);
  expect(await page.evaluate(() => getComputedStyle(document.body).backgroundColor)).toBe("rgb(255, 255, 255)");
  const pdf = await page.pdf({ format: "A4" });
  expect(pdf.length).toBeGreaterThan(20_000);
  await shoot(page, "hippo-printed");
  await page.context().close();
});
