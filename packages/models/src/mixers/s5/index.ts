export { S5Mixer } from "./block.ts";
export { s5Config, type S5Config } from "./config.ts";
