import { nearestName } from "@statespace/core/backend";
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { readmes } from "../../scripts/settings.ts";
import { ConfigFields } from "../../src/config/fields.ts";
import { mixerKinds, mixers } from "../../src/mixers/registry.ts";

describe("a mixer's settings are declared once", () => {
  it.each([...readmes()])("%s has their table (if not: pnpm settings)", (path, text) => {
    expect(readFileSync(path, "utf8")).toBe(text);
  });
  it.each(mixerKinds)("%s: what was read and filled in is read again as it is", (kind) => {
    const given = kind === "dss" ? { kernelLength: 16 } : {};
    const { config } = mixers[kind].read(new ConfigFields(given), 8);
    const again = new ConfigFields(config as never);
    expect(mixers[kind].read(again, 8).config).toEqual(config);
    again.ignore("dModel");
    again.rejectUnknown();
  });
  it("a mistyped setting is told with the one that was meant", () => {
    const fields = new ConfigFields({ dSate: 8 }, "layers.1.");
    mixers.mamba.read(fields, 8);
    expect(() => fields.rejectUnknown()).toThrow("config: layers.1.dSate is not a known setting; did you mean dState?");
    expect(nearestName("zzz", ["dState", "dConv"])).toBeUndefined();
  });
});
