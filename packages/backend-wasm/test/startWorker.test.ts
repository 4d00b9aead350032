import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { compileFunction } from "node:vm";
import { ArgumentError, BackendError, matMul, readFloats, setBackend, stopBackend, tensor } from "@statespace/core";
import { afterEach, describe, expect, it, vi } from "vitest";
import { WasmBackend, wasmBackend, type WasmOptions } from "../src/index.ts";
import { workerProgram } from "../src/runtime/workerProgram.ts";

afterEach(() => {
  stopBackend("wasm");
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
});

async function compute(options: WasmOptions): Promise<Float32Array> {
  await setBackend(wasmBackend(options));
  const x = tensor(
    Float32Array.from({ length: 300 * 300 }, (_, i) => Math.sin(i)),
    [300, 300],
  );
  const values = await readFloats(matMul(x, x));
  stopBackend("wasm");
  return values;
}

describe("the workers' program", () => {
  it.each(["worker.js", "worker.mjs"])("also runs from a file, %s", async (name) => {
    const folder = await mkdtemp(join(tmpdir(), "statespace-worker-"));
    try {
      await writeFile(join(folder, name), workerProgram);
      const workerUrl = pathToFileURL(join(folder, name)).href;
      const want = await compute({ threads: 2 });
      expect(await compute({ threads: 2, workerUrl })).toEqual(want);
      expect(await compute({ threads: 2, worker: true, workerUrl })).toEqual(want);
      await expect(WasmBackend.start({ threads: 2, workerUrl: `${workerUrl}.gone` })).rejects.toThrow(
        /worker 1 did not start: .*gone/,
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it("declares no name that its host may have declared already", () => {
    const names = ["exports", "require", "module", "node", "port", "words", "start"];
    expect(() => compileFunction(workerProgram, names)).not.toThrow();
    expect(() => compileFunction(names.map((name) => `const ${name} = 0;`).join("") + workerProgram)).not.toThrow();
  });
});

describe("where a page's policy forbids workers", () => {
  /** What Chromium does: an error that says nothing. */
  class Refused {
    onerror: ((event: { message?: string }) => void) | undefined;
    constructor() {
      setTimeout(() => this.onerror?.({}));
    }
    postMessage(): void {}
    terminate(): void {}
  }
  /** What others do. */
  function Throwing(): never {
    throw new DOMException("Access to the script is denied", "SecurityError");
  }

  describe.each([
    ["silently", Refused],
    ["by an exception", Throwing],
  ])("%s", (_, Worker) => {
    it("threads that were asked for, and a worker, are an error that says what to allow; one thread is the default", async () => {
      const warn = vi.spyOn(console, "warn").mockImplementation(() => {});
      const want = await compute({ threads: 1 });
      vi.spyOn(process, "getBuiltinModule").mockReturnValue(undefined as never);
      vi.stubGlobal("crossOriginIsolated", true);
      vi.stubGlobal("Worker", Worker);
      for (const options of [{ threads: 2 }, { worker: true, threads: 1 }, { worker: true, threads: 2 }]) {
        const failed = WasmBackend.start(options);
        await expect(failed).rejects.toThrow(BackendError);
        await expect(failed).rejects.toThrow(/did not start: .*worker-src blob:.*workerUrl/);
      }
      expect(warn).not.toHaveBeenCalled();
      const backend = await WasmBackend.start();
      expect(backend.threads).toBe(1);
      expect(await compute({})).toEqual(want);
      if (navigator.hardwareConcurrency > 1)
        expect(warn).toHaveBeenCalledWith(expect.stringMatching(/worker-src blob:.*Going on with one thread/));
    });
  });

  it("WebAssembly that may not be compiled is an error that names the source to allow", async () => {
    vi.spyOn(WebAssembly, "compile").mockRejectedValue(new WebAssembly.CompileError("violates the policy"));
    await expect(WasmBackend.start({ threads: 1 })).rejects.toThrow(/violates the policy.*'wasm-unsafe-eval'/);
    vi.stubGlobal("WebAssembly", undefined);
    await expect(WasmBackend.start({ threads: 1 })).rejects.toThrow(/no WebAssembly/);
  });
});

describe("options", () => {
  it("that there are not are refused, with the one that may be meant", async () => {
    for (const [option, meant] of [
      ["thread", "threads"],
      ["num_threads", "threads"],
      ["max_bytes", "maxBytes"],
      ["workerURL", "workerUrl"],
    ] as const) {
      const options: WasmOptions = { [option]: 1 };
      expect(() => wasmBackend(options)).toThrow(new RegExp(`wasmBackend: has no option ${option}; ${meant}`));
      await expect(WasmBackend.start(options)).rejects.toThrow(ArgumentError);
    }
  });
});
