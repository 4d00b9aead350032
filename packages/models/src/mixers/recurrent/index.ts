export type { RecurrentConfig } from "./config.ts";
export { GruMixer } from "./gru.ts";
export { LstmMixer } from "./lstm.ts";
