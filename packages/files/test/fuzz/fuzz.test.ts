import { expect, test } from "vitest";
import { fuzz } from "./fuzz.ts";
import { kinds } from "./kinds.ts";

/** `pnpm hostile` tries more of them, and other kinds. */
const ROUNDS = 1500;

test.each(Object.keys(kinds))(
  `${ROUNDS} mutated files, %s: read or refused with a typed error, soon, in bounded memory`,
  async (name) => {
    const { accepted } = await fuzz(kinds[name]!, ROUNDS, 3);
    // A changed weight or name is harmless, so some pass; a reader that takes everything, or nothing, would be wrong.
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(0.9 * ROUNDS);
  },
);
