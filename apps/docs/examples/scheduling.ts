import { bundledCheckpoint, load } from "statespace";
import { BusyError, Generation, Scheduler } from "@statespace/models";

const lm = await load(bundledCheckpoint(), { backend: "cpu" });
const scheduler = new Scheduler(lm.model, { tokenizer: lm.tokenizer, slots: 1, maxWaiting: 2 });
const [first, second] = [
  scheduler.submit("The state", { maxNewTokens: 3 }),
  scheduler.submit("In the", { maxNewTokens: 3 }),
];
try {
  scheduler.submit("My fellow", { maxNewTokens: 3 });
} catch (error) {
  console.log(error instanceof BusyError, (error as Error).message); // two wait already
}
console.log(first instanceof Generation, await first.text(), await second!.text());
await scheduler.close();
