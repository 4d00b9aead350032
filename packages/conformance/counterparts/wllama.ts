/**
 * Compares greedy text of models here with that of wllama, llama.cpp compiled to WebAssembly, which loads the GGUF files that are written here in Chromium.
 *
 *     node --conditions statespace-source packages/conformance/counterparts/wllama.ts [--weights f32] [--tokens 64] [--prompt abcdefgh] [MODEL ...]
 *
 * MODEL is a folder, a GGUF file, or a family whose random model of a small or, with --large, of 90 million weights or more is taken; each of them unless told.
 * CHROMIUM_PATH names the browser (/usr/bin/chromium unless told). wllama comes with the repository's own packages; --modules DIR takes it from a folder where
 * `npm i --ignore-scripts @wllama/wllama` was run. Exit code 1 where a text differs, 2 where wllama or the browser is not there.
 */
import { createReadStream, existsSync, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { load, LoadedModel, Model, parseModelConfig, type GgufWeights } from "@statespace/models";
import { chromium, type Page } from "playwright-core";
import { shapeOf, SHAPES } from "./shapes.ts";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    modules: { type: "string", default: join(import.meta.dirname, "..") },
    weights: { type: "string", default: "f32" },
    tokens: { type: "string", default: "64" },
    prompt: { type: "string", default: "abcdefgh" },
    large: { type: "boolean", default: false },
  },
});
const engine = join(options.modules, "node_modules/@wllama/wllama/esm");
const browserPath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

const PAGE = `<!doctype html><script type="module">
import { Wllama } from "/esm/index.js";
globalThis.complete = async (file, prompt, count) => {
  const wllama = new Wllama({ default: "/esm/wasm/wllama.wasm" }, { suppressNativeLog: true });
  const blob = await (await fetch(file)).blob();
  await wllama.loadModel([blob], { n_ctx: 512, n_threads: 1, n_gpu_layers: 0, seed: 1, cache_type_k: "f32", cache_type_v: "f32" });
  const { choices } = await wllama.createCompletion({ prompt, max_tokens: count, temperature: 0, ignore_eos: true });
  await wllama.exit();
  return choices[0].text;
};
globalThis.ready = true;
</script>`;

/** The page, wllama's files and the models that are there now. */
function serve(models: ReadonlyMap<string, string>): Server {
  return createServer(({ url = "/" }, response) => {
    response
      .setHeader("Cross-Origin-Opener-Policy", "same-origin")
      .setHeader("Cross-Origin-Embedder-Policy", "require-corp");
    const file =
      models.get(url) ?? (/^\/esm\/[\w./-]+$/.test(url) && !url.includes("..") ? join(engine, url.slice(5)) : "");
    if (url === "/") response.setHeader("Content-Type", "text/html").end(PAGE);
    else if (existsSync(file)) {
      const type = file.endsWith(".js") ? "text/javascript" : file.endsWith(".wasm") ? "application/wasm" : "application/octet-stream"; // prettier-ignore
      createReadStream(file).pipe(response.setHeader("Content-Type", type));
    } else response.writeHead(404).end();
  }).listen(0);
}

/** A tokenizer of ASCII alone: wllama hands texts over as JSON, which cannot say half a character, and a random model writes many. */
function asciiTokenizer(size: number): Record<string, string> {
  // A space and a new line stand in the alphabet of GPT-2's bytes.
  const letter = (id: number): string => (id === 0 ? "\u0120" : id === 95 ? "\u010a" : String.fromCharCode(32 + id));
  const vocab = Object.fromEntries(Array.from({ length: size }, (_, id) => [id < 96 ? letter(id) : `t${id}`, id]));
  const byteLevel = { type: "ByteLevel", add_prefix_space: false, trim_offsets: true, use_regex: true };
  const model = { type: "BPE", vocab, merges: [] };
  const json = { normalizer: null, pre_tokenizer: byteLevel, post_processor: null, decoder: byteLevel, model };
  return { "tokenizer.json": JSON.stringify(json) };
}

async function write(from: string, folder: string, weights: string): Promise<string> {
  if (/\.gguf$/i.test(from)) return from;
  const shape = shapeOf(from, options.large ? "large" : "small");
  const lm = shape === undefined ? await load(from) : new LoadedModel({ model: new Model(parseModelConfig(shape), 7) });
  const { encoder } = lm.model.resolved;
  const file = join(folder, `${basename(from)}-${weights}.gguf`);
  const files = lm.tokenizer === undefined ? asciiTokenizer(encoder.kind === "embedding" ? encoder.vocabSize : 0) : {};
  await lm.saveGguf(file, { weights: weights as GgufWeights, files });
  lm.dispose();
  return file;
}

async function ours(file: string): Promise<string> {
  const lm = await load(file);
  try {
    // As many tokens of both: wllama, too, is told that none of them ends the text, which makes such a token impossible.
    const count = Number(options.tokens);
    return await lm.complete(options.prompt, { minNewTokens: count, maxNewTokens: count, greedy: true });
  } finally {
    lm.dispose();
  }
}

async function compareAll(page: Page, models: Map<string, string>, folder: string): Promise<number> {
  let different = 0;
  console.log("| model | weights | tokens | same text | it begins |\n| --- | --- | --- | --- | --- |");
  for (const from of positionals.length > 0 ? positionals : SHAPES)
    for (const weights of options.weights.split(",")) {
      const file = await write(from, folder, weights);
      const address = `/${basename(file)}`;
      models.set(address, file);
      // A page that is left takes the file of the model before with it: a browser holds no two large ones.
      await page.reload();
      await page.waitForFunction("globalThis.ready");
      const own = await ours(file);
      const theirs = await page.evaluate(
        ([url, prompt, count]) =>
          (globalThis as unknown as { complete(...args: unknown[]): Promise<string> }).complete(url, prompt, count),
        [address, options.prompt, Number(options.tokens)] as const,
      );
      const same = own === theirs && own.length > 0;
      if (!same && weights === "f32") different++;
      let common = 0;
      while (common < own.length && own[common] === theirs[common]) common++;
      console.log(
        `| ${basename(from)} | ${weights} | ${options.tokens} | ${same ? "yes" : `NO, after ${common} of ${own.length} characters`} | ${JSON.stringify(theirs.slice(0, 24)).replaceAll("|", "\\|")} |`,
      );
      models.delete(address);
      if (file !== from) rmSync(file);
    }
  return different;
}

async function main(): Promise<number> {
  for (const [what, path] of [
    ["wllama", join(engine, "index.js")],
    ["the browser", browserPath],
  ] as const)
    // prettier-ignore
    if (!existsSync(path)) {
      console.error(`${what} is not there: ${path}; npm i --ignore-scripts @wllama/wllama in a folder and give it as --modules DIR; CHROMIUM_PATH names a browser`);
      return 2;
    }
  await setBackend(wasmBackend());
  const folder = mkdtempSync(join(tmpdir(), "statespace-wllama-"));
  const models = new Map<string, string>();
  const server = serve(models);
  const browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    page.on("pageerror", (error) => console.error(`page: ${error.message}`));
    await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
    await page.waitForFunction("globalThis.ready");
    return (await compareAll(page, models, folder)) > 0 ? 1 : 0;
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
}

process.exit(await main());
