import { BackendError } from "@statespace/core";

/**
 * Dawn's `create()` result. It must outlive every device made from it: collecting it while a device lives
 * crashes Node, so the module holds it for good.
 */
let dawn: GPU | undefined;

/** Dawn features to do without, comma-separated, for drivers that a feature does not suit. Read when Dawn starts, since there is one Dawn. */
const UNWANTED = "DAWN_DISABLED_FEATURES";

/** A variable of the environment; none where there are no variables, or where asking for them is not allowed (Deno). */
function environment(name: string): string | undefined {
  try {
    return (globalThis as { process?: { env?: Record<string, string | undefined> } }).process?.env?.[name];
  } catch {
    return undefined;
  }
}

/** Dawn switches for Node: unquantised timestamps for the profiler, f16 where the driver hides it behind a flag. */
function dawnFlags(): string[] {
  const unwanted = environment(UNWANTED);
  return [
    "enable-dawn-features=allow_unsafe_apis,vulkan_enable_f16_on_nvidia",
    `disable-dawn-features=${["timestamp_quantization", ...(unwanted ? [unwanted] : [])].join()}`,
  ];
}

/**
 * The entry point of WebGPU: `navigator.gpu` in a browser or worker, npm `webgpu` (Dawn) in Node.
 * `flags` replaces the Dawn switches (Node only), e.g. `["backend=null"]`, which validates without a driver.
 * @throws BackendError where there is neither.
 */
export async function requestGpu(flags?: readonly string[]): Promise<GPU> {
  const offered = globalThis.navigator?.gpu;
  if (offered) return offered;
  if (dawn && flags === undefined) return dawn;
  const isNode =
    typeof (globalThis as { process?: { versions?: { node?: string } } }).process?.versions?.node === "string";
  if (!isNode) throw new BackendError("webgpu: this browser has no navigator.gpu");
  // A name in a variable keeps bundlers for the browser from resolving the Node-only package.
  const moduleName = "webgpu";
  let loaded: { create(options: string[]): GPU; globals: object };
  try {
    loaded = (await import(/* @vite-ignore */ moduleName)) as typeof loaded;
  } catch (cause) {
    throw new BackendError("webgpu: in Node, install the npm package webgpu (Dawn)", { cause });
  }
  Object.assign(globalThis, loaded.globals);
  const created = loaded.create([...(flags ?? dawnFlags())]);
  if (flags === undefined) dawn = created;
  else heldForGood.push(created);
  return created;
}

const heldForGood: GPU[] = [];
