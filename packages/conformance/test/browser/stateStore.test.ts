import { cpuBackend } from "@statespace/backend-cpu";
import { registerBackend, setBackend } from "@statespace/core";
import { Model, Scheduler, Session, StateStore } from "@statespace/models";
import { compileGrammar } from "@statespace/models/grammar";
import { ByteTokenizer } from "@statespace/text";
import { beforeAll, expect, it } from "vitest";

const text = Array.from({ length: 40 }, (_, i) => (i * 37) % 256);
let model: Model;

beforeAll(async () => {
  registerBackend(cpuBackend());
  await setBackend("cpu");
  model = new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize: 256 },
      layers: [
        { kind: "mamba", dState: 4 },
        { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
      ],
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.7,
    },
    7,
  );
});

it("states in a page's private file system are there at the next visit, and go on bit for bit", async () => {
  const name = `states-${crypto.randomUUID()}`;
  const options = { prefillChunk: 8 };
  const first = new Session(model, { ...options, store: await StateStore.open(name, { every: 8 }) });
  await first.read(text);
  for await (const _ of first.tokens({ maxNewTokens: 5, temperature: 0, eosTokenIds: [] }));
  const store = await StateStore.open(name, { every: 8 });
  expect(store.stats.states).toBe(6);
  const second = new Session(model, { ...options, store });
  await second.read([...first.ids, 1, 2]);
  expect(second.cachedTokens).toBe(45);
  await first.read([1, 2]);
  expect(await second.state.toBytes()).toEqual(await first.state.toBytes());
  expect(await second.scores()).toEqual(await first.scores());
  // One whose end is lost is no state; nor is a file that began and did not end.
  const folder = await (await navigator.storage.getDirectory()).getDirectoryHandle(name);
  await folder.getFileHandle("begun.state", { create: true });
  for await (const handle of folder.values()) {
    const writer = await (handle as FileSystemFileHandle).createWritable({ keepExistingData: true });
    await writer.truncate(200);
    await writer.close();
  }
  const cut = await StateStore.open(name, { every: 8 });
  expect(cut.stats.states).toBe(0);
  for (const session of [first, second]) session.dispose();
});

it("many texts at once, one of them by a grammar", async () => {
  const tokenizer = new ByteTokenizer();
  const { guide } = await compileGrammar(
    tokenizer,
    { jsonSchema: { type: "boolean" } },
    { vocabSize: 256, eosTokenIds: [] },
  );
  const scheduler = new Scheduler(model, { tokenizer, slots: 2, defaults: { eosTokenIds: [] } });
  const texts = await Promise.all([
    scheduler.submit("is it?", { guide }).text(),
    scheduler.submit("x", { maxNewTokens: 4 }).text(),
  ]);
  expect(["true", "false"]).toContain(texts[0]);
  scheduler.dispose();
});
