import { driverSource } from "./driver.ts";
import { memberSource } from "./worker.ts";

/**
 * The whole program of every worker, as text so that no bundler has to find a file. It runs as a Node worker, as a classic web worker from
 * a blob, and from a file (`workerUrl`), as a script or a module; what it is to do comes as workerData or as its first message.
 * In a block of its own: some hosts wrap it in a function that has an `exports` already.
 */
export const workerProgram: string = `{
const node = typeof process === "object" && process.getBuiltinModule ? process.getBuiltinModule("node:worker_threads") : undefined;
const parent = node && node.parentPort;
const port = parent || self;
${memberSource.trim()}
${driverSource.trim()}
const hear = (data) => ("words" in data ? obey(data) : "thread" in data ? join(data) : lead(data));
if (!parent) self.onmessage = (event) => hear(event.data);
else {
  if (!("thread" in node.workerData)) parent.on("message", hear);
  hear(node.workerData);
}
}
`;
