/**
 * A checkpoint of ours read by Hugging Face transformers: same token ids, same logits, same greedy continuation.
 *
 *   node --conditions=statespace-source examples/09-transformers.ts [--model FOLDER] [--out DIR]
 *
 * Asks `python3` (or $PYTHON) with transformers and torch; where they are not installed it says so and shows our side alone. Without
 * `--model` it takes the bundled checkpoint, which this project trained and wrote. With `--out` the comparison is kept as JSON.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cpuBackend } from "@statespace/backend-cpu";
import { readFloats, registerBackend, setBackend, tensor } from "@statespace/core";
import { openSource } from "@statespace/files";
import { loadTokenizer } from "@statespace/text";
import { fromPretrained, generate } from "@statespace/models";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: fileURLToPath(new URL("../packages/statespace/checkpoint", import.meta.url)) },
    out: { type: "string" },
  },
});
const TEXT = "The state of the Union is strong, and the whale was seen no more: 42 times.";
const NEW_TOKENS = 24;

registerBackend(cpuBackend());
await setBackend("cpu");
const source = openSource(values.model);
const [model, tokenizer] = [await fromPretrained(source), await loadTokenizer(source)];
if (tokenizer === undefined) throw new Error(`${values.model} has no tokenizer.json`);
const ids = [...tokenizer.encode(TEXT)];
const logits = await readFloats(model.forward(tensor(Int32Array.from(ids), [1, ids.length])).output); // [1, l, v]
const greedy: number[] = [];
for await (const { id } of generate(model, [ids], { maxNewTokens: NEW_TOKENS, temperature: 0 })) greedy.push(id);
console.log(`ours: ${ids.length} ids, goes on with ${JSON.stringify(tokenizer.decode(greedy))}`);

interface Theirs {
  readonly versions: { readonly torch: string; readonly transformers: string; readonly python: string };
  readonly model: string;
  readonly ids: readonly number[];
  readonly logits: readonly (readonly number[])[];
  readonly greedy: readonly number[];
}

/** What transformers says of the folder; undefined where it is not installed. */
function askTransformers(): Theirs | undefined {
  const scratch = mkdtempSync(join(tmpdir(), "statespace-transformers-"));
  try {
    const request = join(scratch, "request.json");
    writeFileSync(request, JSON.stringify({ text: TEXT, ids, newTokens: NEW_TOKENS }));
    const { status, stdout, stderr, error } = spawnSync(
      process.env["PYTHON"] ?? "python3",
      [fileURLToPath(new URL("transformersCheck.py", import.meta.url)), values.model, request],
      { encoding: "utf8", maxBuffer: 2 ** 28 },
    );
    if (error !== undefined || status === 3) {
      console.log(`theirs: not asked, ${error?.message ?? stderr.trim()}`);
      return undefined;
    }
    if (status !== 0) throw new Error(`transformers could not read ${values.model}:\n${stderr}`);
    return JSON.parse(stdout) as Theirs;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

const theirs = askTransformers();
if (theirs !== undefined) {
  const expected = theirs.logits.flat();
  const scale = expected.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
  const error = logits.reduce((largest, value, i) => Math.max(largest, Math.abs(value - expected[i]!)), 0) / scale;
  const same = (a: readonly number[], b: readonly number[]): boolean =>
    a.length === b.length && a.every((id, i) => id === b[i]);
  const comparison = {
    ...theirs.versions,
    model: theirs.model,
    ids: same(ids, theirs.ids),
    largestError: error,
    logits: expected.length,
    greedy: same(greedy, theirs.greedy),
    newTokens: NEW_TOKENS,
  };
  console.log(
    `theirs (${theirs.model}, transformers ${comparison.transformers}): ids ${comparison.ids ? "the same" : "differ"}, logits within ${error.toExponential(1)} of the largest, greedy continuation ${comparison.greedy ? "the same" : "differs"}`,
  );
  if (values.out !== undefined) {
    mkdirSync(values.out, { recursive: true });
    writeFileSync(join(values.out, "09-transformers.json"), `${JSON.stringify(comparison, null, 1)}\n`);
  }
  // Both compute in float32 with sums of up to 2 d_inner terms through every layer, in another order.
  if (!(error < 1e-4)) throw new Error(`logits differ by ${error} of the largest`);
  if (!comparison.ids) throw new Error(`token ids differ: ${ids.join(" ")} and ${theirs.ids.join(" ")}`);
  if (!comparison.greedy)
    throw new Error(`greedy continuations differ: ${greedy.join(" ")} and ${theirs.greedy.join(" ")}`);
}
