/** The backends a visitor can choose from, the one that runs everywhere fast first. */
export const BACKEND_NAMES = ["wasm", "webgpu", "cpu"] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];

/** What a page that has computed on `cpu` still fetches for each: kB as they are sent, to the nearest ten. */
export const FETCHED_KB: Readonly<Record<BackendName, number>> = { wasm: 140, webgpu: 110, cpu: 0 };
