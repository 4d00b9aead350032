import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cpuBackend } from "@statespace/backend-cpu";
import { ArgumentError, setBackend } from "@statespace/core";
import { folderSource } from "@statespace/files";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { convert, fromPretrained, Model, type ModelConfig } from "../../src/index.ts";
import { saveOnnx } from "../../src/onnx/index.ts";
import { expectLogitsOf } from "./expectLogits.ts";
import { readOnnx } from "./readOnnx.ts";

const golden = new URL("../../../conformance/golden/hf/", import.meta.url);
const NAMES = ["mamba-tiny", "falcon-mamba-tiny", "mamba2-tiny", "falcon-h1-norm", "granite-h-tiny", "bamba-tiny", "nemotron-h-tiny", "lfm2-tiny", "qwen3.5-tiny", "olmo-hybrid-tiny", "lfm2-moe-tiny", "nemotron-h-moe-tiny", "qwen3-next-tiny", "jamba-tiny", "recurrent-gemma-tiny", "zamba2-tiny"]; // prettier-ignore

let folder: string;
beforeAll(async () => {
  await setBackend(cpuBackend());
  folder = mkdtempSync(join(tmpdir(), "statespace-onnx-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe.each(NAMES)("%s, run by the definitions of ONNX's operators", (name) => {
  it("has the logits of the model: a prompt at once, then tokens with the states carried on", async () => {
    const model = await fromPretrained(folderSource(new URL(`${name}/`, golden)));
    const file = join(folder, "model.onnx");
    await saveOnnx(model, file);
    const { opset, graph } = readOnnx(readFileSync(file));
    expect(opset).toBe(20);
    await expectLogitsOf(model, graph);
    model.dispose();
  });
});

describe("the file", () => {
  it("has names for what goes in and out, and free axes", async () => {
    const model = await fromPretrained(folderSource(new URL("lfm2-tiny/", golden)));
    await saveOnnx(model, join(folder, "l.onnx"));
    model.dispose();
    const { graph } = readOnnx(readFileSync(join(folder, "l.onnx")));
    expect(graph.inputs.find(({ name }) => name === "ids")!.shape).toEqual(["batch", "length"]);
    expect(graph.outputs[0]).toEqual({ name: "logits", shape: ["batch", "length", 96] });
    const names = graph.inputs.map(({ name }) => name).filter((name) => name !== "ids");
    expect(graph.outputs.slice(1).map(({ name }) => name.replace("state_out.", "state."))).toEqual(names);
    expect(names).toContain("state.0.conv");
    expect(graph.inputs.find(({ name }) => name.endsWith("keys"))!.shape[1]).toBe("past");
  });

  it("with external data: the weights lie beside it, at multiples of 4096, and are the model's", async () => {
    const model = await fromPretrained(folderSource(new URL("mamba-tiny/", golden)));
    await saveOnnx(model, join(folder, "e.onnx"), { externalData: true });
    const { graph } = readOnnx(readFileSync(join(folder, "e.onnx")));
    const data = readFileSync(join(folder, "e.onnx.data"));
    const weights = graph.constants.filter(({ external }) => external.size > 0);
    expect(weights.length).toBeGreaterThan(10);
    for (const { name, external } of weights) {
      expect(external.get("location")).toBe("e.onnx.data");
      const [offset, length] = [Number(external.get("offset")), Number(external.get("length"))];
      expect(offset % 4096).toBe(0);
      const bytes = new Uint8Array(data.subarray(offset, offset + length));
      expect(new Float32Array(bytes.buffer), name).toEqual(await model.parameter(name).read());
    }
    model.dispose();
  });

  it("convert writes the same from a folder, without loading the model", async () => {
    const from = new URL("mamba2-tiny/", golden);
    const model = await fromPretrained(folderSource(from));
    await saveOnnx(model, join(folder, "a.onnx"));
    model.dispose();
    expect(await convert(folderSource(from), join(folder, "b.onnx"))).toEqual({ family: "onnx", resumed: 0 });
    expect(readFileSync(join(folder, "b.onnx")).equals(readFileSync(join(folder, "a.onnx")))).toBe(true);
  });

  it("what has no graph is told, and nothing is left", async () => {
    const config = (layer: object): ModelConfig => ({ modelType: "statespace", dModel: 8, norm: "rms", encoder: { kind: "embedding", vocabSize: 16 }, head: { kind: "language" }, layers: [layer] }) as unknown as ModelConfig; // prettier-ignore
    const fails = async (made: ModelConfig, message: RegExp): Promise<void> => {
      const model = new Model(made, 1);
      const error = await saveOnnx(model, join(folder, "x.onnx")).catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(ArgumentError);
      expect((error as Error).message).toMatch(message);
      model.dispose();
    };
    await fails(config({ kind: "mamba3" }), /layers.0: mixers of kind mamba3 are not written/);
    await fails(config({ kind: "attention", dConv: 4 }), /attention cannot have dConv = 4/);
    await fails(config({ kind: "attention", sinks: true }), /attention cannot have sinks/);
    const scaled = { type: "dynamic", factor: 2 };
    await fails(
      config({ kind: "attention", rotaryScaling: scaled }),
      /attention cannot have rotaryScaling of type dynamic/,
    );
    const model = new Model(config({ kind: "mamba" }), 1);
    await expect(saveOnnx(model, join(folder, "x.onnx"), { opset: 9 } as object)).rejects.toThrow(
      /saveOnnx: opset must be 20 or 27, got 9/,
    );
    await expect(saveOnnx(model, join(folder, "x.onnx"), { signal: AbortSignal.abort() })).rejects.toThrow(/abort/i);
    model.dispose();
    expect(readdirSync(folder).filter((name) => name.startsWith("x.onnx"))).toEqual([]);
  });
});
