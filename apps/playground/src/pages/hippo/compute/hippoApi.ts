import { MEMORIES, remember, type MemoryName, type Remembered, type RememberInput } from "./remember.ts";

export const api = {
  /** All memories on one signal. */
  remember(input: RememberInput): Record<MemoryName, Remembered> {
    return Object.fromEntries(MEMORIES.map((name) => [name, remember(name, input)])) as Record<MemoryName, Remembered>;
  },
};
