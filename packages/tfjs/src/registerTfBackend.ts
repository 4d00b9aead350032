import { type BackendDefinition } from "@statespace/core";
import { startBackend, type AnyBackend } from "@statespace/core/backend";
import { engine, getKernel, registerBackend, registerKernel, type KernelConfig } from "@tensorflow/tfjs-core";
import { ofOwnTypes, registerFallbacks } from "./fallback.ts";
import { tfKernels } from "./kernels/index.ts";
import { TfBackend, type TfKernel } from "./tfBackend.ts";

/** Below every backend of tfjs's own, so that tfjs never picks one of ours by itself. */
const LAST = 0;

/**
 * Makes one of our backends known to tfjs as `statespace-NAME`; `await tf.setBackend(...)` of the name it returns starts it.
 * What tfjs computes on stays as it is until then, and our default backend is not touched. A second call does nothing.
 * Kernels that ours lack are tfjs's own of its cpu backend, where that is in the program; each says so once.
 * @param backend a definition, or the name of a backend that is registered.
 */
export function registerTfBackend(backend: string | BackendDefinition): string {
  const name = tfNameOf(typeof backend === "string" ? backend : backend.name);
  if (engine().findBackendFactory(name)) return name;
  const start = async (): Promise<TfBackend> => {
    registerFallbacks(name); // once more: tfjs's cpu backend may have come in between
    const own = await startBackend(backend);
    started = own;
    return new TfBackend(own);
  };
  registerBackend(name, start, LAST);
  // tfjs keeps the kernels of a backend that was removed.
  for (const [kernelName, kernel] of Object.entries(tfKernels))
    if (!getKernel(kernelName, name)) registerKernel(configOf(kernelName, name, kernel));
  registerFallbacks(name);
  return name;
}

let started: AnyBackend | undefined;

/** The backend of ours that tfjs started last, if it runs. */
export function lastStarted(): AnyBackend | undefined {
  return started?.latest.running ? started.latest : undefined;
}

/** The name under which tfjs knows a backend of ours. */
export function tfNameOf(backend: string | AnyBackend): string {
  return `statespace-${typeof backend === "string" ? backend : backend.name}`;
}

function configOf(kernelName: string, backendName: string, kernel: TfKernel): KernelConfig {
  return {
    kernelName,
    backendName,
    kernelFunc: ofOwnTypes(kernelName, backendName, ({ inputs, backend, attrs }) => {
      const outputs = (backend as TfBackend).compute(kernel, inputs, attrs ?? {});
      return outputs.length === 1 && !MANY.has(kernelName) ? outputs[0]! : outputs;
    }),
  };
}

/** Kernels whose outputs are a list, also where it holds one. */
const MANY: ReadonlySet<string> = new Set(["SplitV", "Unpack"]);
