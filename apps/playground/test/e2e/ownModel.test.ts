import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { setBackend } from "@statespace/core";
import { load } from "@statespace/models";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, inject, it } from "vitest";
import { seriousFindings } from "../support/axe.ts";
import { desktop, launch, open, phone, settled, shoot } from "../support/browser.ts";
import { longestTask } from "../support/longestTask.ts";
import { unzip } from "../support/unzip.ts";

/** The visitor's own model: it learns in the tab, is kept, taken along, and opened on the other pages. */
let browser: Browser;
beforeAll(async () => {
  browser = await launch();
  await setBackend(cpuBackend());
});
afterAll(() => browser.close());

const at = (address: string): string => `${inject("isolatedUrl")}#/your-model?${address}`;

/** A run with the example that stands on the page, to its end. */
async function learnExample(page: Page): Promise<void> {
  await page.getByTestId("own-example").click();
  await page.getByTestId("own-start").click();
  await page.locator('[data-testid^="own-facts"]').waitFor(); // told when all is done
}

async function downloaded(page: Page, button: string): Promise<Map<string, Uint8Array>> {
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByTestId(button).click()]);
  return unzip(readFileSync(await download.path()));
}

/** A folder of files, for as long as something is done with it. */
async function inFolder<T>(files: ReadonlyMap<string, Uint8Array>, act: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "own-model-"));
  try {
    for (const [name, bytes] of files) writeFileSync(join(folder, name), bytes);
    return await act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Saves into a folder that is picked; one of the browser's own stands for one on the disk. */
async function savesIntoPicked(page: Page, files: ReadonlyMap<string, Uint8Array>): Promise<void> {
  await page.evaluate(() => {
    const pick = async (): Promise<FileSystemDirectoryHandle> =>
      (await navigator.storage.getDirectory()).getDirectoryHandle("picked", { create: true });
    Object.assign(globalThis, { showDirectoryPicker: pick });
  });
  await page.getByRole("button", { name: "Save into a folder …" }).click();
  await page.getByText("Saved into picked.").waitFor();
  const saved = await page.evaluate(async () => {
    const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle("picked");
    const found: [string, number[]][] = [];
    for await (const name of (folder as unknown as { keys(): AsyncIterable<string> }).keys()) {
      const file = await (await folder.getFileHandle(name)).getFile();
      found.push([name, Array.from(new Uint8Array(await file.arrayBuffer()))]);
    }
    return found;
  });
  expect(new Set(saved.map(([name]) => name))).toEqual(new Set(files.keys()));
  for (const [name, bytes] of saved) expect(Buffer.from(bytes).equals(files.get(name)!), name).toBe(true);
}

const widest = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

it("says kindly what it cannot learn from", async () => {
  const { page, errors } = await open(browser, at("lang=en"));
  const refused = page.getByTestId("own-refused");
  await page.getByTestId("own-start").click();
  await expect.poll(() => refused.innerText()).toContain("There is no text yet");
  await page.getByTestId("own-text-field").fill("too short");
  await expect.poll(() => page.getByTestId("own-fault").innerText()).toContain("9 characters");
  await page.getByTestId("own-start").click();
  await expect.poll(() => refused.innerText()).toContain("200 is the least");
  const file = (name: string, buffer: Buffer): Promise<void> =>
    page.getByTestId("own-file").setInputFiles({ name, mimeType: "text/plain", buffer });
  await file("letter.docx", Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 1]));
  await expect.poll(() => page.getByTestId("own-fault").innerText()).toContain("letter.docx is not a text file");
  await file("all.txt", Buffer.alloc(4_000_001, 97));
  await expect.poll(() => page.getByTestId("own-fault").innerText()).toContain("all.txt has 4.0 MB");
  await file("million.txt", Buffer.alloc(1_000_001, 97));
  await expect.poll(() => page.getByTestId("own-fault").innerText()).toContain("1,000,001 characters");
  // 明月 in GB 18030
  await file("moon.txt", Buffer.concat(Array.from({ length: 150 }, () => Buffer.from([0xc3, 0xf7, 0xd4, 0xc2]))));
  await expect.poll(() => page.getByTestId("own-count").innerText()).toBe("300 characters, 2 different ones");
  await expect.poll(() => page.getByTestId("own-text").innerText()).toContain("明月明月");
  // a file that is dragged over the field and dropped there
  const dragged = await page.evaluateHandle(() => {
    const held = new DataTransfer();
    held.items.add(new File(["the old man and the sea ".repeat(20)], "sea.txt", { type: "text/plain" }));
    return held;
  });
  const target = page.getByTestId("own-text");
  await target.dispatchEvent("dragover", { dataTransfer: dragged });
  await expect.poll(() => target.getAttribute("class")).toContain("over");
  await target.dispatchEvent("drop", { dataTransfer: dragged });
  await expect.poll(() => target.innerText()).toContain("From the file sea.txt");
  expect(await target.getAttribute("class")).not.toContain("over");
  await expect.poll(() => page.getByTestId("own-count").innerText()).toBe("480 characters, 11 different ones");
  expect(await seriousFindings(page)).toEqual([]);
  await page.getByTestId("own-again").click();
  await page.getByTestId("own-text-field").waitFor();
  expect(errors).toEqual([]);
  await page.context().close();
});

it("learns from a text, is kept over a reload, taken along, opened elsewhere, and deleted", async () => {
  const { page, errors } = await open(browser, at("lang=en&steps=40&width=32&length=32"));
  const longest = await longestTask(browser, page, () => learnExample(page));
  expect(longest).toBeLessThan(50);
  const bits = Number.parseFloat(await page.getByTestId("own-bits").innerText());
  expect(bits).toBeGreaterThan(1);
  expect(bits).toBeLessThan(5.2); // guessing costs about six
  await expect.poll(async () => Number(await page.getByTestId("own-curve").getAttribute("data-points"))).toBe(40);
  await page.getByRole("button", { name: "As a table: Surprise while it learns" }).click();
  await expect.poll(() => page.getByRole("table").first().locator("tbody tr").count()).toBe(40);
  const samples = page.getByTestId("own-sample");
  await expect.poll(() => samples.count()).toBe(9); // before the first step, and eight times since
  // a row a moment of learning in each block's picture, as the table of its numbers says
  const pictures = page.getByTestId("own-thumbnails");
  await expect.poll(() => pictures.locator("canvas").count()).toBe(2);
  await pictures.getByRole("button", { name: "As a table: Δ of block 1" }).click();
  await expect.poll(() => pictures.locator("thead th").count()).toBe(10); // the token's number, and nine moments
  const newest = await samples.first().innerText();
  // what it writes is drawn anew each time, and a text may end where it begins
  await expect
    .poll(async () => {
      await page.getByTestId("own-write-trained").click();
      await page.getByTestId("own-write-trained").waitFor(); // in its place stands a stop while it writes
      return (await page.getByTestId("own-written-trained").innerText()).length;
    })
    .toBeGreaterThan(40);
  expect(await seriousFindings(page)).toEqual([]);
  await shoot(page, "your-model");

  const facts = page.getByTestId("own-facts-trained");
  const told = await facts.innerText();
  const weights = /([\d,]+) weights/.exec(told)![1]!;
  await page.reload();
  await expect.poll(() => facts.innerText()).toBe(told);
  await expect.poll(() => samples.first().innerText()).toBe(newest);

  const files = await downloaded(page, "own-download-trained");
  await inFolder(files, async (folder) => {
    const lm = await load(folder);
    expect(lm.model.size.toLocaleString("en-US")).toBe(weights);
    // the page's last sample, written by what was downloaded
    const written = await lm.complete("\n", { maxNewTokens: 80, temperature: 0.7, seed: 1 });
    expect(written.trim()).toBe(newest);
    lm.dispose();
  });

  await savesIntoPicked(page, files);

  await page.getByTestId("own-open-mamba-trained").click();
  await expect.poll(() => page.getByTestId("facts").innerText()).toContain(`${weights} weights`);
  await page.getByTestId("chips").waitFor(); // the microscope has it, too
  await page.goBack();
  await page.getByTestId("own-open-block-trained").click();
  await page.getByTestId("equation").waitFor();
  await expect.poll(() => page.getByTestId("layer").getAttribute("max")).toBe("2");
  await expect.poll(() => page.getByTestId("channel-number").getAttribute("max")).toBe("64");
  expect(await seriousFindings(page)).toEqual([]);

  await page.goBack();
  await page.getByTestId("own-forget-trained").click();
  await page.getByText("No model yet").waitFor();
  await page.reload();
  await page.getByText("No model yet").waitFor();
  expect(errors).toEqual([]);
  await page.context().close();
});

it("a run that was stopped goes on after a reload, on a phone, in Chinese", async () => {
  const { page, errors } = await open(browser, at("lang=zh&steps=1000&width=32&length=32"), phone);
  await page.getByTestId("own-example").click();
  await page.getByTestId("own-start").click();
  await expect.poll(() => page.getByTestId("own-sample").count()).toBeGreaterThan(1);
  await page.getByTestId("own-stop").click();
  await page.getByTestId("own-facts-trained").waitFor();
  const goOn = page.getByTestId("own-go-on");
  const words = await goOn.innerText();
  const stopped = Number(/第 (\d+) 步/.exec(words)![1]);
  expect(stopped).toBeGreaterThanOrEqual(125); // the second sample
  expect(stopped).toBeLessThan(1000);
  expect(await seriousFindings(page)).toEqual([]);
  expect(await widest(page)).toBeLessThanOrEqual(0);
  await page.reload();
  await expect.poll(() => goOn.innerText()).toBe(words);
  await goOn.click();
  await expect
    .poll(async () => Number(/第 (\d+) 步/.exec(await page.locator(".progress").innerText())?.[1]))
    .toBeGreaterThan(stopped);
  await page.getByTestId("own-stop").click();
  await page.getByTestId("own-start").waitFor();
  await shoot(page, "your-model-phone");
  expect(errors).toEqual([]);
  await page.context().close();
});

it("one tab learns at a time, and the other says so", async () => {
  const first = await open(browser, at("lang=en&steps=1000&width=64&length=64"));
  const second = await first.page.context().newPage();
  await second.goto(at("lang=en&steps=20&width=32&length=32"));
  await settled(second);
  await first.page.getByTestId("own-example").click();
  await first.page.getByTestId("own-start").click();
  await first.page.getByTestId("own-sample").first().waitFor();
  await second.getByTestId("own-example").click();
  await second.getByTestId("own-start").click();
  await expect.poll(() => second.getByRole("alert").innerText()).toContain("Another tab of this site is training");
  await first.page.getByTestId("own-stop").click();
  await first.page.getByTestId("own-facts-trained").waitFor();
  await learnExample(second);
  expect(first.errors).toEqual([]);
  await first.page.context().close();
});

it("fine-tunes the Chinese model with an adapter, which loads on the model of the site", async () => {
  const { page, errors } = await open(browser, at("lang=zh&steps=20&what=tuned&rank=4&length=32"), desktop);
  await learnExample(page);
  await page.getByTestId("own-facts-tuned").waitFor();
  expect(await page.getByTestId("own-facts-tuned").innerText()).toContain("178,640");
  const adapter = await downloaded(page, "own-download-adapter");
  expect([...adapter.keys()]).toContain("adapter_model.safetensors");
  const whole = await downloaded(page, "own-download-tuned");
  const prompt = "小明有一只";
  const how = { maxNewTokens: 20, greedy: true } as const;
  const [told, alone] = await inFolder(adapter, async (folder) => {
    const base = resolve(import.meta.dirname, "../../models/chinese");
    const lm = await load(base, { adapter: folder });
    const tuned = await lm.complete(prompt, how);
    const { adapters } = lm;
    lm.dispose();
    return [tuned, adapters.size];
  });
  expect(alone).toBe(1);
  await inFolder(whole, async (folder) => {
    const lm = await load(folder);
    expect(await lm.complete(prompt, how)).toBe(told);
    lm.dispose();
  });
  expect(await seriousFindings(page)).toEqual([]);
  expect(errors).toEqual([]);
  await page.context().close();
});

it("tells that the browser's storage is full, and keeps what was learned until the tab is closed", async () => {
  const { page } = await open(browser, at("lang=en&steps=20&width=64&length=32"));
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Storage.overrideQuotaForOrigin", { origin: new URL(page.url()).origin, quotaSize: 50_000 });
  await learnExample(page);
  await expect.poll(() => page.getByTestId("own-not-kept").innerText()).toContain("the page's storage is full");
  const files = await downloaded(page, "own-download-trained");
  expect([...files.keys()]).toContain("model.safetensors");
  expect(await seriousFindings(page)).toEqual([]);
  await page.context().close();
});
