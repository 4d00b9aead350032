// The product of 512 x 768 x 3072 against other JavaScript libraries in one run: forward (A B^T, a linear layer) and the two products
// of its backward pass. Every contender is checked against plain JavaScript on some elements before it is timed.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { init, numpy as np } from "@jax-js/jax";
import { WasmBackend } from "../src/index.ts";
import { wasmKernels } from "../src/ops/index.ts";
import { interleave, randomFloats, type Contender } from "./timing.ts";

// Both of tfjs's Node builds are CommonJS; its ES modules do not load in plain Node.
const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs-core") as typeof import("@tensorflow/tfjs-core");
const { setWasmPaths } = require("@tensorflow/tfjs-backend-wasm") as typeof import("@tensorflow/tfjs-backend-wasm");

const [m, k, n] = [512, 768, 3072];
const values = { x: randomFloats(m * k, 1), w: randomFloats(n * k, 2), dY: randomFloats(m * n, 3) };
const shapes = { x: [m, k], w: [n, k], dY: [m, n] } as const;
type Name = keyof typeof shapes;
interface Form {
  readonly name: string;
  readonly a: Name;
  readonly b: Name;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}
const forms: readonly Form[] = [
  { name: "y = x w^T", a: "x", b: "w", transposeA: false, transposeB: true },
  { name: "dx = dy w", a: "dY", b: "w", transposeA: false, transposeB: false },
  { name: "dw = dy^T x", a: "dY", b: "x", transposeA: true, transposeB: false },
];

/** Element [i, j] of a form, in double. */
function element({ a, b, transposeA, transposeB }: Form, i: number, j: number): number {
  const [rows, columns] = shapes[a];
  const inner = transposeA ? rows : columns;
  let sum = 0;
  for (let q = 0; q < inner; q++) {
    const left = values[a][transposeA ? q * columns + i : i * columns + q]!;
    const right = values[b][transposeB ? j * shapes[b][1] + q : q * shapes[b][1] + j]!;
    sum += left * right;
  }
  return sum;
}

interface Library {
  readonly label: string;
  product(form: Form): Promise<Float32Array>;
}

async function ours(threads: number): Promise<Library> {
  const backend = await WasmBackend.start({ threads });
  const tensors = Object.fromEntries(
    Object.entries(values).map(([name, array]) => [
      name,
      {
        dataId: backend.write(array, [1, ...shapes[name as Name]], "float32"),
        shape: [1, ...shapes[name as Name]],
        dtype: "float32" as const,
      },
    ]),
  );
  return {
    label: `statespace, ${threads} thread${threads > 1 ? "s" : ""}`,
    async product({ a, b, transposeA, transposeB }) {
      const out = wasmKernels.matMul!(backend, { a: tensors[a]!, b: tensors[b]! }, { transposeA, transposeB }) as {
        dataId: object;
      };
      const data = (await backend.read(out.dataId)) as Float32Array;
      backend.disposeData(out.dataId);
      return data;
    },
  };
}

async function tfjs(): Promise<Library> {
  setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "/"));
  await tf.setBackend("wasm");
  const tensors = Object.fromEntries(
    Object.entries(values).map(([name, array]) => [name, tf.tensor2d(array, shapes[name as Name] as [number, number])]),
  );
  return {
    label: "tfjs-backend-wasm",
    async product({ a, b, transposeA, transposeB }) {
      const out = tf.matMul(tensors[a]!, tensors[b]!, transposeA, transposeB);
      const data = out.dataSync() as Float32Array;
      out.dispose();
      return data;
    },
  };
}

async function jax(): Promise<Library> {
  await init("wasm");
  const tensors = Object.fromEntries(
    Object.entries(values).map(([name, array]) => [
      name,
      np.array(array as Float32Array<ArrayBuffer>).reshape([...shapes[name as Name]]),
    ]),
  );
  return {
    label: "jax-js",
    async product({ a, b, transposeA, transposeB }) {
      const left = transposeA ? np.transpose(tensors[a]!.ref) : tensors[a]!.ref;
      const right = transposeB ? np.transpose(tensors[b]!.ref) : tensors[b]!.ref;
      return (await np.matmul(left, right).data()) as Float32Array;
    },
  };
}

const list: Contender[] = [];
for (const library of [await ours(1), await ours(2), await tfjs(), await jax()]) {
  for (const form of forms) {
    const data = await library.product(form);
    const columns = form.transposeB ? shapes[form.b][0] : shapes[form.b][1];
    for (const at of [0, 4321, data.length - 1]) {
      const want = element(form, Math.floor(at / columns), at % columns);
      if (!(Math.abs(data[at]! - want) < 1e-3))
        throw new Error(`${library.label}: ${form.name}[${at}] is ${data[at]}, not ${want}`);
    }
    list.push({
      name: `${form.name.padEnd(12)} ${library.label}`,
      run: async () => void (await library.product(form)),
    });
  }
}
for (const { name, min, median, spread } of await interleave(list, Number(process.argv[2] ?? 7))) {
  const rate = (ms: number): string => ((2 * m * n * k) / ms / 1e6).toFixed(1).padStart(6);
  console.log(`${name.padEnd(40)} ${rate(min)} GFLOP/s best, ${rate(median)} median, spread ${spread.toFixed(2)}`);
}
process.exit();
