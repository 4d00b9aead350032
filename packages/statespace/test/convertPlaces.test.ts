import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const cli = new URL("../src/cli.ts", import.meta.url).pathname;
const golden = (name: string): string => new URL(`../../conformance/golden/hf/${name}`, import.meta.url).pathname;
/** Runs ONNX graphs by the definitions of their operators. */
const evaluator = new URL("../../models/test/onnx/", import.meta.url).href;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "statespace-places-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

function convert(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    const words = ["--conditions=statespace-source", cli, "convert", ...args];
    execFile(process.execPath, words, { cwd: folder }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

/** Each starts a process, which a busy machine makes wait. */
const SLOW = { timeout: 240_000 };

describe("where statespace convert reads and writes", SLOW, () => {
  it("folders above a file are made; one GGUF file in a folder is that which is meant", async () => {
    const made = await convert(golden("mamba-tiny"), "some/where/m.gguf");
    expect(made.code, made.stderr).toBe(0);
    writeFileSync(path("some/where/mmproj-m.gguf"), "what it sees with");
    const back = await convert("some/where", "back");
    expect(back, back.stderr).toMatchObject({ code: 0, stdout: "back: mamba\n" });
    cpSync(path("some/where/m.gguf"), path("some/where/other.gguf"));
    const several = await convert("some/where", "none");
    expect(several.stderr).toBe(
      "statespace: some/where has several GGUF files; one of them is wanted: m.gguf, other.gguf\n",
    );
    expect(several.code).toBe(1);
  });

  it("a path that Windows would write is the name of a file elsewhere", async () => {
    const made = await convert(golden("mamba-tiny"), String.raw`C:\models\m.onnx`);
    expect(made.code, made.stderr).toBe(0);
    const there = process.platform === "win32" ? existsSync(String.raw`C:\models\m.onnx`) : readdirSync(folder).includes(String.raw`C:\models\m.onnx`); // prettier-ignore
    expect(there).toBe(true);
    const none = await convert(String.raw`C:\models\nothing`, "none");
    expect(none.stderr).toMatch(/nothing: there is no such folder/);
  });

  it.each([
    [
      "a folder in place of a file",
      [golden("mamba-tiny"), "taken", "--to", "gguf"],
      "convert: taken is a folder; a file is to be written",
      2,
    ],
    [
      "a file in place of a folder",
      [golden("mamba-tiny"), "file"],
      "convert: file is a file; a folder is to be written",
      2,
    ],
    ["a file above the file", [golden("mamba-tiny"), "file/m.gguf"], "", 1],
    [
      "a form that is mistyped",
      [golden("mamba-tiny"), "none", "--to", "gguff"],
      "convert: there is no form gguff; gguf may be meant",
      2,
    ],
    [
      "an ONNX file to read",
      ["made.onnx", "none"],
      "made.onnx is an ONNX file, which is written here and not read; the checkpoint that it was made of is wanted",
      1,
    ],
    [
      "a config of one model and weights of another",
      ["mixed", "none"],
      'tensor "backbone.embeddings.weight" is missing, and so are all others that config.json tells of: the weights, such as "model.embed_tokens.weight", are those of another model',
      1,
    ],
  ] as const)("%s is told in a line", async (_, words, message, code) => {
    mkdirSync(path("taken"), { recursive: true });
    writeFileSync(path("file"), "");
    writeFileSync(path("made.onnx"), "");
    cpSync(golden("lfm2-tiny"), path("mixed"), { recursive: true });
    cpSync(join(golden("mamba-tiny"), "config.json"), path("mixed/config.json"));
    const { code: found, stderr } = await convert(...words);
    const [first, ...rest] = stderr.trimEnd().split("\n");
    expect(first).toContain(`statespace: ${message}`);
    expect(rest.length).toBeLessThanOrEqual(1); // no stack
    expect(found).toBe(code);
    expect(readdirSync(folder)).not.toContain("none");
  });
});

/** Installs onnxruntime's face on the evaluator of our tests; FAULT is added to every logit. */
function installRuntime(): void {
  const module = path("node_modules/onnxruntime-node");
  mkdirSync(module, { recursive: true });
  writeFileSync(join(module, "package.json"), JSON.stringify({ name: "onnxruntime-node", main: "index.mjs" }));
  const session = `
import { readFileSync } from "node:fs";
import { evaluate } from "${evaluator}evaluate.ts";
import { readOnnx } from "${evaluator}readOnnx.ts";
export class Tensor {
  constructor(type, data, dims) { Object.assign(this, { type, data, dims }); }
}
const nd = ({ dims, data }) => ({ shape: dims, data: Float64Array.from(data, Number) });
export const InferenceSession = {
  async create(file) {
    const { graph } = readOnnx(readFileSync(file));
    const run = async (feeds) => {
      const found = evaluate(graph, new Map(Object.entries(feeds).map(([name, value]) => [name, nd(value)])));
      return Object.fromEntries(graph.outputs.map(({ name }, i) => {
        const fault = name === "logits" ? Number(process.env.FAULT ?? 0) : 0;
        return [name, new Tensor("float32", Float32Array.from(found[i].data, (x) => x + fault), found[i].shape)];
      }));
    };
    return { inputMetadata: graph.inputs, run, release: async () => {} };
  },
};`;
  writeFileSync(join(module, "index.mjs"), session);
}

async function verified(...words: string[]): Promise<{ code: number; difference: number; same: number }> {
  const { code, stdout, stderr } = await convert(...words, "--verify", "--backend", "cpu", "--json");
  expect(stdout, stderr).not.toBe("");
  return { code, ...(JSON.parse(stdout) as { verified: { difference: number; same: number } }).verified };
}

describe("--verify of an ONNX file", SLOW, () => {
  it("without onnxruntime tells how it is had, and writes nothing", async () => {
    const { code, stderr } = await convert(golden("lfm2-tiny"), "v.onnx", "--verify", "--backend", "cpu");
    expect(stderr).toMatch(
      /--verify of an ONNX file runs it in onnxruntime: `npm install onnxruntime-node` here first/,
    );
    expect(code).toBe(2);
    expect(readdirSync(folder)).not.toContain("v.onnx");
  });

  it.each([
    ["by its own names", [golden("recurrent-gemma-tiny"), "v.onnx"]],
    ["by those of transformers.js", [golden("lfm2-tiny"), "tjs", "--to", "transformers.js"]],
  ] as const)("compares logits in what is installed for the folder, %s", async (_, words) => {
    installRuntime();
    const found = await verified(...words);
    expect(found).toMatchObject({ code: 0, same: 24 });
    expect(found.difference).toBeLessThan(1e-5);
  });

  it("ends with 3 where they differ", async () => {
    installRuntime();
    process.env["FAULT"] = "0.1";
    try {
      expect((await verified(golden("lfm2-tiny"), "f.onnx")).code).toBe(3);
    } finally {
      delete process.env["FAULT"];
    }
  });
});
