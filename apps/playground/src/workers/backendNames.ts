/** The backends a visitor can choose from, the one that runs everywhere fast first. */
export const BACKEND_NAMES = ["wasm", "webgpu", "cpu"] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];
