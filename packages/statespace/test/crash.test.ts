import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundledCheckpoint, cpuBackend, load, open, type LoadedModel } from "../src/index.ts";

const cli = new URL("../src/cli.ts", import.meta.url).pathname;
const sources = "--conditions=statespace-source";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "crash-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Ends a process as a power cut does, and waits until it is gone. */
async function kill(child: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => void child.once("close", resolve));
  child.kill("SIGKILL");
  await gone;
}

async function startServer(cache: string): Promise<{ client: OpenAI; url: string; child: ChildProcess }> {
  const words = ["serve", "--backend", "cpu", "--port", "0", "--cache-dir", cache, "--cache-mb", "64", "--json"];
  const child = spawn(process.execPath, [sources, cli, ...words], { stdio: ["ignore", "pipe", "inherit"] });
  const line = await new Promise<string>((resolve) => void child.stdout!.once("data", (d: Buffer) => resolve(`${d}`)));
  const { url } = JSON.parse(line) as { url: string };
  return { client: new OpenAI({ baseURL: `${url}/v1`, apiKey: "none", maxRetries: 0 }), url, child };
}

/** What the metrics say of something. */
async function metric(url: string, name: string): Promise<number> {
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(new RegExp(`^statespace_${name} (\\S+)$`, "m").exec(text)?.[1]);
}

describe("kill -9", () => {
  it("loses no state that a server kept: the next one goes on from all of them, with the same words", async () => {
    const cache = join(folder, "states");
    const said = new Map<string, string>();
    const body = { model: "bundled", max_tokens: 6, temperature: 0 };
    for (let round = 0; round < 3; round++) {
      const { client, url, child } = await startServer(cache);
      const kept = readdirSync(cache).filter((name) => name.endsWith(".state")).length;
      expect(await metric(url, "states_kept")).toBe(kept);
      // What was said before the cut is there, word for word, and is not read again.
      for (const [prompt, answer] of said) {
        const again = await client.completions.create({ ...body, prompt });
        expect(again.choices[0]!.text).toBe(answer);
        const { prompt_tokens: all, prompt_tokens_details: known } = again.usage!;
        expect(known!.cached_tokens).toBe(all);
      }
      const prompts = Array.from({ length: 4 }, (_, i) => `In round ${round} the state of text ${i}`);
      for (const prompt of prompts) {
        const { choices } = await client.completions.create({ ...body, prompt });
        said.set(prompt, choices[0]!.text);
      }
      // Cut off while others are read, said and kept.
      const others = Array.from({ length: 12 }, (_, i) =>
        client.completions.create({ ...body, prompt: `others ${round} ${i} `.repeat(4) }).catch(() => undefined),
      );
      await wait(40 + 60 * round);
      await kill(child);
      await Promise.all(others);
    }
  }, 120_000);

  it("while a session is saved over and over leaves the file of before, or the new one, never less", async () => {
    const file = join(folder, "kept.safetensors");
    const program = join(folder, "saving.ts");
    const face = new URL("../src/index.ts", import.meta.url).href;
    writeFileSync(
      program,
      `import { bundledCheckpoint, cpuBackend, load, save } from ${JSON.stringify(face)};
      const lm = await load(bundledCheckpoint(), { backend: cpuBackend() });
      const session = lm.session();
      await session.read("The state of the");
      for (let i = 0; ; i++) {
        await save(session, ${JSON.stringify(file)});
        if (i === 0) console.log("begun");
        for await (const _ of session.tokens({ maxNewTokens: 1, eosTokenIds: [], temperature: 0 }));
      }`,
    );
    const lm: LoadedModel = await load(bundledCheckpoint(), { backend: cpuBackend() });
    for (let round = 0; round < 3; round++) {
      const child = spawn(process.execPath, [sources, program], { stdio: ["ignore", "pipe", "inherit"] });
      await new Promise((resolve) => void child.stdout!.once("data", resolve));
      await wait(20 + 37 * round);
      await kill(child);
      const session = lm.session().restore(await open(file));
      const plain = lm.session();
      await plain.read("The state of the");
      const said = session.ids.length - plain.ids.length;
      for await (const _ of plain.tokens({ maxNewTokens: said, eosTokenIds: [], temperature: 0 }));
      expect(session.ids).toEqual(plain.ids);
      expect(await session.scores()).toEqual(await plain.scores());
      for (const each of [session, plain]) each.dispose();
    }
    lm.dispose();
  }, 120_000);
});
