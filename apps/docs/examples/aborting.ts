import { AbortedError, bundledCheckpoint, load } from "statespace";

const lm = await load(bundledCheckpoint(), { backend: "cpu" });
const controller = new AbortController();
try {
  let tokens = 0;
  for await (const text of lm.stream("The state", { signal: controller.signal })) {
    process.stdout.write(text);
    if (++tokens === 3) controller.abort();
  }
} catch (error) {
  console.log("\nstopped:", error instanceof AbortedError);
}
