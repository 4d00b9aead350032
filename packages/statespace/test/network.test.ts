import { existsSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { Socket, type AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  bundledCheckpoint,
  cpuBackend,
  fit,
  load,
  Model,
  predict,
  setBackend,
  stopBackend,
  wasmBackend,
} from "../src/index.ts";

const folder = bundledCheckpoint();

/** Every connection that this process opens, whatever opens it, by host and port. */
let connections: string[];
beforeEach(() => {
  connections = [];
  const connect = Socket.prototype.connect;
  vi.spyOn(Socket.prototype, "connect").mockImplementation(function (this: Socket, ...args: unknown[]) {
    const [first] = args.flat() as [{ host?: string; port?: number; path?: string }];
    if (first?.port !== undefined) connections.push(`${first.host ?? "localhost"}:${first.port}`);
    return (connect as (...all: unknown[]) => Socket).apply(this, args);
  });
});
afterEach(() => {
  vi.restoreAllMocks();
  for (const name of ["cpu", "wasm"]) stopBackend(name);
});

async function serving<T>(
  answer: (request: IncomingMessage, response: import("node:http").ServerResponse) => void,
  use: (url: string) => Promise<T>,
): Promise<T> {
  const server: Server = createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    return await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

describe("the network", () => {
  it("is not touched by loading a folder, writing, looking inside, training, predicting and saving, on any thread", async () => {
    const fetched = vi.spyOn(globalThis, "fetch");
    for (const backend of [cpuBackend(), wasmBackend({ threads: 2 })]) {
      const lm = await load(folder, { backend, weights: backend.name === "wasm" ? "q8" : "f32" });
      expect(await lm.complete("The state", { maxNewTokens: 3 })).not.toBe("");
      await lm.inspect("The state", { layers: true });
      const session = lm.session();
      await session.read("a");
      await session.save();
      session.dispose();
      if (backend.name === "cpu")
        await fit(lm, "some text, again and again. ".repeat(40), { steps: 1, seqLen: 16, batchSize: 1 });
      lm.dispose();
      stopBackend(backend.name);
    }
    await setBackend(cpuBackend());
    const model = new Model({
      dModel: 8,
      encoder: { kind: "linear", channels: 1 },
      layers: ["s4d"],
      head: { kind: "classification", classes: 2 },
    });
    await predict(model, [Float32Array.of(1, 2)]);
    model.dispose();
    expect(fetched).not.toHaveBeenCalled();
    expect(connections).toEqual([]);
  });

  it("is asked for the files below the address that was named, and for nothing else", async () => {
    const asked: string[] = [];
    await serving(
      (request, response) => {
        asked.push(`${request.method} ${request.url}`);
        const file = new URL(`.${request.url!.replace("/model/", "/")}`, folder);
        if (!existsSync(file)) return response.writeHead(404).end();
        const whole = readFileSync(file);
        const [, from, to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
        if (from === undefined)
          return response
            .writeHead(200, { "content-length": whole.length })
            .end(request.method === "HEAD" ? undefined : whole);
        const end = to === "" ? whole.length - 1 : Math.min(Number(to), whole.length - 1);
        return response
          .writeHead(206, { "content-range": `bytes ${from}-${end}/${whole.length}` })
          .end(whole.subarray(Number(from), end + 1));
      },
      async (url) => {
        const lm = await load(`${url}/model/`, { backend: "cpu" });
        expect(await lm.complete("The state", { maxNewTokens: 3 })).not.toBe("");
        lm.dispose();
        expect(new Set(connections)).toEqual(new Set([url.slice("http://".length)]));
      },
    );
    const files = asked.map((line) => line.split("/").at(-1)!);
    expect(asked.every((line) => line.includes(" /model/"))).toBe(true);
    // Of the config, its first byte tells whether the folder holds a model or an adapter.
    expect(files.filter((name) => name === "config.json")).toHaveLength(2);
    for (const file of ["tokenizer.json", "generation_config.json"])
      expect(
        files.filter((name) => name === file),
        file,
      ).toHaveLength(1);
    expect(new Set(files)).not.toContain("pytorch_model.bin");
  });
});

describe("a server of ours", () => {
  it("sends the first piece before the text is whole, and notices a client that leaves", async () => {
    const lm = await load(folder, { backend: cpuBackend() });
    let pieces = 0;
    let left: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (left = resolve));
    await serving(
      async (_, response) => {
        const gone = new AbortController();
        response.on("close", () => gone.abort());
        try {
          for await (const piece of lm.stream("The state of the", {
            maxNewTokens: 1e6,
            eosTokenIds: [],
            signal: gone.signal,
          })) {
            pieces++;
            response.write(piece);
          }
        } catch (error) {
          expect((error as Error).name).toBe("AbortedError");
        }
        left();
      },
      async (url) => {
        const client = new AbortController();
        const { body } = await fetch(url, { signal: client.signal });
        const { value } = await body!.getReader().read();
        expect(value!.length).toBeGreaterThan(0);
        client.abort();
        await ended;
        expect(pieces).toBeLessThan(1e5);
      },
    );
    lm.dispose();
  });
});
