import { BackendError } from "@statespace/core";
import { deflated, flavours } from "../binaries.gen.ts";
import { pick } from "./interleave.ts";

// For programs whose types know no WebAssembly (neither "dom" among TypeScript's libraries nor Node's types that have it).
declare global {
  namespace WebAssembly {
    interface Module {}
    interface Memory {}
  }
}

/** SIMD flavours of the same kernels: `relaxed` fuses multiply-adds where the machine can. */
export type Flavour = "plain" | "relaxed";

// The smallest modules that use one instruction of each proposal: (func (result v128) ...).
const SIMD_PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];
const RELAXED_PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
];

/** The best flavour this engine validates. @throws BackendError without WebAssembly or its SIMD. */
export function bestFlavour(): Flavour {
  if (typeof WebAssembly === "undefined")
    throw new BackendError("wasm: this engine has no WebAssembly, or it is switched off");
  if (WebAssembly.validate(new Uint8Array(RELAXED_PROBE))) return "relaxed";
  if (WebAssembly.validate(new Uint8Array(SIMD_PROBE))) return "plain";
  throw new BackendError("wasm: this engine has no WebAssembly SIMD");
}

/**
 * The kernels for one thread, for `wasmBackend({ module })` in a place that can run them but not compile them: an audio worklet, to which a page
 * hands them with `processorOptions`.
 * @throws BackendError where the engine refuses
 */
export function compileKernels(): Promise<WebAssembly.Module> {
  return compileBinary(bestFlavour(), false);
}

/**
 * Compiles a flavour for shared or private memory. The two differ in one byte, the limits flags of the imported memory.
 * @throws BackendError where the engine refuses, as a page's policy may want it to.
 */
export async function compileBinary(flavour: Flavour, shared: boolean): Promise<WebAssembly.Module> {
  const bytes = Uint8Array.from(atob(deflated), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const both = new Uint8Array(await new Response(stream).arrayBuffer());
  const which = flavours.findIndex(({ name }) => name === flavour);
  const lengths = flavours.map(({ length }) => length);
  const binary = pick(both, lengths, which);
  binary[flavours[which]!.memoryFlag] = shared ? 3 : 1;
  try {
    return await WebAssembly.compile(binary);
  } catch (cause) {
    throw new BackendError(
      `wasm: the engine did not compile the kernels (${String(cause)}); under a Content-Security-Policy, script-src has to allow 'wasm-unsafe-eval'`,
      { cause },
    );
  }
}
