/**
 * Decoding and prompts in one Chromium beside wllama (llama.cpp compiled to WebAssembly): the same GGUF file of random weights, two threads each, in turns.
 *
 *     node --conditions statespace-source packages/conformance/bench/wllama.ts [--weights q8] [--threads 2] [--rounds 3] [--tokens 32] [--prompt 256] [--worker] [--json] [SHAPE ...]
 *
 * SHAPE: those of `publishedShapes.ts`; LFM2-350M, Granite-4-H-350M and Falcon-H1-Tiny-90M unless told. wllama comes with the repository's own packages. CHROMIUM_PATH names the
 * browser. With --worker ours runs in a worker, as wllama does. Ratios are of medians of wall time, theirs over ours: prompt as wllama says itself, ours to the first
 * token. Exit code 1 where a bar (2) is missed.
 */
import { createReadStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { LoadedModel, Model, parseModelConfig, type GgufWeights } from "@statespace/models";
import { chromium, type Page } from "playwright-core";
import { rolldown } from "rolldown";
import { PUBLISHED_SHAPES } from "./publishedShapes.ts";
import { standInTokenizer, vocabulary } from "./standIn.ts";
import type { Contender, Turn, Wish } from "./wllamaPage.ts";

const BAR = 2;
const UNLESS_TOLD = ["lfm2-350m", "granite-4-h-350m", "falcon-h1-tiny-90m"];
const engineFile = join(import.meta.dirname, "../node_modules/@wllama/wllama/esm/wasm/wllama.wasm");

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    weights: { type: "string", default: "q8" },
    threads: { type: "string", default: "2" },
    rounds: { type: "string", default: "3" },
    tokens: { type: "string", default: "32" },
    prompt: { type: "string", default: "256" },
    worker: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});
const [threads, rounds, tokens, prompt] = [options.threads, options.rounds, options.tokens, options.prompt].map(
  Number,
) as [number, number, number, number];

const CONTENDERS: readonly [Contender, Contender] = [
  { label: "ours", kind: options.worker ? "worker" : "direct", threads },
  { label: "wllama", kind: "wllama", threads },
];

async function pageScript(): Promise<string> {
  const bundle = await rolldown({
    input: join(import.meta.dirname, "wllamaPage.ts"),
    platform: "browser",
    logLevel: "silent",
    external: [/^node:/],
    resolve: { conditionNames: ["statespace-source", "import", "browser", "default"] },
  });
  const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
  return output[0].code;
}

/** The page, wllama's binary and the files of a folder. */
function serve(script: string, folder: string): Server {
  return createServer(({ url = "/", headers }, response) => {
    response
      .setHeader("Cross-Origin-Opener-Policy", "same-origin")
      .setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const file = url === "/wllama.wasm" ? engineFile : join(folder, url.slice(1).replaceAll("/", ""));
    if (url === "/")
      response
        .setHeader("Content-Type", "text/html")
        .end('<!doctype html><script type="module" src="/page.js"></script>');
    else if (url === "/page.js") response.setHeader("Content-Type", "text/javascript").end(script);
    else if (!existsSync(file)) response.writeHead(404).end();
    else {
      if (url.endsWith(".wasm")) response.setHeader("Content-Type", "application/wasm");
      const [, from, to] = /^bytes=(\d+)-(\d*)$/.exec(headers.range ?? "") ?? [];
      void sendFile(response, file, from === undefined ? undefined : Number(from), to ? Number(to) : undefined);
    }
  }).listen(0);
}

async function sendFile(
  response: import("node:http").ServerResponse,
  file: string,
  from: number | undefined,
  to: number | undefined,
): Promise<void> {
  const { stat } = await import("node:fs/promises");
  const { size } = await stat(file);
  const last = Math.min(to ?? size - 1, size - 1);
  const start = from ?? 0;
  response.setHeader("Accept-Ranges", "bytes").setHeader("Content-Length", last - start + 1);
  if (from !== undefined) response.setHeader("Content-Range", `bytes ${start}-${last}/${size}`).writeHead(206);
  createReadStream(file, { start, end: last }).pipe(response);
}

async function write(shape: string, file: string): Promise<number> {
  const lm = new LoadedModel({ model: new Model(parseModelConfig(PUBLISHED_SHAPES[shape]!), 7) });
  const { vocabSize } = lm.model;
  await lm.saveGguf(file, { weights: options.weights as GgufWeights, files: standInTokenizer(vocabSize) });
  lm.dispose();
  return vocabSize;
}

const median = (xs: readonly number[]): number => xs.toSorted((a, b) => a - b)[xs.length >> 1]!;

/** Both in turns; the first round is not counted. */
async function compare(page: Page, shape: string, file: string, vocabSize: number): Promise<boolean> {
  for (const contender of CONTENDERS)
    await page.evaluate(
      ([who, from, context]) =>
        (globalThis as unknown as { prepare(...args: unknown[]): Promise<void> }).prepare(who, from, context),
      [contender, file, prompt + tokens + 64] as const,
    );
  const turns: Record<string, Turn[]> = { ours: [], wllama: [] };
  const texts = vocabulary(vocabSize);
  let same = true;
  for (let round = -1; round < rounds; round++) {
    // Another text each time, so that nothing of it is there already.
    const letters = Array.from({ length: prompt }, (_, i) =>
      String.fromCharCode(97 + ((i * i + i * (round + 3)) % 26)),
    );
    const wish: Wish = { prompt: letters.join(""), tokens };
    for (const { label } of CONTENDERS) {
      const turn = await page.evaluate(
        ([who, what]) =>
          (globalThis as unknown as { take(...args: unknown[]): Promise<unknown> }).take(who, what) as Promise<Turn>,
        [label, wish] as const,
      );
      if (options.verbose) console.error(label, turn.prefill.toFixed(2), turn.decode.toFixed(2));
      if (round >= 0) turns[label]!.push(turn);
      else if (label === "ours") turns["first"] = [turn];
      else {
        const own = turns["first"]![0]!.ids!.map((id) => (id < 256 ? String.fromCharCode(id) : texts[id]!)).join("");
        same = own.slice(0, 4) === turn.text?.slice(0, 4);
      }
    }
  }
  let holds = true;
  for (const part of ["decode", "prefill"] as const) {
    const [own, theirs] = [turns["ours"]!, turns["wllama"]!].map((list) => median(list.map((turn) => turn[part])));
    const ratio = theirs! / own!;
    holds &&= ratio >= BAR;
    const cells = [shape, part, own!.toFixed(2), theirs!.toFixed(2), ratio.toFixed(2)];
    console.log(
      options.json
        ? JSON.stringify({ shape, part, ours: own, wllama: theirs, ratio, sameBeginning: same, holds: ratio >= BAR })
        : `| ${cells.join(" | ")} | ${same ? "yes" : "no"} | >= ${BAR} |`,
    );
  }
  return holds;
}

async function main(): Promise<number> {
  const names = positionals.length > 0 ? positionals : UNLESS_TOLD;
  const unknown = names.find((name) => PUBLISHED_SHAPES[name] === undefined);
  if (unknown !== undefined) {
    console.error(`there is no shape ${unknown}; there are ${Object.keys(PUBLISHED_SHAPES).join(", ")}`);
    return 2;
  }
  await setBackend(wasmBackend({ threads: 1 }));
  const folder = mkdtempSync(join(tmpdir(), "statespace-wllama-"));
  const server = serve(await pageScript(), folder);
  const browser = await chromium.launch({
    executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  if (!options.json) {
    console.log(`${cpus()[0]!.model.trim()}, ${threads} threads each, ${options.weights}, prompts of ${prompt}`);
    console.log("| shape | what | ours, ms a token | wllama | times as fast | same beginning | bar |");
    console.log("| --- | --- | --- | --- | --- | --- | --- |");
  }
  let held = true;
  try {
    for (const shape of names) {
      const file = join(folder, `${shape}.gguf`);
      const vocabSize = await write(shape, file);
      // A page of its own: one that is left takes its model with it.
      const page = await browser.newPage();
      page.on("crash", () => console.error("page: crashed"));
      page.on("pageerror", (error) => console.error(`page: ${error.message}`));
      if (options.verbose) page.on("console", (message) => console.error(message.text()));
      await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
      await page.waitForFunction("globalThis.prepare");
      held = (await compare(page, shape, `/${shape}.gguf`, vocabSize)) && held;
      await page.close();
      rmSync(file);
    }
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
  return held ? 0 : 1;
}

process.exit(await main());
