/**
 * A text that goes on: streamed, saved and resumed, forked, taken back, and moved to another backend in the middle. A session holds whatever
 * was read and said, to the last token, so each of these goes on exactly as the text would have gone on by itself.
 */
import { bundledCheckpoint, load } from "statespace";

const lm = await load(bundledCheckpoint(), { backend: "wasm" });

// Stream.
const session = lm.session({ seed: 7 });
await session.read("The state of the");
let text = "";
for await (const piece of session.stream({ maxNewTokens: 40 })) text += piece;
console.log(`The state of the${text}`);

// Save today, resume tomorrow: 20 + 20 tokens are the 40 of above.
const today = lm.session({ seed: 7 });
await today.read("The state of the");
let resumed = await whole(today.stream({ maxNewTokens: 20 }));
const file = await today.save();
const tomorrow = lm.session({ seed: 7 }).restore(file);
resumed += await whole(tomorrow.stream({ maxNewTokens: 20 }));
same("resumed", resumed, text);

// Come back to a place, and let a fork go another way from there.
const point = tomorrow.keep();
const onward = await whole(tomorrow.stream({ maxNewTokens: 10 }));
tomorrow.rewind(point);
const other = tomorrow.fork();
console.log(`fork: ${await whole(other.stream({ maxNewTokens: 10, seed: 8 }))}`);
same("taken back", await whole(tomorrow.stream({ maxNewTokens: 10 })), onward);

// Swap the backend in the middle of a text.
const moving = lm.session({ seed: 7 });
await moving.read("The state of the");
let moved = await whole(moving.stream({ maxNewTokens: 10, temperature: 0 }));
await moving.to("cpu");
moved += await whole(moving.stream({ maxNewTokens: 5, temperature: 0 }));
await moving.to("wasm");
moved += await whole(moving.stream({ maxNewTokens: 10, temperature: 0 }));
const still = lm.session({ seed: 7 });
await still.read("The state of the");
same("moved", moved, await whole(still.stream({ maxNewTokens: 25, temperature: 0 })));

async function whole(pieces: AsyncIterable<string>): Promise<string> {
  let all = "";
  for await (const piece of pieces) all += piece;
  return all;
}

function same(what: string, got: string, want: string): void {
  if (got !== want) throw new Error(`${what}: ${JSON.stringify(got)} instead of ${JSON.stringify(want)}`);
  console.log(`${what}: the same ${want.length} characters`);
}
