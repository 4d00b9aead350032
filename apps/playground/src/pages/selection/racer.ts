import type { Contender } from "./contender.ts";

/** One of the two models that run against each other. */
export interface Racer {
  readonly name: () => string;
  readonly tone: string;
  readonly id: string;
  readonly contender: Contender;
}
