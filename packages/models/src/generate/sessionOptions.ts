import { ArgumentError } from "@statespace/core";
import type { Tokenizer } from "@statespace/text";
import type { ModelState } from "../model/state.ts";
import type { StateStore } from "./states/stateStore.ts";
import { checkTokenOptions, refuseUnknownOptions, STREAM_OPTIONS, type StreamOptions } from "./options.ts";

/** How a session begins. */
export interface SessionOptions {
  /** For text; without it a session reads and says ids. */
  readonly tokenizer?: Tokenizer | undefined;
  /** Texts that go on side by side, each as if alone; default 1. */
  readonly rows?: number;
  /** Seed of the draws; default 0. */
  readonly seed?: number;
  /** Number of the first row's generator, where these rows are part of a larger batch; default 0. */
  readonly firstRow?: number;
  /** State to begin with (left as it is); default that of no tokens. */
  readonly initialState?: ModelState | undefined;
  /** States of earlier texts: what one of them began with is not read again, see `StateStore`. For one row, without an `initialState`. */
  readonly store?: StateStore | undefined;
  /** Tokens read at once; default 512. Texts are read in pieces that end at its multiples. */
  readonly prefillChunk?: number | undefined;
  /**
   * Of the store only states that reading the text anew would give bit for bit. Default false: also those after tokens that were said, which
   * go on as the session that said them would; reading the same text at once rounds otherwise.
   */
  readonly reproducible?: boolean | undefined;
  /** What `tokens`, `stream` and `say` do unless told otherwise, such as a checkpoint's `generation_config.json` says. */
  readonly defaults?: StreamOptions;
}

const SESSION_OPTIONS = [
  "tokenizer",
  "rows",
  "seed",
  "firstRow",
  "initialState",
  "store",
  "prefillChunk",
  "reproducible",
  "defaults",
];

/** @throws ArgumentError naming the option that is unknown or out of range. */
export function checkSessionOptions(options: SessionOptions, vocabSize: number): void {
  refuseUnknownOptions("Session", options, SESSION_OPTIONS);
  const { rows = 1, firstRow = 0, prefillChunk = 1, defaults = {} } = options;
  const counts = [
    ["rows", rows, 1] as const,
    ["firstRow", firstRow, 0] as const,
    ["prefillChunk", prefillChunk, 1] as const,
  ];
  for (const [name, value, least] of counts)
    if (!Number.isSafeInteger(value) || value < least)
      throw new ArgumentError(`Session: ${name} must be a whole number >= ${least}, got ${value}`);
  refuseUnknownOptions("Session: defaults", defaults, STREAM_OPTIONS);
  checkTokenOptions("Session: defaults", defaults, vocabSize);
}
