import { execFile, spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { cpuBackend } from "@statespace/backend-cpu";
import { AbortedError, setBackend } from "@statespace/core";
import { convert as convertFiles, Model, parseModelConfig, savePretrained } from "@statespace/models";
import { bundledCheckpoint } from "../src/index.ts";

const cli = new URL("../src/cli.ts", import.meta.url).pathname;
const golden = (name: string): string => new URL(`../../conformance/golden/hf/${name}`, import.meta.url).pathname;
const bundled = fileURLToPath(bundledCheckpoint());

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const convert = (...args: string[]): Promise<Outcome> => statespace("convert", ...args);

function statespace(...args: string[]): Promise<Outcome> {
  return new Promise((resolve) => {
    execFile(process.execPath, ["--conditions=statespace-source", cli, ...args], (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
  });
}

let folder: string;
beforeAll(() => void (folder = mkdtempSync(join(tmpdir(), "statespace-convert-"))));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const path = (name: string): string => join(folder, name);

/** Each starts processes, of which some wait for others on a busy machine. */
const SLOW = { timeout: 300_000 };

describe("statespace convert", SLOW, () => {
  it("into a GGUF file and back into a folder: the weights are the same bytes but for what went through a logarithm", async () => {
    const there = await convert(golden("mamba2-tiny"), path("m.gguf"), "--verify", "--backend", "cpu", "--json");
    expect(there.code, there.stderr).toBe(0);
    const told = JSON.parse(there.stdout) as {
      family: string;
      verified: { difference: number; same: number; places: number };
    };
    expect(told).toMatchObject({ family: "gguf:mamba2", verified: { same: 24, places: 24 } });
    expect(told.verified.difference).toBeLessThan(1e-6);
    const looked = await statespace("inspect", "--model", path("m.gguf"));
    expect(looked.code, looked.stderr).toBe(0);
    expect(looked.stdout).toMatch(
      /blk\.0\.ssm_in\.weight +F32 +\[164, 32\][^]*gguf:mamba2: 2 layers of 32, vocabulary 96/,
    );
    const back = await convert(path("m.gguf"), path("back"));
    expect(back.code, back.stderr).toBe(0);
    expect(back.stdout).toBe(`${path("back")}: mamba2\n`);
    const { parseSafetensors } = await import("@statespace/files");
    const tensorsOf = (from: string): ReturnType<typeof parseSafetensors>["tensors"] =>
      parseSafetensors(new Uint8Array(readFileSync(join(from, "model.safetensors")))).tensors;
    const [own, theirs] = [tensorsOf(path("back")), tensorsOf(golden("mamba2-tiny"))];
    expect([...own.keys()].sort()).toEqual([...theirs.keys()].sort());
    for (const [key, { bytes, shape }] of theirs) {
      expect(own.get(key)!.shape, key).toEqual(shape);
      if (!key.endsWith("A_log")) expect(own.get(key)!.bytes, key).toEqual(bytes);
    }
  });

  it("between the forms of the Mamba families, bit for bit", async () => {
    expect((await convert(golden("mamba-tiny"), path("ssm"), "--to", "mamba_ssm")).code).toBe(0);
    const config = JSON.parse(readFileSync(join(path("ssm"), "config.json"), "utf8")) as Record<string, unknown>;
    expect(config).toMatchObject({ d_model: 32, n_layer: 2 });
    expect((await convert(path("ssm"), path("hf"), "--to", "mamba", "--verify", "--backend", "cpu")).code).toBe(0);
    const bytes = (from: string): Buffer => readFileSync(join(from, "model.safetensors"));
    expect(bytes(path("hf")).equals(bytes(golden("mamba-tiny")))).toBe(true);
  });

  it("tokenizer and defaults go along; half-precision weights stay so", async () => {
    expect((await convert(bundled, path("own.gguf"), "--weights", "f16")).code).toBe(0);
    expect((await convert(path("own.gguf"), path("own"))).code).toBe(0);
    const files = readdirSync(path("own"));
    for (const name of ["tokenizer.json", "tokenizer_config.json", "config.json"]) expect(files).toContain(name);
    const size = (name: string): number => statSync(join(path(name), "model.safetensors")).size;
    expect((await convert(path("own"), path("wide"), "--weights", "f32")).code).toBe(0);
    expect(size("own")).toBeLessThan(0.8 * size("wide"));
  });

  it("weights of fewer bits are told, not judged", async () => {
    const { code, stdout, stderr } = await convert(
      golden("lfm2-tiny"),
      path("q.gguf"),
      "--weights",
      "q8",
      "--verify",
      "--backend",
      "cpu",
    );
    expect(code, stderr).toBe(0);
    expect(stdout).toMatch(/q.gguf: gguf:lfm2\nlogits: the largest difference is \d\.\de-\d of the largest; \d+ of 24/);
    expect(stdout).toContain("llama-cli -m");
  });

  it("into an ONNX file of packed weights, and into a folder for transformers.js", async () => {
    const file = await convert(golden("lfm2-tiny"), path("l.onnx"), "--weights", "q4", "--operators", "onnxruntime");
    expect(file.code, file.stderr).toBe(0);
    expect(file.stdout).toContain(`${path("l.onnx")}: onnx\n`);
    const bytes = readFileSync(path("l.onnx"), "latin1");
    for (const operator of ["MatMulNBits", "CausalConvWithState", "com.microsoft"]) expect(bytes).toContain(operator);
    const there = await convert(golden("lfm2-tiny"), path("js"), "--to", "transformers.js", "--opset", "27");
    expect(there.code, there.stderr).toBe(0);
    expect(readdirSync(path("js")).sort()).toEqual(["config.json", "generation_config.json", "onnx"]);
    const filter = await convert(golden("lfm2-tiny"), path("f.onnx"), "--view", "convolution");
    expect([filter.code, filter.stderr]).toEqual([
      2,
      expect.stringContaining("view = convolution is for s4d, s5, lssl"),
    ]);
    const wrong = await convert(golden("lfm2-tiny"), path("w.onnx"), "--opset", "13");
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining("convert: opset must be 20 or 27, got 13")]);
  });

  it("what is wrong: words, forms, formats, models, and a place that would replace what is read", async () => {
    cpSync(golden("mamba-tiny"), path("itself"), { recursive: true });
    const outcomes = await Promise.all([
      convert(golden("mamba-tiny")),
      convert(golden("mamba-tiny"), path("x.gguf"), "--weights", "q8_0"),
      convert(golden("mamba-tiny"), path("x"), "--weights", "q8"),
      convert(golden("mamba-tiny"), path("x"), "--to", "keras"),
      convert(golden("olmo-hybrid-tiny"), path("x.gguf")),
      convert(path("nothing"), path("x.gguf")),
      convert(golden("mamba-tiny"), path("x"), "--to", "mamba_sm"),
      convert(path("itself"), path("itself/../itself"), "--weights", "f16"),
    ]);
    expect(outcomes.map(({ code }) => code)).toEqual([2, 2, 2, 2, 2, 1, 2, 2]);
    const messages = ["IN and OUT are needed", 'did you mean "q8"?', "weights of a folder must be one of f32, f16, bf16", "there is no form keras", "llama.cpp has no architecture", "there is no such folder", "mamba_ssm may be meant", "is what is read; it would be replaced"]; // prettier-ignore
    outcomes.forEach(({ stderr }, i) => expect(stderr).toContain(messages[i]));
    expect(readdirSync(folder).filter((name) => name.startsWith("x"))).toEqual([]);
    for (const name of readdirSync(path("itself")))
      expect(readFileSync(join(path("itself"), name))).toEqual(readFileSync(join(golden("mamba-tiny"), name)));
  });

  it("killed in the middle, it leaves nothing under the final name", async () => {
    // 200 MB of F32, so that there is a middle.
    await setBackend(cpuBackend());
    const model = new Model(
      parseModelConfig({ model_type: "mamba", vocab_size: 64000, hidden_size: 512, num_hidden_layers: 1 }),
      1,
    );
    await savePretrained(model, path("large"));
    model.dispose();
    const child = spawn(process.execPath, ["--conditions=statespace-source", cli, "convert", path("large"), path("large.gguf"), "--weights", "q4_k_m"]); // prettier-ignore
    const ended = new Promise((resolve) => child.once("close", resolve));
    const begun = async (): Promise<void> => {
      while (!readdirSync(folder).some((name) => name.startsWith("large.gguf"))) await new Promise((resolve) => setTimeout(resolve, 10)); // prettier-ignore
    };
    await Promise.race([begun(), ended]);
    expect(child.exitCode).toBeNull();
    child.kill("SIGKILL");
    await ended;
    expect(readdirSync(folder)).not.toContain("large.gguf");
  });
});

describe("a conversion that did not end", SLOW, () => {
  /** 35 MB in 8 layers, so that there are whole tensors before the middle. */
  async function deep(seed: number, layers = 8, name = "deep"): Promise<void> {
    const model = new Model(
      parseModelConfig({ model_type: "mamba", vocab_size: 512, hidden_size: 384, num_hidden_layers: layers }),
      seed,
    );
    await savePretrained(model, path(name));
    model.dispose();
  }
  beforeAll(async () => {
    await setBackend(cpuBackend());
    await deep(1);
    await convertFiles(path("deep"), path("whole.gguf"));
  }, 300_000);
  const unfinished = (where = folder): string[] => readdirSync(where).filter((each) => each.includes("deep") && each.includes(".part")); // prettier-ignore

  /** Converts in a process of its own, which kills itself near the end. */
  function killed(out: string, from = "deep"): Promise<string | null> {
    const script = `import { convert } from "@statespace/models"; import { setBackend } from "@statespace/core"; import { cpuBackend } from "@statespace/backend-cpu";
      await setBackend(cpuBackend());
      await convert(${JSON.stringify(path(from))}, ${JSON.stringify(path(out))}, {
        progress({ loaded, total }) { if (loaded > 0.9 * total) process.kill(process.pid, "SIGKILL"); } });`;
    const child = spawn(process.execPath, ["--conditions=statespace-source", "--input-type=module", "-e", script], {
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      stdio: "ignore",
    });
    return new Promise((resolve) => child.once("close", (_, signal) => resolve(signal)));
  }

  it("of a killed process is gone on with by the same command, and makes the same file", async () => {
    expect(await killed("deep.gguf")).toBe("SIGKILL");
    expect(unfinished()).toHaveLength(1);
    expect(existsSync(path("deep.gguf"))).toBe(false);
    const again = await convert(path("deep"), path("deep.gguf"), "--json");
    expect(again.code, again.stderr).toBe(0);
    expect((JSON.parse(again.stdout) as { resumed: number }).resumed).toBeGreaterThan(8e6);
    expect(readFileSync(path("deep.gguf")).equals(readFileSync(path("whole.gguf")))).toBe(true);
    expect(unfinished()).toEqual([]);
  });

  it("because it was interrupted too; into a folder", async () => {
    const stop = new AbortController();
    const going = convertFiles(path("deep"), path("deep-ssm"), {
      to: "mamba_ssm",
      signal: stop.signal,
      progress: ({ loaded, total }) => (loaded > 0.9 * total ? stop.abort() : undefined),
    });
    await expect(going).rejects.toThrow(AbortedError);
    expect(readdirSync(path("deep-ssm"))).toHaveLength(1);
    const { resumed } = await convertFiles(path("deep"), path("deep-ssm"), { to: "mamba_ssm" });
    expect(resumed).toBeGreaterThan(8e6);
    await convertFiles(path("deep"), path("ssm-at-once"), { to: "mamba_ssm" });
    for (const name of ["pytorch_model.bin", "config.json"])
      expect(readFileSync(join(path("deep-ssm"), name)).equals(readFileSync(join(path("ssm-at-once"), name)))).toBe(true); // prettier-ignore
  });

  it("an ONNX file and its weights beside it: killed, then stopped, then to the same bytes; no half model under the name", async () => {
    // More than 64 MB.
    await deep(3, 18, "wide");
    expect(await killed("deep.onnx", "wide")).toBe("SIGKILL");
    expect(readdirSync(folder).filter((name) => name.startsWith("deep.onnx")).join()).toMatch(/^deep\.onnx\.data\.[0-9a-f]{16}\.\d+\.part$/); // prettier-ignore
    const stop = new AbortController();
    const going = convertFiles(path("wide"), path("deep.onnx"), { signal: stop.signal, progress: () => stop.abort() });
    await expect(going).rejects.toThrow(AbortedError);
    expect(unfinished()).toHaveLength(1);
    expect((await convertFiles(path("wide"), path("deep.onnx"))).resumed).toBeGreaterThan(24e6);
    expect(await convertFiles(path("wide"), path("whole.onnx"))).toEqual({ family: "onnx", resumed: 0 });
    expect(readFileSync(path("deep.onnx.data")).equals(readFileSync(path("whole.onnx.data")))).toBe(true);
    // The graph names its file of weights.
    const graph = (name: string): string => readFileSync(path(name), "latin1").replaceAll(`${name}.data`, "");
    expect(graph("deep.onnx").length).toBe(graph("whole.onnx").length);
    expect(unfinished()).toEqual([]);
    // Other options are another file.
    expect(await killed("deep.onnx", "wide")).toBe("SIGKILL");
    expect(existsSync(path("deep.onnx"))).toBe(true);
    expect(await convertFiles(path("wide"), path("deep.onnx"), { operators: "onnxruntime" })).toMatchObject({ resumed: 0 }); // prettier-ignore
    expect(unfinished()).toEqual([]);
  }, 300_000);

  it("is not gone on with where the weights are others", async () => {
    expect(await killed("deep.gguf")).toBe("SIGKILL");
    await deep(2);
    expect(await convertFiles(path("deep"), path("deep.gguf"))).toMatchObject({ resumed: 0 });
    expect(readFileSync(path("deep.gguf")).equals(readFileSync(path("whole.gguf")))).toBe(false);
    expect(unfinished()).toEqual([]);
  });
});
