// What JavaScript itself takes, kernels left out: one small op, and a training step of a 2-layer Mamba.
//   node --conditions=statespace-source packages/conformance/bench/host.ts [--rounds 9] [--against FOLDER]
// `against` is another checkout of this repository with its packages installed and wasm's binaries compiled. The two take turns, each round in a
// fresh process, so that both see the same machine.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const { values: args } = parseArgs({
  options: { rounds: { type: "string", default: "9" }, against: { type: "string" }, measure: { type: "string" } },
});
const own = fileURLToPath(new URL("../../..", import.meta.url));

/** Microseconds of this process a call, after a warm-up: the best of some batches. Time of others on the machine does not count. */
function time(run: () => void, calls: number): number {
  for (let i = 0; i < 2 * calls; i++) run();
  const batches = Array.from({ length: 9 }, () => {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) run();
    const { user, system } = process.cpuUsage(before);
    return (user + system) / calls;
  });
  return Math.min(...batches);
}

/** Measures the checkout in `root`. */
async function measure(root: string): Promise<Record<string, number>> {
  const require = createRequire(`${root}/packages/conformance/package.json`);
  const load = (name: string): Promise<unknown> => import(pathToFileURL(require.resolve(name)).href);
  const core = (await load("@statespace/core")) as typeof import("@statespace/core");
  const { cpuBackend } = (await load("@statespace/backend-cpu")) as typeof import("@statespace/backend-cpu");
  const { WasmBackend, wasmBackend } = (await load(
    "@statespace/backend-wasm",
  )) as typeof import("@statespace/backend-wasm");
  const models = (await load("@statespace/models")) as typeof import("@statespace/models");
  // Checkouts from before there was one class of models call it LanguageModel.
  const Model = models.Model ?? (models as unknown as { LanguageModel: typeof models.Model }).LanguageModel;

  await core.setBackend(cpuBackend());
  const [a, b] = [core.tensor([1, 2, 3, 4]), core.tensor([5, 6, 7, 8])];
  const add = time(() => core.add(a, b).dispose(), 50_000);

  const backend = await WasmBackend.start({ threads: 1 });
  Object.assign(backend, { execute: (): void => {} }); // launches are prepared and not run
  await core.setBackend({ ...wasmBackend(), create: () => backend });
  const model = new Model(
    models.parseModelConfig({
      model_type: "mamba",
      hidden_size: 32,
      num_hidden_layers: 2,
      vocab_size: 64,
      state_size: 8,
    }),
  );
  const optimizer = new core.AdamW(model.parameters);
  const ids = core.tensor(
    Int32Array.from({ length: 32 }, (_, i) => i),
    [2, 16],
  );
  const values = optimizer.parameters.map((parameter) => parameter.value);
  const step = time(() => {
    const { value, grads } = core.valueAndGrads(() => model.loss(ids, ids), values);
    optimizer.step(grads);
    for (const t of [value, ...grads]) t?.dispose();
  }, 200);
  return { "add [4] on cpu": add, "training step, 2 layers": step };
}

const median = (numbers: readonly number[]): number => [...numbers].sort((x, y) => x - y)[numbers.length >> 1]!;

if (args.measure !== undefined) {
  console.log(JSON.stringify(await measure(args.measure)));
} else {
  const roots = args.against === undefined ? [own] : [own, args.against];
  const rounds = Array.from({ length: Number(args.rounds) }, () =>
    roots.map((root) => {
      const file = fileURLToPath(import.meta.url);
      const flags = ["--conditions=statespace-source", file, "--measure", root];
      return JSON.parse(execFileSync(process.execPath, flags, { encoding: "utf8" })) as Record<string, number>;
    }),
  );
  for (const name of Object.keys(rounds[0]![0]!)) {
    const [here, there] = roots.map((_, at) => median(rounds.map((round) => round[at]![name]!)));
    const ratio = median(rounds.map(([x, y]) => x![name]! / (y ?? x!)[name]!));
    const against =
      there === undefined ? "" : `, against ${there.toFixed(2)} us: ${ratio.toFixed(3)} (median of ratios)`;
    console.log(`${name}: ${here!.toFixed(2)} us${against}`);
  }
}
