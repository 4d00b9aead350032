import { createReadStream, existsSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { chromium } from "playwright-core";
import type { OnnxEngine } from "./onnxEngines.ts";
import { runReading, type Reading } from "./onnxReading.ts";

/** What a page is told of a reading. */
interface Told {
  readonly ids: readonly number[];
  readonly batch: number;
  readonly prompt: number;
  readonly external: boolean;
}

const PAGE = `<!doctype html><script type="module">
import * as ort from "/ort/ort.wasm.min.mjs";
ort.env.wasm.numThreads = 1;
const runReading = ${runReading.toString()};
globalThis.read = async ({ ids, batch, prompt, external }) => {
  const externalData = external ? [{ path: "model.onnx.data", data: "/model/model.onnx.data" }] : [];
  const session = await ort.InferenceSession.create("/model/model.onnx", { executionProviders: ["wasm"], externalData, logSeverityLevel: 3 });
  const logits = await runReading(ort, session, { ids: Int32Array.from(ids), batch, prompt });
  await session.release();
  await fetch("/found", { method: "POST", body: logits });
};
globalThis.ready = true;
</script>`;

const typeOf = (url: string): string =>
  /\.m?js$/.test(url) ? "text/javascript" : url.endsWith(".wasm") ? "application/wasm" : "application/octet-stream";

async function bodyOf(request: IncomingMessage): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of request) parts.push(part as Uint8Array);
  return new Uint8Array(Buffer.concat(parts));
}

/** What the page and the reading in progress share. */
interface Exchange {
  /** The folder of the model that is read now. */
  folder: string;
  found: Uint8Array;
}

function serve(dist: string, exchange: Exchange): Server {
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { url = "/" } = request;
    response
      .setHeader("Cross-Origin-Opener-Policy", "same-origin")
      .setHeader("Cross-Origin-Embedder-Policy", "require-corp")
      .setHeader("Cache-Control", "no-store");
    if (url === "/") return void response.setHeader("Content-Type", "text/html").end(PAGE);
    if (url === "/found") {
      exchange.found = await bodyOf(request);
      return void response.end();
    }
    const [, place, name] = /^\/(ort|model)\/([\w.-]+)$/.exec(url) ?? [];
    const file = place === undefined ? "" : join(place === "ort" ? dist : exchange.folder, name!);
    if (existsSync(file)) createReadStream(file).pipe(response.setHeader("Content-Type", typeOf(url)));
    else response.writeHead(404).end();
  };
  return createServer((request, response) => void answer(request, response)).listen(0);
}

/** onnxruntime-web, of a folder where it was installed, in a page of Chromium. @throws Error where one of the two is not there */
export async function browserEngine(
  modules: string,
  executablePath: string,
): Promise<OnnxEngine & { close(): Promise<void> }> {
  const dist = join(modules, "node_modules/onnxruntime-web/dist");
  if (!existsSync(join(dist, "ort.wasm.min.mjs"))) throw new Error(`${dist} has no ort.wasm.min.mjs`);
  const exchange: Exchange = { folder: "", found: new Uint8Array(0) };
  const server = serve(dist, exchange);
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] }).catch((error: Error) => {
    server.close();
    throw error;
  });
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`page: ${error.message}`));
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction("globalThis.ready");
  return {
    name: "onnxruntime-web in Chromium",
    async logits(file: string, { ids, batch, prompt }: Reading): Promise<Float32Array> {
      exchange.folder = dirname(file);
      const told: Told = { ids: [...ids], batch, prompt, external: existsSync(`${file}.data`) };
      await page.evaluate((what) => (globalThis as unknown as { read(told: Told): Promise<void> }).read(what), told);
      return new Float32Array(exchange.found.buffer);
    },
    async close(): Promise<void> {
      await browser.close();
      server.close();
    },
  };
}
