import { cpuBackend } from "@statespace/backend-cpu";
import { wasmBackend } from "@statespace/backend-wasm";
import { webGpuBackend } from "@statespace/backend-webgpu";
import {
  AdamW,
  add,
  mul,
  OutOfMemoryError,
  setBackend,
  sum,
  tidy,
  valueAndGrads,
  zeros,
  type Tensor,
} from "@statespace/core";
import { currentBackend, opTable, type AnyBackend } from "@statespace/core/backend";
import { Model, type MixerSettings } from "@statespace/models";
import { beforeAll, describe, expect, it } from "vitest";
import { opCases } from "../src/cases/index.ts";
import { Draw, runCase, upload, type OpCase } from "../src/cases/opCase.ts";
import { describeOn } from "../src/harness/describeOn.ts";

/** Lets so many allocations pass, refuses the next, and tells whether it came to that. */
function refusingAfter(backend: AnyBackend, passing: number, run: () => void): boolean {
  const own = Object.getOwnPropertyDescriptor(backend, "take");
  const take = backend.take.bind(backend);
  let left = passing;
  Object.defineProperty(backend, "take", {
    configurable: true,
    value: (bytes: number) => {
      if (left-- > 0) return take(bytes);
      throw new OutOfMemoryError(`no room for ${bytes} bytes`);
    },
  });
  try {
    run();
    return false;
  } catch (error) {
    if (!(error instanceof OutOfMemoryError)) throw error;
    return true;
  } finally {
    if (own) Object.defineProperty(backend, "take", own);
    else delete (backend as { take?: unknown }).take;
  }
}

/** Refuses each allocation of a function in turn: afterwards nothing more may be held than before. */
function expectNothingKept(run: () => void): void {
  const backend = currentBackend();
  const most = backend.emulated ? 8 : 400; // a card made of software takes its time
  run(); // what is made once and kept, such as tables
  for (let passing = 0; passing < most; passing++) {
    const before = backend.memory().tensors;
    const refused = refusingAfter(backend, passing, run);
    expect([passing, backend.memory().tensors]).toEqual([passing, before]);
    if (!refused) return;
  }
}

const free = (...tensors: readonly (Tensor | null)[]): void => {
  for (const t of tensors) t?.dispose();
};

/** Two cases of each op: the first, and the one with the most inputs. */
const cases: readonly OpCase[] = Object.values(opTable).flatMap((op) => {
  const own = opCases.filter((c) => c.op === op);
  const count = (c: OpCase): number => Object.keys(c.make(new Draw(1))).length;
  return [...new Set([own[0]!, own.reduce((a, b) => (count(b) > count(a) ? b : a))])];
});

for (const backend of [cpuBackend(), wasmBackend(), webGpuBackend()])
  await describeOn(backend, () => {
    beforeAll(() => setBackend(backend));
    describe.each(cases.map((c) => [c.op.spec.name, c.name, c] as const))("%s, %s, refused", (_, __, c) => {
      it("keeps nothing", () => {
        const inputs = upload(c, c.make(new Draw(1)));
        expectNothingKept(() => free(...Object.values(runCase(c, inputs))));
        free(...Object.values(inputs));
      });
      const differentiable = c.op.spec.differentiable as readonly string[];
      if (differentiable.length === 0 || c.face !== undefined) return;
      it("keeps nothing of its gradient", () => {
        const inputs = upload(c, c.make(new Draw(1)));
        const wanted = Object.values(inputs).filter(({ dtype }) => dtype === "float32");
        expectNothingKept(() => {
          const { value, grads } = valueAndGrads(
            () =>
              Object.values(runCase(c, inputs))
                .map((y) => sum(mul(y, y)))
                .reduce((a, b) => add(a, b)),
            wanted,
          );
          free(value, ...grads);
        });
        free(...Object.values(inputs));
      });
    });
  });

const mixers: readonly MixerSettings[] = [
  { kind: "s4", dState: 4, kernelLength: 16 },
  { kind: "s5", dState: 8, blocks: 2 },
  { kind: "mamba", dState: 4 },
  { kind: "mamba2", dState: 4, headDim: 4, chunkSize: 4 },
  { kind: "mamba3", dState: 8, headDim: 4, chunkSize: 4 },
  { kind: "gatedDelta", nHeads: 2, nHeadsKey: 1, dState: 6 },
  { kind: "gru" },
  { kind: "attention", nHeads: 2 },
];

await describeOn(cpuBackend(), () => {
  beforeAll(() => setBackend("cpu"));
  it.each(mixers)("a model of %j and an optimizer keep nothing where they are refused", (mixer) => {
    const config = {
      modelType: "sequence",
      dModel: 8,
      encoder: { kind: "linear", channels: 3 },
      layers: [mixer],
      head: { kind: "regression", outputs: 2 },
    } as const;
    expectNothingKept(() => new Model(config, 1).dispose());
    const model = new Model(config, 1);
    expectNothingKept(() => new AdamW(model.parameters).dispose());
    const optimizer = new AdamW(model.parameters);
    const grads = model.parameters.map(({ value }) => zeros(value.shape));
    expectNothingKept(() => tidy(() => optimizer.step(grads.map((grad) => add(grad, 1)))));
  });
  it.each(mixers)("a model of %j keeps nothing of a call that was refused", (mixer) => {
    const model = new Model(
      {
        modelType: "sequence",
        dModel: 8,
        encoder: { kind: "linear", channels: 3 },
        layers: [mixer, mixer],
        head: { kind: "classification", classes: 4 },
      },
      1,
    );
    const x = upload({ op: opTable["softmax"]! }, { x: new Draw(1).normal([2, 9, 3]) })["x"]!;
    expectNothingKept(() => {
      const { output, state } = model.forward(x, { returnState: true });
      output.dispose();
      state!.dispose();
    });
    const weights = model.parameters.map(({ value }) => value);
    expectNothingKept(() => {
      const { value, grads } = valueAndGrads(() => tidy(() => sum(model.forward(x).output)), weights);
      free(value, ...grads);
    });
    const state = model.initialState(2);
    const token = upload({ op: opTable["softmax"]! }, { x: new Draw(1).normal([2, 3]) })["x"]!;
    expectNothingKept(() => model.step(token, state).dispose());
  });
});
