import { createResource, createRoot, type Resource } from "solid-js";

/** Whether this browser offers WebGPU at all; what device stands behind it is for `adapter` to say. */
export const offersWebGpu: boolean = "gpu" in navigator;

export interface Adapter {
  /** As the browser names it, often only a vendor. */
  readonly name: string;
  /** Whether the processor plays the graphics card: everything works, slowly. */
  readonly software: boolean;
}

/** Rasterisers that run on the processor, by the names they report. */
const SOFTWARE = /swiftshader|llvmpipe|lavapipe|softpipe|basic render|\bwarp\b|software/i;

export function isSoftware(
  info: { readonly isFallbackAdapter?: boolean } & Readonly<Record<AdapterWord, string>>,
): boolean {
  return info.isFallbackAdapter === true || WORDS.some((word) => SOFTWARE.test(info[word]));
}

const WORDS = ["vendor", "architecture", "device", "description"] as const;
type AdapterWord = (typeof WORDS)[number];

async function find(): Promise<Adapter | undefined> {
  if (!offersWebGpu) return undefined;
  const found = await navigator.gpu.requestAdapter().catch(() => null);
  if (found === null) return undefined;
  const { info } = found;
  const name = [...new Set([info.description, info.vendor, info.architecture].filter((word) => word !== ""))].join(" ");
  return { name, software: isSoftware(info) };
}

let asked: Resource<Adapter | undefined> | undefined;

/** The graphics device, asked for when it is first wanted; undefined where there is none, or while the browser looks. */
export function adapter(): Resource<Adapter | undefined> {
  return (asked ??= createRoot(() => createResource(find)[0]));
}
