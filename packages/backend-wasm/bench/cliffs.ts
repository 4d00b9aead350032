// Cliffs: an extent whose neighbours take much less time an element. Each sweep goes through the sizes of one extent with about as many
// elements each; printed are the sizes whose time an element is at least `--from` times (default 2) that of either neighbour, and the
// largest such ratio of every sweep. `node --conditions=statespace-source bench/cliffs.ts [NAME] [--backend cpu] [--from 3] [--all]`
import { parseArgs } from "node:util";
import { setBackend, sum, tensor, valueAndGrads, type Tensor } from "@statespace/core";
import { opTable } from "@statespace/core/backend";
import { wasmBackend } from "../src/index.ts";
import { sweeps, type Point, type Sweep } from "./cliffs/sweeps.ts";
import { interleave, randomFloats, type Contender } from "./timing.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    backend: { type: "string", default: "wasm" },
    from: { type: "string", default: "2" },
    all: { type: "boolean" },
  },
});

function upload({ inputs }: Point): Record<string, Tensor> {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, { shape, ints, low = -1, high = 1 }], i) => {
      const floats = randomFloats(
        shape.reduce((a, b) => a * b, 1),
        i + 1,
      );
      const data = floats.map((x) => low + ((x + 1) / 2) * (high - low));
      return [name, tensor(ints ? Int32Array.from(data, Math.floor) : data, shape, ints ? "int32" : "float32")];
    }),
  );
}

function contender({ op, gradient }: Sweep, point: Point): Contender {
  const tensors = upload(point);
  const floats = Object.values(tensors).filter(({ dtype }) => dtype === "float32");
  const forward = (): Tensor => Object.values(opTable[op]!.run(tensors, point.attrs))[0] as Tensor;
  const run = gradient
    ? (): void => {
        const { value, grads } = valueAndGrads(() => sum(forward()), floats);
        for (const x of [value, ...grads]) x?.dispose();
      }
    : (): void => forward().dispose();
  return { name: String(point.size), run };
}

const name = positionals[0];
if (values.backend === "cpu") await setBackend((await import("@statespace/backend-cpu" as string)).cpuBackend());
else await setBackend(wasmBackend({ threads: 1 }));
for (const sweep of sweeps.filter(({ title }) => name === undefined || title.includes(name))) {
  const times = await interleave(
    sweep.points.map((point) => contender(sweep, point)),
    7,
  );
  const each = times.map(({ cpu }, i) => (1e6 * cpu) / sweep.points[i]!.elements);
  const ratio = (i: number): number => each[i]! / Math.min(each[i - 1] ?? each[i]!, each[i + 1] ?? each[i]!);
  const cliffs = each.map(
    (ns, i) =>
      `${times[i]!.name}: ${ns.toFixed(2)} ns${ratio(i) > Number(values.from) ? ` (${ratio(i).toFixed(1)}x)` : ""}`,
  );
  const worst = Math.max(...each.map((_, i) => ratio(i)));
  console.log(
    `${sweep.title.padEnd(44)} worst ${worst.toFixed(1)}x  ${cliffs.filter((line) => values.all || line.endsWith("x)")).join(", ")}`,
  );
}
process.exit();
