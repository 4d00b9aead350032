export { LsslMixer } from "./block.ts";
export { lsslConfig, type LsslConfig } from "./config.ts";
