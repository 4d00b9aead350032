import { LegSMemory, WindowMemory } from "@statespace/core/hippo";

const signal = Array.from({ length: 500 }, (_, t) => Math.sin(t / 40));
const all = new LegSMemory(16);
all.pushAll(signal);
const now = all.reconstruct(5);
console.log(now.map((x) => Math.round(100 * x) / 100)); // five points of the whole past, from 16 numbers
const recent = new WindowMemory("legt", 16, 100);
recent.pushAll(signal);
console.log(recent.reconstruct(5).map((x) => Math.round(100 * x) / 100)); // of the last hundred samples
