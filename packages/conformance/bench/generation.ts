// Generation in one Chromium: ours beside wllama (llama.cpp compiled to WebAssembly), the same mamba-130m-shaped model with random weights, greedy,
// in turns.  node --conditions=statespace-source bench/generation.ts [--format q8|f32] [--rounds N] [--tokens N]
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { wasmBackend } from "@statespace/backend-wasm";
import { setBackend } from "@statespace/core";
import { Model, parseModelConfig, saveGguf } from "@statespace/models";
import { chromium } from "playwright-core";
import { rolldown } from "rolldown";
import type { Generated } from "./generationPage.ts";
import { standInTokenizer, vocabulary } from "./standIn.ts";

const { values: options } = parseArgs({
  options: {
    format: { type: "string", default: "q8" },
    rounds: { type: "string", default: "5" },
    tokens: { type: "string", default: "32" },
    verbose: { type: "boolean", default: false },
  },
});
const format = options.format as "f32" | "q8";
const folder = mkdtempSync(join(tmpdir(), "generation-"));
const file = join(folder, `${format}.gguf`);

await setBackend(wasmBackend({ threads: 1 }));
const model = new Model(
  parseModelConfig({ model_type: "mamba", hidden_size: 768, num_hidden_layers: 24, vocab_size: 50280 }),
  0,
);
await saveGguf(model, file, { weights: format, files: standInTokenizer(50280) });

const bundle = await rolldown({
  input: join(import.meta.dirname, "generationPage.ts"),
  platform: "browser",
  logLevel: "silent",
  resolve: { conditionNames: ["statespace-source", "import", "browser", "default"] },
});
const { output } = await bundle.generate({ format: "esm", codeSplitting: false });
const script = output[0].code;
const engineFile = join(import.meta.dirname, "../node_modules/@wllama/wllama/esm/wasm/wllama.wasm");

const server = createServer(({ url }, response) => {
  response
    .setHeader("Cross-Origin-Opener-Policy", "same-origin")
    .setHeader("Cross-Origin-Embedder-Policy", "require-corp");
  if (url === "/")
    response
      .setHeader("Content-Type", "text/html")
      .end('<!doctype html><script type="module" src="/page.js"></script>');
  else if (url === "/page.js") response.setHeader("Content-Type", "text/javascript").end(script);
  else if (url === "/wllama.wasm")
    createReadStream(engineFile).pipe(response.setHeader("Content-Type", "application/wasm"));
  else if (url === `/${format}.gguf`) createReadStream(file).pipe(response);
  else response.writeHead(404).end();
}).listen(0);
const browser = await chromium.launch({
  executablePath: process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error.message}`));
  if (options.verbose) page.on("console", (message) => console.error(message.text()));
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction("globalThis.prepare");
  const contenders = [
    ["statespace, 2 threads", "direct", 2],
    ["statespace in a worker, 2 threads", "worker", 2],
    ["wllama, 1 thread", "wllama", 1],
    ["wllama, 2 threads", "wllama", 2],
  ] as const;
  const rates = new Map<string, number[]>();
  for (const [label, kind, threads] of contenders) {
    await page.evaluate(
      ([l, k, f, t]) => (globalThis as unknown as { prepare(...args: unknown[]): Promise<void> }).prepare(l, k, f, t),
      [label, kind, format, threads] as const,
    );
    rates.set(label, []);
  }
  const texts = vocabulary(50280);
  for (let round = -1; round < Number(options.rounds); round++) {
    let want = "";
    for (const [label, list] of rates) {
      const made = (await page.evaluate(
        ([l, n]) => (globalThis as unknown as { generate(...args: unknown[]): Promise<unknown> }).generate(l, n),
        [label, Number(options.tokens)] as const,
      )) as Generated;
      const text = made.text ?? made.ids!.map((id) => (id < 256 ? String.fromCharCode(id) : texts[id]!)).join("");
      want ||= text;
      if (round < 0)
        console.log(`${label}: ${JSON.stringify(text.slice(0, 60))}${text === want ? "" : " (another text)"}`);
      else list.push(made.tokensPerSecond);
    }
  }
  for (const [label, list] of rates) {
    const sorted = list.toSorted((a, b) => a - b);
    console.log(
      `${format} ${label.padEnd(36)} ${sorted[sorted.length >> 1]!.toFixed(1).padStart(6)} tokens/s (best ${sorted.at(-1)!.toFixed(1)})`,
    );
  }
} finally {
  await browser.close();
  server.close();
  rmSync(folder, { recursive: true });
}
process.exit();
