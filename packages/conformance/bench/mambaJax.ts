import { init, jit, nn, numpy as np, tree, valueAndGrad, type Array as JaxArray } from "@jax-js/jax";
import { ignored, type Problem, type Trainer } from "./mambaProblem.ts";

type Weights = Record<string, JaxArray>;

/** jax-js takes ownership of every operand; a value used again is `x.ref`. */
const linear = (x: JaxArray, w: JaxArray): JaxArray => np.matmul(x, np.transpose(w));
const silu = (x: JaxArray): JaxArray => nn.silu(x);

function norm(x: JaxArray, w: JaxArray, eps: number): JaxArray {
  const scale = np.sqrt(np.mean(np.square(x.ref), -1, { keepdims: true }).add(eps));
  return x.div(scale).mul(w);
}

/** Columns from `from` to `to` of the last axis, of three. */
const part = (x: JaxArray, from: number, to: number): JaxArray => x.slice([], [], [from, to]);

/** x moved back by `steps` along axis 1, zeros in front; takes x. */
function shift(x: JaxArray, steps: number): JaxArray {
  const rest = x.slice([], [0, x.shape[1]! - steps]);
  return np.pad(rest, [[0, 0], [steps, 0], ...x.shape.slice(2).map((): [number, number] => [0, 0])]);
}

/** The recurrence by doubling: jax-js has no lax.scan and no lax.associativeScan. */
function scan(u: JaxArray, delta: JaxArray, A: JaxArray, B: JaxArray, C: JaxArray): JaxArray {
  const length = u.shape[1]!;
  let a = np.exp(np.expandDims(delta.ref, -1).mul(A));
  let x = np.expandDims(delta.mul(u), -1).mul(np.expandDims(B, 2));
  for (let s = 1; s < length; s *= 2) {
    x = x.ref.add(a.ref.mul(shift(x, s)));
    if (2 * s < length) a = a.ref.mul(shift(a, s));
    else a.dispose();
  }
  return np.sum(x.mul(np.expandDims(C, 2)), -1);
}

/** The same model in jax-js's WebAssembly backend: loss, gradients and AdamW without decay in one compiled function. */
export async function trainJax({
  weights,
  config,
  batch,
  length,
  ids,
  targets,
  learningRate,
}: Problem): Promise<Trainer> {
  await init("wasm");
  const { nLayer, dInner, dState, dConv, dtRank, normEps, vocabSize } = config;
  const array = (values: Float32Array, shape: readonly number[]): JaxArray =>
    np.array(values as Float32Array<ArrayBuffer>).reshape([...shape]);
  const hot = (values: Int32Array): JaxArray => {
    const out = new Float32Array(values.length * vocabSize);
    values.forEach((id, i) => {
      if (id !== ignored) out[i * vocabSize + id] = 1;
    });
    return array(out, [values.length, vocabSize]);
  };
  const count = targets.filter((t) => t !== ignored).length;

  const mixer = (input: JaxArray, w: (name: string) => JaxArray): JaxArray => {
    const both = linear(input, w("in_proj.weight"));
    const x = part(both.ref, 0, dInner);
    const z = part(both, dInner, 2 * dInner);
    const taps = w("conv1d.weight").reshape([dInner, dConv]);
    let convolved = w("conv1d.bias").reshape([1, 1, dInner]);
    for (let k = 0; k < dConv; k++) {
      const moved = k === dConv - 1 ? x.ref : shift(x.ref, dConv - 1 - k);
      convolved = convolved.add(moved.mul(taps.ref.slice([], k)));
    }
    x.dispose();
    taps.dispose();
    const u = silu(convolved);
    const three = linear(u.ref, w("x_proj.weight"));
    const B = part(three.ref, dtRank, dtRank + dState);
    const C = part(three.ref, dtRank + dState, dtRank + 2 * dState);
    const delta = nn.softplus(linear(part(three, 0, dtRank), w("dt_proj.weight")).add(w("dt_proj.bias")));
    const y = scan(u.ref, delta, np.negative(np.exp(w("A_log"))), B, C).add(w("D").mul(u));
    return linear(y.mul(silu(z)), w("out_proj.weight"));
  };
  const loss = (all: Weights, x0: JaxArray, wanted: JaxArray): JaxArray => {
    const w = (name: string): JaxArray => all[name]!.ref;
    let x = np.matmul(x0, w("backbone.embeddings.weight")).reshape([batch, length, config.dModel]);
    for (let i = 0; i < nLayer; i++) {
      const at = `backbone.layers.${i}.`;
      x = x.ref.add(mixer(norm(x, w(`${at}norm.weight`), normEps), (name) => w(`${at}mixer.${name}`)));
    }
    const logits = linear(norm(x, w("backbone.norm_f.weight"), normEps), w("backbone.embeddings.weight")).reshape([
      batch * length,
      vocabSize,
    ]);
    return np.sum(nn.logSoftmax(logits, -1).mul(wanted)).mul(-1 / count);
  };

  const names = [...weights.keys()];
  const zeros = (): Weights => Object.fromEntries(names.map((name) => [name, np.zeros([...weights.get(name)!.shape])]));
  const each = (make: (name: string) => JaxArray): Weights =>
    Object.fromEntries(names.map((name) => [name, make(name)]));
  const [beta1, beta2, eps] = [0.9, 0.999, 1e-8];
  const update = jit((all: Weights, m: Weights, v: Weights, x0: JaxArray, wanted: JaxArray, corrections: JaxArray) => {
    const [value, grads] = valueAndGrad(loss)(tree.ref(all), x0, wanted) as unknown as [JaxArray, Weights];
    const m2 = each((name) => m[name]!.mul(beta1).add(grads[name]!.ref.mul(1 - beta1)));
    const v2 = each((name) => v[name]!.mul(beta2).add(np.square(grads[name]!).mul(1 - beta2)));
    const c1 = corrections.ref.slice(0);
    const c2 = corrections.slice(1);
    const next = each((name) =>
      all[name]!.sub(
        m2[name]!.ref.div(c1.ref)
          .div(np.sqrt(v2[name]!.ref.div(c2.ref)).add(eps))
          .mul(learningRate),
      ),
    );
    return [value, next, m2, v2];
  });
  let [all, m, v] = [each((name) => array(weights.get(name)!.values, weights.get(name)!.shape)), zeros(), zeros()];
  const [x0, wanted] = [hot(ids), hot(targets)];
  let steps = 0;
  return {
    label: "jax-js (wasm)",
    note: "one jit of loss, gradients and update; the scan by doubling over time",
    async step() {
      steps++;
      const corrections = array(Float32Array.of(1 - beta1 ** steps, 1 - beta2 ** steps), [2]);
      const [value, next, m2, v2] = update(all, m, v, x0.ref, wanted.ref, corrections) as unknown as [
        JaxArray,
        Weights,
        Weights,
        Weights,
      ];
      [all, m, v] = [next, m2, v2];
      return (await value.data())[0]!;
    },
    close() {},
  };
}
