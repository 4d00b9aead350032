import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WasmBackend } from "@statespace/backend-wasm";
import { WebGpuBackend } from "@statespace/backend-webgpu";
import { currentBackend, startBackend } from "@statespace/core/backend";
import { loadWeights, Scheduler, StateStore, type Session } from "@statespace/models";
import {
  add,
  ByteTokenizer,
  cpuBackend,
  capture,
  DeviceLostError,
  exp,
  fit,
  load,
  memoryStore,
  Model,
  readFloats,
  savePretrained,
  setBackend,
  stopBackend,
  tensor,
  tidy,
  wasmBackend,
  webGpuBackend,
  writeInto,
  zeros,
  type BackendDefinition,
  type FitOptions,
  type LoadedModel,
  type LoadOntoOptions,
  type TrainingEvent,
} from "statespace";
import { serve } from "../src/server/serve.ts";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";

const scripts: string = new URL("../../../scripts/browser.mjs", import.meta.url).href;
const { findVulkan } = (await import(scripts)) as { findVulkan(): { env: Record<string, string> } };
Object.assign(process.env, findVulkan().env); // before Dawn starts

/** A way in which a device goes away. */
interface Loss {
  readonly title: string;
  readonly definition: BackendDefinition;
  lose(): Promise<void>;
}

const heard = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));

function wasm(): WasmBackend {
  const backend = currentBackend();
  if (!(backend instanceof WasmBackend)) throw new Error("not wasm");
  return backend;
}

const losses: readonly Loss[] = [
  {
    title: "wasm, a thread's worker killed",
    definition: wasmBackend({ threads: 2, workerTimeout: 500 }),
    async lose() {
      wasm().machine.pool.terminate(0);
      await heard();
    },
  },
  {
    title: "wasm in a worker, which is killed",
    definition: wasmBackend({ threads: 2, worker: true, workerTimeout: 500 }),
    async lose() {
      const { machine } = wasm();
      if (!("terminate" in machine && typeof machine.terminate === "function")) throw new Error("not in a worker");
      machine.terminate();
      await heard();
    },
  },
  {
    title: "webgpu, the device destroyed",
    definition: webGpuBackend(),
    async lose() {
      const backend = currentBackend();
      if (!(backend instanceof WebGpuBackend)) throw new Error("not webgpu");
      backend.device.destroy();
      await backend.device.lost;
    },
  },
];

async function whyNot(definition: BackendDefinition): Promise<string | undefined> {
  try {
    await startBackend(definition);
    stopBackend(definition.name);
    return undefined;
  } catch (error) {
    if ((process.env["EXPECT_BACKENDS"] ?? "").split(",").includes(definition.name)) throw error;
    return (error as Error).message;
  }
}
const reasons = await Promise.all([whyNot(losses[0]!.definition), undefined, whyNot(losses[2]!.definition)]);

const place = mkdtempSync(join(tmpdir(), "lost-"));
/** Of the software device that stands in for a card, each new one compiles all shaders again: there is a smaller model for it. */
const folderFor = (name: string): string => join(place, name === "webgpu" ? "small" : "hybrid");
const MAMBA = { kind: "mamba2", nHeads: 4, headDim: 16, dState: 8, chunkSize: 8 } as const;
const ATTENTION = { kind: "attention", nHeads: 2, rotaryDim: 4 } as const;
beforeAll(async () => {
  await setBackend(cpuBackend());
  const files = { "tokenizer.json": new ByteTokenizer().toJson() };
  for (const name of ["webgpu", "wasm"]) {
    const config = {
      dModel: 32,
      encoder: { kind: "embedding", vocabSize: 256 },
      layers: name === "webgpu" ? [MAMBA] : [MAMBA, ATTENTION],
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.3,
    } as const;
    await savePretrained(new Model(config, 5), folderFor(name), { files });
  }
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

const PROMPT = "The ship ";
const TEXTS = ["The sea was calm.", "The sea was wild.", "The ship went down.", "The crew went ashore."];
const GREEDY = { maxNewTokens: 4, temperature: 0 } as const;

async function scores(lm: LoadedModel): Promise<Float32Array> {
  const session = lm.session();
  try {
    await session.read(PROMPT);
    return await session.scores();
  } finally {
    session.dispose();
  }
}

for (const [i, { title, definition, lose }] of losses.entries()) {
  const timeout = definition.name === "webgpu" ? 240_000 : 60_000;
  describe.skipIf(reasons[i] !== undefined)(
    `${title}${reasons[i] === undefined ? "" : `: ${reasons[i]}`}`,
    { timeout },
    () => {
      const base = folderFor(definition.name);
      beforeEach(() => setBackend(definition));
      afterEach(() => stopBackend(definition.name));
      const open = (options: LoadOntoOptions = {}): Promise<LoadedModel> => load(base, { recover: true, ...options });

      it("is one typed error of every call, which says what to do; recover() opens a fresh device in its place", async () => {
        const x = tensor([1, 2, 3]);
        const graph = capture(() => exp(x));
        const backend = currentBackend();
        await lose();
        expect(backend.lost).toBeInstanceOf(DeviceLostError);
        expect(backend.lost!.message).toMatch(/await backend\.recover\(\)/);
        await expect(readFloats(x)).rejects.toBe(backend.lost);
        for (const call of [
          () => exp(x),
          () => add(x, x),
          () => zeros([3]),
          () => zeros([3], { backend: definition.name }),
          () => zeros([3], { backend }),
          () => tensor([1]),
          () => writeInto(x, Float32Array.of(1, 2, 3)),
          () => graph.replay(),
          () => x.dataSync(),
        ])
          expect(call).toThrow(backend.lost);
        const [fresh, same] = await Promise.all([backend.recover(), backend.recover()]);
        expect(fresh).toBe(same);
        expect(fresh).not.toBe(backend);
        expect(currentBackend()).toBe(fresh);
        expect(await backend.recover()).toBe(fresh);
        expect([...(await readFloats(add(tensor([1, 2, 3]), zeros([3], { backend }))))]).toEqual([1, 2, 3]);
        // What was on the old device stays lost, beside new tensors too, and can be disposed.
        expect(() => exp(x)).toThrow(backend.lost);
        expect(() => add(x, tensor([1, 2, 3]))).toThrow(backend.lost);
        expect(() => add(tensor([1, 2, 3]), x)).toThrow(backend.lost);
        graph.dispose();
        x.dispose();
      });

      it("setBackend starts it anew as well", async () => {
        const before = currentBackend();
        await lose();
        await setBackend(definition);
        expect(before.latest).toBe(currentBackend());
        expect([...(await readFloats(tensor([4])))]).toEqual([4]);
      });

      it("a model that was loaded with recover comes back with the next call: the same logits, bit for bit", async () => {
        const lm = await open();
        const want = await scores(lm);
        const text = await lm.complete(PROMPT, GREEDY);
        const stream = lm.stream(PROMPT, { ...GREEDY, maxNewTokens: 500 });
        await stream.next();
        await lose();
        await expect(
          (async () => {
            for await (const _ of stream);
          })(),
        ).rejects.toThrow(DeviceLostError);
        expect(await scores(lm)).toEqual(want);
        expect(await lm.complete(PROMPT, GREEDY)).toBe(text);
        await lose();
        await lm.model.backend.recover();
        expect(lm.model.isLost).toBe(false);
        expect(await scores(lm)).toEqual(want);
        lm.dispose();
      });

      it("packed weights come back packed, however they became so", async () => {
        const lm = await open({ weights: "q8" });
        const other = await open();
        await other.model.quantize("q4");
        const want = [await scores(lm), await scores(other)];
        await lose();
        expect([await scores(lm), await scores(other)]).toEqual(want);
        expect(new Set(other.model.formats.values())).toEqual(new Set(["q4"]));
        lm.dispose();
        other.dispose();
      });

      it("one that was loaded without it says so, and comes back with recover()", async () => {
        const lm = await load(base);
        const want = await scores(lm);
        await lose();
        await expect(lm.complete(PROMPT, GREEDY)).rejects.toThrow(/DeviceLost|went with their device.*lm\.recover\(\)/);
        await lm.model.backend.recover();
        await expect(lm.complete(PROMPT, GREEDY)).rejects.toThrow(DeviceLostError);
        await expect(lm.inspect(PROMPT)).rejects.toThrow(DeviceLostError);
        await lm.recover();
        expect(await scores(lm)).toEqual(want);
        lm.dispose();
      });

      it("adapters from files are on again, merged or not; one that was never saved is a typed error until it is off", async () => {
        const adapted = join(place, `adapter-${i}`);
        const lm = await open();
        const plain = await scores(lm);
        await fit(lm, TEXTS, {
          steps: 2,
          batchSize: 2,
          seqLen: 8,
          heldOut: 0,
          learningRate: 1e-2,
          adapter: { rank: 2, notice: () => {} },
        });
        await lm.save(adapted);
        const tuned = await scores(lm);
        expect(tuned).not.toEqual(plain);
        const loaded = await open({ adapter: { own: adapted } });
        expect(await scores(loaded)).toEqual(tuned);
        const merging = await open({ adapter: adapted });
        await merging.adapters.get("default")!.merge();
        const merged = await scores(merging);
        await lose();
        expect(await scores(loaded)).toEqual(tuned);
        expect(loaded.adapters.get("own")!.isOn).toBe(true);
        expect(await scores(merging)).toEqual(merged);
        expect(merging.adapters.get("default")!.isMerged).toBe(true);
        merging.adapters.get("default")!.unmerge();
        expect(await scores(merging)).toEqual(tuned);
        await expect(scores(lm)).rejects.toThrow(/never saved/);
        await expect(scores(lm)).rejects.toThrow(DeviceLostError);
        lm.useAdapter();
        expect(await scores(lm)).toEqual(plain);
        for (const each of [lm, loaded, merging]) each.dispose();
      });

      it("weights that were trained since are not replaced in silence", async () => {
        const lm = await open();
        await fit(lm, TEXTS, { steps: 1, batchSize: 2, seqLen: 8, heldOut: 0 });
        await lose();
        await expect(scores(lm)).rejects.toThrow(/trained since they were loaded/);
        await expect(scores(lm)).rejects.toThrow(DeviceLostError);
        lm.dispose();
      });

      it("a model that was made here takes weights again on the fresh device", async () => {
        const lm = await load(base);
        const model = new Model(lm.model.config, 3);
        await lose();
        await lm.model.backend.recover();
        await loadWeights(model, base);
        await lm.recover();
        const ids = tensor(Int32Array.of(1, 2, 3), [1, 3]);
        const logits = (m: Model): Promise<Float32Array> => readFloats(tidy(() => m.forward(ids).output));
        expect(await logits(model)).toEqual(await logits(lm.model));
        lm.dispose();
        model.dispose();
      });

      it("a session with a store goes on with its text; one without is a typed error until it is restored or cleared", async () => {
        const lm = await open();
        const said = async (session: Session, options = GREEDY): Promise<string> => {
          let text = "";
          for await (const piece of session.stream(options)) text += piece;
          return text;
        };
        const whole = await lm.session().read(PROMPT);
        await said(whole);
        const rest = await said(whole);
        const session = await lm.session({ store: new StateStore({ every: 4 }) }).read(PROMPT);
        const bare = await lm.session().read(PROMPT);
        await said(session);
        await said(bare);
        const saved = await bare.save();
        await lose();
        await expect(said(bare)).rejects.toThrow(/state went with the device/);
        await expect(said(bare)).rejects.toThrow(DeviceLostError);
        expect(await said(session)).toBe(rest);
        expect(await said(bare.restore(saved))).toBe(rest);
        await lose();
        await expect(bare.save()).rejects.toThrow(DeviceLostError);
        bare.clear();
        await bare.read(PROMPT);
        await said(bare);
        expect(await said(bare)).toBe(rest);
        for (const each of [whole, session, bare]) each.dispose();
        lm.dispose();
      });

      it("a server answers 503 to what was running, and the next request as before", async () => {
        const lm = await open();
        const server = await serve({ models: [{ name: "tiny", lm }], port: 0, slots: 2 });
        const ask = (max_tokens: number): Promise<Response> =>
          fetch(`${server.url}/v1/completions`, {
            method: "POST",
            headers: { "content-type": "application/json" },
            body: JSON.stringify({ model: "tiny", prompt: PROMPT, max_tokens, temperature: 0 }),
          });
        const textOf = async (response: Response): Promise<unknown> =>
          ((await response.json()) as { choices: readonly { text: string }[] }).choices[0]!.text;
        const want = await textOf(await ask(3));
        const running = ask(100_000); // as long as it is not lost
        const runs = async (): Promise<boolean> =>
          /^statespace_texts_running\S* [1-9]/m.test(await (await fetch(`${server.url}/metrics`)).text());
        while (!(await runs())) await new Promise((resolve) => setTimeout(resolve, 5));
        await lose();
        const failed = await running;
        expect(failed.status).toBe(503);
        expect(await failed.json()).toMatchObject({ error: { code: "device_lost" } });
        expect(await textOf(await ask(3))).toBe(want);
        await server.stop();
        lm.dispose();
      });

      it("a scheduler fails what it was at, and goes on with the next text", async () => {
        const lm = await open();
        const { model, tokenizer } = lm;
        const scheduler = new Scheduler(model, { tokenizer, slots: 2, store: new StateStore() });
        const all = async (options: object, begun = (): void => undefined): Promise<string> => {
          let text = "";
          for await (const piece of scheduler.submit(PROMPT, { ...GREEDY, ...options })) {
            text += piece.text;
            begun();
          }
          return text;
        };
        const want = await all({});
        let begun = (): void => undefined;
        const running = new Promise<void>((resolve) => (begun = resolve));
        const cut = all({ maxNewTokens: 100_000 }, begun);
        cut.catch(() => undefined);
        await running;
        await lose();
        await expect(cut).rejects.toThrow(DeviceLostError);
        expect(await all({})).toBe(want);
        await lose(); // while nobody waits
        expect(await all({})).toBe(want);
        scheduler.dispose();
        lm.dispose();
      });

      describe("fit with recover", () => {
        const SHORT: FitOptions = { steps: 6, batchSize: 2, seqLen: 8, learningRate: 1e-2, seed: 1, evaluateEvery: 3 };

        /** Losses by step, and what came after the loss of the device at some of them. */
        async function run(lm: LoadedModel, options: FitOptions, at: readonly number[]): Promise<Map<number, number>> {
          const losses = new Map<number, number>();
          const left = new Set(at);
          let last: Promise<void> | undefined;
          const onEvent = (event: TrainingEvent): void => {
            if (event.kind !== "step") return;
            losses.set(event.step, event.loss);
            if (left.delete(event.step)) last = lose();
          };
          await fit(lm, TEXTS, { ...SHORT, ...options, onEvent });
          await last;
          expect(left.size).toBe(0);
          return losses;
        }

        it("goes on from the newest checkpoint as if nothing had happened, also before the first and twice", async () => {
          const first = await open();
          const want = await run(first, {}, []);
          const trained = await scores(first);
          first.dispose();
          const lm = await open();
          const options = { recover: true, checkpoints: memoryStore(), checkpointEvery: 2 };
          expect(await run(lm, options, [1, 4])).toEqual(want);
          expect(await scores(lm)).toEqual(trained);
          lm.dispose();
        });

        it("an adapter too, on weights that come from their source", async () => {
          const adapter = { rank: 2, notice: () => {} };
          const first = await open({ weights: "q8" });
          const want = await run(first, { adapter }, []);
          const trained = await scores(first);
          first.dispose();
          const lm = await load(base, { weights: "q8" });
          const options = { recover: true, checkpoints: memoryStore(), checkpointEvery: 2, adapter };
          expect(await run(lm, options, [3])).toEqual(want);
          expect(await scores(lm)).toEqual(trained);
          lm.dispose();
        });

        it("refuses what it could not keep: no checkpoints, weights that come from nowhere", async () => {
          const lm = await open();
          await expect(fit(lm, TEXTS, { ...SHORT, recover: true })).rejects.toThrow(/recover needs checkpoints/);
          const { model, tokenizer } = lm;
          const bare = { ...SHORT, recover: true, checkpoints: memoryStore(), adapter: { rank: 2, notice: () => {} } };
          await expect(fit({ model, tokenizer }, TEXTS, bare)).rejects.toThrow(/needs a model that was loaded/);
          lm.dispose();
        });
      });
    },
  );
}
