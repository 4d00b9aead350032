export { S5Mixer } from "./mixer.ts";
export { s5Config, type S5Config } from "./config.ts";
