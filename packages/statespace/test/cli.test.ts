import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { parseSafetensors, toInt32Array } from "@statespace/files";
import { describe, expect, it } from "vitest";

const cli = new URL("../src/cli.ts", import.meta.url).pathname;
const golden = (name: string): string => new URL(`../../conformance/golden/hf/${name}`, import.meta.url).pathname;

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function statespace(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["--conditions=statespace-source", cli, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

describe("generate", () => {
  it.each(["mamba-tiny", "falcon-mamba-tiny", "mamba2-tiny"])(
    "gives the reference's greedy tokens for %s",
    async (name) => {
      const expected = [
        ...toInt32Array(
          parseSafetensors(new Uint8Array(readFileSync(`${golden(name)}/expected.safetensors`))).tensors.get(
            "out.greedy",
          )!,
        ),
      ];
      for (const backend of ["cpu", "wasm"]) {
        const { stdout, code } = await statespace(
          "generate",
          "--model",
          golden(name),
          "--ids",
          expected.slice(0, 8).join(","),
          "--max-new-tokens",
          "24",
          "--greedy",
          "--ignore-eos",
          "--backend",
          backend,
          "--json",
        );
        expect(code).toBe(0);
        const result = JSON.parse(stdout) as Record<string, unknown>;
        expect(result["ids"]).toEqual(expected);
        expect(result).toMatchObject({
          backend,
          promptTokens: 8,
          newTokens: 24,
          prefillTokensPerSecond: expect.any(Number),
          decodeTokensPerSecond: expect.any(Number),
        });
      }
    },
  );

  it("streams the same text for the same seed from the bundled model, and says what it ran on", async () => {
    const args = [
      "generate",
      "--max-new-tokens",
      "24",
      "--seed",
      "5",
      "--backend",
      "cpu",
      "--prompt",
      "My fellow citizens",
    ];
    const [first, second] = [await statespace(...args), await statespace(...args)];
    expect(first.code).toBe(0);
    expect(first.stdout.startsWith("My fellow citizens")).toBe(true);
    expect(first.stdout.length).toBeGreaterThan(40);
    expect(second.stdout).toBe(first.stdout);
    expect(first.stderr).toContain("24 tokens on cpu");
  });

  it.each([
    [["generate", "--temperature", "NaN", "--backend", "cpu"], "--temperature must be a number"],
    [["generate", "--top-p=-1", "--backend", "cpu"], "--top-p must be a number in (0, 1]"],
    [
      ["generate", "--model", golden("mamba-tiny"), "--ids", "1,96", "--backend", "cpu"],
      "prompt 0: id 96 at 1 is not in [0, 96)",
    ],
    [["generate", "--model", golden("mamba-tiny"), "--prompt", "text", "--backend", "cpu"], "no tokenizer.json"],
    [["generate", "--model", "/nowhere", "--ids", "1", "--backend", "cpu"], "/nowhere: there is no such folder"],
    [["generate", "--model", golden("."), "--ids", "1", "--backend", "cpu"], "config.json is missing"],
    [["generate", "--backend", "abacus"], '--backend must be one of webgpu, wasm, cpu, got "abacus"'],
    [["generate", "--ids", "1", "--prompt", "x"], "exclude each other"],
    [["dance"], 'no command "dance"'],
    [
      ["generate", "--weights", "int8"],
      '--weights: weights must be one of f32, f16, bf16, q8, q4, got "int8"; did you mean "q8"?',
    ],
    [
      ["generate", "--cache-type", "float16"],
      '--cache-type: cacheType must be one of f32, f16, got "float16"; did you mean "f16"?',
    ],
    [["serve", "--cache-type", "q8"], '--cache-type: cacheType must be one of f32, f16, got "q8"'],
    [["bench", "--weights", "q5"], '--weights: weights must be one of f32, f16, bf16, q8, q4, got "q5"'],
    [["bench", "--tokens", "0"], "--tokens must be a whole number, 1 or more"],
    [["bench", "--prompt", "1.5"], "--prompt must be a whole number, 1 or more"],
    [["inspect", "--weights", "q8"], "--weights is for --text"],
  ])("%j fails with a sentence and a status", async (args, message) => {
    const { code, stderr } = await statespace(...args);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(message);
    expect(stderr).not.toContain("    at "); // no stack: these are the user's faults
  });
});

it("ends quietly when its reader has had enough", async () => {
  const command = `${process.execPath} --conditions=statespace-source ${cli} generate --backend cpu --max-new-tokens 200 --ignore-eos | head -c 30`;
  const { code, stdout, stderr } = await new Promise<Outcome>((resolve) => {
    execFile("bash", ["-o", "pipefail", "-c", command], (error, out, err) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout: out, stderr: err }),
    );
  });
  expect(stdout).toHaveLength(30);
  expect(stderr).not.toContain("    at ");
  expect(code).toBe(0);
});

describe("inspect", () => {
  it("tells what a model makes of a text", async () => {
    const args = ["inspect", "--text", "The state of the Union", "--backend", "cpu"];
    const { stdout, code } = await statespace(...args, "--json");
    expect(code).toBe(0);
    const told = JSON.parse(stdout) as {
      tokens: string[];
      perplexity: number;
      layers: { rms: number; delta: number[] }[];
    };
    expect(told.tokens.join("")).toBe("The state of the Union");
    // The words are those of the texts that it was trained on.
    expect(told.perplexity).toBeGreaterThan(1);
    expect(told.perplexity).toBeLessThan(200);
    expect(told.layers).toHaveLength(7);
    for (const { rms, delta } of told.layers) {
      expect(rms).toBeGreaterThan(0);
      expect(delta).toHaveLength(told.tokens.length);
      expect(Math.min(...delta)).toBeGreaterThan(0);
    }
    const plain = await statespace(...args);
    expect(plain.stdout).toContain(`${told.tokens.length} tokens on cpu, perplexity ${told.perplexity.toFixed(2)}`);
    expect(plain.stdout).toContain("layer  6  rms");
  });

  it("tells what a checkpoint holds", async () => {
    const { stdout, code } = await statespace("inspect", "--model", golden("mamba-tiny"), "--json");
    expect(code).toBe(0);
    const summary = JSON.parse(stdout) as {
      parameters: number;
      bytes: Record<string, number>;
      stateBytes: number;
      tensors: { name: string }[];
    };
    const file = parseSafetensors(new Uint8Array(readFileSync(`${golden("mamba-tiny")}/model.safetensors`)));
    const size = [...file.tensors.values()].reduce((sum, { shape }) => sum + shape.reduce((a, b) => a * b, 1), 0);
    expect(summary.parameters).toBe(size);
    expect(summary.bytes["f32"]).toBe(4 * size);
    expect(summary.stateBytes).toBe(4 * 2 * (64 * 16 + 3 * 64));
    expect(summary.tensors.length).toBe(file.tensors.size);
  });

  it("tells what attention keeps of a token, in floats and in halves", async () => {
    const { stdout } = await statespace("inspect", "--model", golden("lfm2-tiny"), "--json");
    const { tokenBytes, config } = JSON.parse(stdout) as {
      tokenBytes: Record<string, number>;
      config: { layers: readonly { kind: string; nHeadsKv: number; headDim: number }[] };
    };
    const layers = config.layers.filter(({ kind }) => kind === "attention");
    const numbers = layers.reduce((sum, { nHeadsKv, headDim }) => sum + 2 * nHeadsKv * headDim, 0);
    // A float beside them says whether a token is seen.
    expect(tokenBytes).toEqual({ f32: 4 * (numbers + layers.length), f16: 2 * numbers + 4 * layers.length });
    expect(layers.length).toBeGreaterThan(0);
  });

  it("keeps halves where it is told, and says much the same", async () => {
    const args = ["generate", "--model", golden("lfm2-tiny"), "--ids", "1,2,3,4,5,6", "--max-new-tokens", "4", "--greedy", "--backend", "cpu", "--json"]; // prettier-ignore
    const [floats, halves] = [await statespace(...args), await statespace(...args, "--cache-type", "f16")];
    expect(JSON.parse(halves.stdout).newIds).toEqual(JSON.parse(floats.stdout).newIds);
  });
});
