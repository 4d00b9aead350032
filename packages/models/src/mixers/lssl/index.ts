export { LsslMixer } from "./mixer.ts";
export { lsslConfig, type LsslConfig } from "./config.ts";
