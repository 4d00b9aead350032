// Text, as it is written.
import { bundledCheckpoint, load } from "statespace";

const lm = await load(bundledCheckpoint(), { weights: "q8" }); // or a folder, a URL, "owner/name" on the hub
for await (const text of lm.stream("The state of the", { maxNewTokens: 40 })) process.stdout.write(text);
