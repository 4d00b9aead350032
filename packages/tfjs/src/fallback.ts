import { BackendError } from "@statespace/core";
import {
  engine,
  getKernel,
  getKernelsForBackend,
  registerKernel,
  type KernelBackend,
  type KernelConfig,
  type NamedTensorInfoMap,
  Tensor,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { isOwnType } from "./tfBackend.ts";

/** The backend of tfjs's that has every kernel and is read at once. */
const TFJS_CPU = "cpu";

/**
 * Where tfjs's cpu backend is in the program, its kernels stand in for those that a backend of ours lacks (convolutions, images, topk,
 * strings and complex numbers): tfjs moves the data there, as it does between backends of its own, and back when it is next used here.
 */
export function registerFallbacks(name: string): void {
  for (const { kernelName } of getKernelsForBackend(TFJS_CPU))
    if (!getKernel(kernelName, name))
      registerKernel({ kernelName, backendName: name, kernelFunc: onTfjsCpu(kernelName, name) });
}

/** A kernel of ours, but for inputs of a type that ours do not hold: those tfjs's cpu backend takes, where it can. */
export function ofOwnTypes(
  kernelName: string,
  name: string,
  own: KernelConfig["kernelFunc"],
): KernelConfig["kernelFunc"] {
  const other = onTfjsCpu(kernelName, name);
  return (call) =>
    infosOf(call.inputs).every(({ dtype }) => isOwnType(dtype)) || !getKernel(kernelName, TFJS_CPU)
      ? own(call)
      : other(call);
}

function onTfjsCpu(kernelName: string, name: string): KernelConfig["kernelFunc"] {
  let told = false;
  return ({ inputs, attrs }) => {
    const backend = engine().findBackend(TFJS_CPU) as KernelBackend | null;
    const kernel = getKernel(kernelName, TFJS_CPU);
    if (!backend || !kernel)
      throw new BackendError(`tfjs: ${name} has no kernel ${kernelName}, and tfjs's cpu backend is gone`);
    if (!told) console.warn(`${name} has no kernel ${kernelName} for what it got: tfjs's cpu backend computes it`);
    told = true;
    const made = kernel.kernelFunc({ inputs, attrs: attrs ?? {}, backend });
    const tensors = (Array.isArray(made) ? made : [made]).map((info) => tensorOf(info, backend));
    return Array.isArray(made) ? tensors : tensors[0]!;
  };
}

/** What a kernel made, known to tfjs as data of the backend that made it; some kernels have told it themselves. */
function tensorOf(info: TensorInfo, backend: KernelBackend): Tensor {
  return info instanceof Tensor ? info : engine().makeTensorFromTensorInfo(info, backend);
}

function infosOf(inputs: NamedTensorInfoMap): TensorInfo[] {
  // Some kernels get a list under one name, or no value for an input that is optional.
  return Object.values<TensorInfo | TensorInfo[] | undefined>(inputs).flatMap((info) => info ?? []);
}
