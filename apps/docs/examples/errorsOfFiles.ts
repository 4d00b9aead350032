import { BackendError, FormatError, pickBackend, setBackend, SourceError, cpuBackend, load } from "statespace";
import { memorySource } from "@statespace/files";

const attempt = async (program: () => Promise<unknown>): Promise<void> => {
  const error = await program().catch((reason: unknown) => reason);
  for (const [name, kind] of Object.entries({ SourceError, FormatError, BackendError }))
    if (error instanceof kind) console.log(`${name}: ${(error as Error).message}`);
};
await setBackend(cpuBackend());
await attempt(() => load("./no-such-model"));
await attempt(() => load(memorySource({ "config.json": "{ broken" })));
await attempt(() => pickBackend(["no-such-backend"]));
