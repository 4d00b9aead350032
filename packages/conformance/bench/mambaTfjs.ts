import { createRequire, registerHooks } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Tensor, Tensor2D, Tensor3D, Variable } from "@tensorflow/tfjs-core";
import { ignored, type Problem, type Trainer } from "./mambaProblem.ts";

// Both of tfjs's Node builds are CommonJS; its ES modules do not load in plain Node.
const require = createRequire(import.meta.url);
const tf = require("@tensorflow/tfjs-core") as typeof import("@tensorflow/tfjs-core");
const { setWasmPaths } = require("@tensorflow/tfjs-backend-wasm") as typeof import("@tensorflow/tfjs-backend-wasm");

/**
 * The Node build leaves the gradients out. They are ES modules that name files without extensions; the registry they enter is one
 * for all builds in a process.
 */
async function loadGradients(): Promise<void> {
  const hooks = registerHooks({
    resolve(specifier, context, next) {
      if (!specifier.startsWith(".") || /\.js$/.test(specifier) || !context.parentURL?.includes("tfjs-core/dist/"))
        return next(specifier, context);
      try {
        return next(`${specifier}.js`, context);
      } catch {
        return next(`${specifier}/index.js`, context);
      }
    },
  });
  await import(
    pathToFileURL(join(dirname(require.resolve("@tensorflow/tfjs-core")), "register_all_gradients.js")).href
  );
  hooks.deregister();
}

/** x W^T with W stored [k, n]; the transpositions of the backward pass are made explicit, which that backend multiplies ten times faster. */
const product = tf.customGrad((x, w, save) => {
  (save as (xs: Tensor[]) => void)([x as Tensor, w as Tensor]);
  return {
    value: tf.matMul(x as Tensor2D, w as Tensor2D),
    gradFunc: (dy: Tensor, saved: Tensor[]) => [
      tf.matMul(dy as Tensor2D, tf.transpose(saved[1] as Tensor2D)),
      tf.matMul(tf.transpose(saved[0] as Tensor2D), dy as Tensor2D),
    ],
  };
}) as (x: Tensor, w: Tensor) => Tensor;

function linear(x: Tensor, w: Tensor): Tensor {
  const [k, n] = w.shape as [number, number];
  return tf.reshape(product(tf.reshape(x, [-1, k]), w), [...x.shape.slice(0, -1), n]);
}

const silu = (x: Tensor): Tensor => tf.mul(x, tf.sigmoid(x));
/** Its own Softplus has no gradient that this backend can run. */
const softplus = (x: Tensor): Tensor => tf.add(tf.relu(x), tf.log(tf.add(tf.exp(tf.neg(tf.abs(x))), 1)));
const norm = (x: Tensor, w: Tensor, eps: number): Tensor =>
  tf.mul(tf.mul(x, tf.rsqrt(tf.add(tf.mean(tf.square(x), -1, true), eps))), w);

/** x [b, l, d] moved back by `steps` along l, zeros in front. */
function shift(x: Tensor3D, steps: number): Tensor3D {
  const [b, l, d] = x.shape;
  return tf.concat([tf.zeros([b, steps, d]), tf.slice(x, [0, 0, 0], [b, l - steps, d])], 1) as Tensor3D;
}

const steps = (x: Tensor, l: number): Tensor[] => tf.split(x, 8).flatMap((eighth) => tf.split(eighth, l / 8)); // [1, b, d, n] each

/**
 * The recurrence as a loop over time (by doubling, what the tape keeps runs this backend out of memory). Its split copies the
 * whole operand for each part, which took ten times as long as all the rest: steps are cut out in rounds of a few parts, time first.
 */
function scan(uIn: Tensor, deltaIn: Tensor, A: Tensor, BIn: Tensor, CIn: Tensor): Tensor {
  const [u, delta, B, C] = [uIn, deltaIn, BIn, CIn].map((x) => tf.transpose(x, [1, 0, 2])) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ]; // [l, b, ...]
  const [l, b, d] = u.shape as [number, number, number];
  const a = steps(tf.exp(tf.mul(tf.expandDims(delta, -1), A)), l);
  const x = steps(tf.mul(tf.expandDims(tf.mul(delta, u), -1), tf.expandDims(B, 2)), l);
  const states = [x[0]!];
  for (let t = 1; t < l; t++) states.push(tf.add(tf.mul(a[t]!, states[t - 1]!), x[t]!));
  return tf.transpose(tf.reshape(tf.matMul(tf.concat(states), tf.expandDims(C, -1)), [l, b, d]), [1, 0, 2]);
}

/** The same model out of tfjs's ops on its WebAssembly backend. Matrices are kept transposed; its Adam is AdamW without decay. */
export async function trainTfjs({
  weights,
  config,
  batch,
  length,
  ids,
  targets,
  learningRate,
}: Problem): Promise<Trainer> {
  setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm")), "/"));
  await loadGradients();
  await tf.setBackend("wasm");
  const variables = new Map<string, Variable>();
  for (const [name, { shape, values }] of weights) {
    const plain = tf.tensor(values, [...shape]);
    variables.set(name, tf.variable(/proj\.weight$|embeddings/.test(name) ? tf.transpose(plain) : plain));
  }
  const { nLayer, dInner, dState, dConv, dtRank, normEps, vocabSize } = config;
  const hot = tf.cast(tf.oneHot(tf.tensor1d(ids, "int32"), vocabSize), "float32");
  const wanted = tf.tensor1d(
    targets.map((t) => (t === ignored ? 0 : t)),
    "int32",
  );
  const counted = tf.tensor1d(Float32Array.from(targets, (t) => (t === ignored ? 0 : 1)));
  const wantedHot = tf.mul(tf.cast(tf.oneHot(wanted, vocabSize), "float32"), tf.expandDims(counted, 1));
  const count = targets.filter((t) => t !== ignored).length;

  const mixer = (input: Tensor, w: (name: string) => Tensor): Tensor => {
    const [x, z] = tf.split(linear(input, w("in_proj.weight")), 2, -1) as [Tensor3D, Tensor];
    const taps = tf.reshape(w("conv1d.weight"), [dInner, dConv]);
    let convolved: Tensor = w("conv1d.bias");
    for (let k = 0; k < dConv; k++) {
      const tap = tf.reshape(tf.slice(taps, [0, k], [dInner, 1]), [dInner]);
      convolved = tf.add(convolved, tf.mul(k === dConv - 1 ? x : shift(x, dConv - 1 - k), tap));
    }
    const u = silu(convolved);
    const [dt, B, C] = tf.split(linear(u, w("x_proj.weight")), [dtRank, dState, dState], -1) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const delta = softplus(tf.add(linear(dt, w("dt_proj.weight")), w("dt_proj.bias")));
    const y = tf.add(scan(u, delta, tf.neg(tf.exp(w("A_log"))), B, C), tf.mul(w("D"), u));
    return linear(tf.mul(y, silu(z)), w("out_proj.weight"));
  };
  const loss = (): Tensor => {
    const w = (name: string): Tensor => variables.get(name)!;
    const embedding = w("backbone.embeddings.weight"); // [d, v]
    let x: Tensor = tf.reshape(product(hot, tf.transpose(embedding)), [batch, length, config.dModel]);
    for (let i = 0; i < nLayer; i++) {
      const at = `backbone.layers.${i}.`;
      x = tf.add(
        x,
        mixer(norm(x, w(`${at}norm.weight`), normEps), (name) => w(`${at}mixer.${name}`)),
      );
    }
    const logits = tf.reshape(linear(norm(x, w("backbone.norm_f.weight"), normEps), embedding), [
      batch * length,
      vocabSize,
    ]);
    const losses = tf.sub(tf.mul(tf.logSumExp(logits, 1), counted), tf.sum(tf.mul(logits, wantedHot), 1));
    return tf.div(tf.sum(losses), count);
  };
  const optimizer = tf.train.adam(learningRate, 0.9, 0.999, 1e-8);
  return {
    label: "tfjs-backend-wasm",
    note: "composed of its ops; the scan as a loop over time",
    async step() {
      const value = optimizer.minimize(loss as () => import("@tensorflow/tfjs-core").Scalar, true)!;
      const [out] = value.dataSync();
      value.dispose();
      return out!;
    },
    close() {},
  };
}
