import { clone, currentBackendName, mul, noGrad, tensor, tidy, type Tensor } from "@statespace/core";
import {
  currentBackend,
  gradientOf,
  opTable,
  outputNamesOf,
  savedOutputsOf,
  type AnyBackend,
  type AnyOp,
} from "@statespace/core/backend";
import { type OpAttrs, type OpInputs, type OpOutputs } from "@statespace/core/ops";
import {
  engine,
  getBackend,
  getGradient,
  getKernel,
  registerGradient,
  registerKernel,
  type KernelBackend,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor as TfTensor,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { bridgeOf } from "./host.ts";
import { lastStarted } from "./registerTfBackend.ts";

/** The same record with tensors of tfjs in place of ours. */
export type WithTf<Record> = {
  [K in keyof Record]: Record[K] extends Tensor
    ? TfTensor
    : Record[K] extends Tensor | undefined
      ? TfTensor | undefined
      : never;
};

/** An op of the table on tensors of tfjs. */
export type TfOp<T extends AnyOp> = (
  inputs: WithTf<OpInputs<T>>,
  attrs?: OpAttrs<T>,
) => WithTf<OpOutputs<T>> & ChangedOf;

/** What an op that works in place would have changed, as new tensors under the names of its inputs: tensors of tfjs do not change. */
export interface ChangedOf {
  readonly [name: string]: TfTensor;
}

/** What a call is told beside tensors. tfjs hands it through to kernel and gradient as it is. */
interface Call {
  readonly op: string;
  /** Names of the inputs that are there, in order. */
  readonly names: readonly string[];
  readonly attrs: Readonly<Record<string, unknown>>;
}

type Tensors = Readonly<Record<string, Tensor>>;

const kernelOf = (op: string): string => `statespace.${op}`;
const gradientKernelOf = (op: string): string => `statespace.${op}.gradient`;

/**
 * An op as a function on tensors of tfjs: under `tf.tidy` its results are tidied, under `tf.grads`, `tf.variableGrads` and
 * `tf.train` it has its gradient, and it may stand between tfjs's own ops.
 * Where tfjs computes on a backend of ours (`registerTfBackend`) nothing is copied; else values go through the host to the backend
 * that is set here (without one, to that of ours which tfjs started last), and back.
 * @throws what the op throws; BackendError where values cannot be read at once.
 */
export function tfOp<T extends AnyOp>(op: T): TfOp<T> {
  const { name } = op.spec;
  return ((inputs: Readonly<Record<string, TfTensor | undefined>>, attrs: Readonly<Record<string, unknown>> = {}) => {
    const names = Object.keys(inputs).filter((input) => inputs[input] !== undefined);
    const call: Call = { op: name, names, attrs };
    const list = names.map((input) => inputs[input]!);
    const outputs = run(kernelOf(name), forward, list, call, op);
    return Object.fromEntries(
      [...outputNamesOf(op, attrs), ...changedBy(op, names)].map((output, i) => [output, outputs[i]!]),
    );
  }) as unknown as TfOp<T>;
}

/** Every op of the table on tensors of tfjs, by name. */
export const tfOps: Readonly<Record<string, TfOp<AnyOp>>> = new Proxy({} as Record<string, TfOp<AnyOp>>, {
  get: (made, name) => {
    if (typeof name !== "string" || opTable[name] === undefined) return undefined;
    return (made[name] ??= tfOp(opTable[name]));
  },
  has: (_, name) => typeof name === "string" && opTable[name] !== undefined,
  ownKeys: () => Object.keys(opTable),
  getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }),
});

type OwnKernel = (op: AnyOp, inputs: readonly Tensor[], call: Call) => readonly Tensor[];

/** Runs one of our kernels through tfjs, so that its tape sees it. */
function run(kernelName: string, kernel: OwnKernel, inputs: readonly TfTensor[], call: Call, op: AnyOp): TfTensor[] {
  const backendName = getBackend();
  if (!getKernel(kernelName, backendName)) {
    registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs: infos, backend, attrs }) =>
        compute(op, kernel, infos as unknown as TensorInfo[], backend as KernelBackend, attrs as unknown as Call),
    });
  }
  if (kernel === forward && op.spec.differentiable.length > 0 && !getGradient(kernelName)) registerBackward(op);
  const result: TfTensor | TfTensor[] = engine().runKernel(
    kernelName,
    inputs as unknown as NamedTensorMap,
    call as unknown as NamedAttrMap,
  );
  return Array.isArray(result) ? result : [result];
}

/** Where ops compute while tfjs is on a backend of its own: our default, or else what tfjs started of ours. */
function computing(): AnyBackend {
  return currentBackendName() === undefined ? (lastStarted() ?? currentBackend()) : currentBackend();
}

function compute(
  op: AnyOp,
  kernel: OwnKernel,
  infos: readonly TensorInfo[],
  backend: KernelBackend,
  call: Call,
): TensorInfo[] {
  const bridge = bridgeOf(backend, computing);
  const taken: Tensor[] = [];
  try {
    for (const info of Object.values(infos)) taken.push(bridge.take(info));
    const outputs = tidy(() => noGrad(() => kernel(op, taken, call)));
    return outputs.map((t) => bridge.give(settled(t, taken, bridge.own)));
  } finally {
    for (const t of taken) t.dispose();
  }
}

/** An output as a tensor of its own on the right backend: an op without inputs runs on the default one. */
function settled(t: Tensor, taken: readonly Tensor[], own: AnyBackend): Tensor {
  if (taken.includes(t)) return clone(t);
  if (t.backend === own) return t;
  const moved = tensor(t.dataSync(), t.shape, { dtype: t.dtype, backend: own });
  t.dispose();
  return moved;
}

/** Inputs that are there and that an op works on in place. */
function changedBy({ spec }: AnyOp, names: readonly string[]): string[] {
  return names.filter((name) => ((spec.inPlace ?? []) as readonly string[]).includes(name));
}

const named = (names: readonly string[], tensors: readonly Tensor[]): Tensors =>
  Object.fromEntries(names.map((name, i) => [name, tensors[i]!]));

const forward: OwnKernel = (op, tensors, { names, attrs }) => {
  const inPlace = changedBy(op, names);
  // What would be changed is copied first: it may be the very storage of a tensor of tfjs.
  const inputs = named(
    names,
    names.map((name, i) => (inPlace.includes(name) ? mul(tensors[i]!, 1) : tensors[i]!)),
  );
  const outputs: Tensors = op.run(inputs, attrs);
  return [...outputNamesOf(op, attrs).map((name) => outputs[name]!), ...inPlace.map((name) => inputs[name]!)];
};

/** A gradient's inputs: those of the op, the outputs it saved, and the upstream gradient of each output. */
const backward: OwnKernel = (op, tensors, { names, attrs }) => {
  const outputs = outputNamesOf(op, attrs);
  const saved = savedOutputsOf(op);
  const [first, second] = [names.length, names.length + saved.length];
  const grads = gradientOf(
    op,
    named(names, tensors.slice(0, first)),
    named(saved, tensors.slice(first, second)),
    named(outputs, tensors.slice(second)),
    attrs,
  );
  return differentiated(op, names).map((name) => grads[name]!);
};

function differentiated({ spec }: AnyOp, names: readonly string[]): string[] {
  return names.filter((name) => (spec.differentiable as readonly string[]).includes(name));
}

function registerBackward(op: AnyOp): void {
  const { name } = op.spec;
  registerGradient({
    kernelName: kernelOf(name),
    saveAllInputs: true,
    outputsToSave: outputNamesOf(op, Object.fromEntries(Object.keys(op.spec.attrs).map((key) => [key, true]))).map(
      (output) => savedOutputsOf(op).includes(output),
    ),
    gradFunc: (dy, saved, attrs) => {
      const call = attrs as unknown as Call;
      const dys = Array.isArray(dy) ? dy : [dy];
      const grads = run(gradientKernelOf(name), backward, [...saved, ...dys], call, op);
      return Object.fromEntries(
        differentiated(op, call.names).map((input, i) => [String(call.names.indexOf(input)), () => grads[i]!]),
      );
    },
  });
}
