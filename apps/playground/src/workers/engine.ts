import type { Parts } from "./engine.worker.ts";
import { Lane, Remote } from "./remote.ts";

const start = (): Worker => new Worker(new URL("./engine.worker.ts", import.meta.url), { type: "module" });

/** Learners that race each other at most. */
export const RACERS = 3;

/** The app's engine: the worker that all pages share, so that a backend is loaded and started once. */
const pages = new Lane(start);
/** What learns for minutes takes a core of its own: those that race are at it at once, and no slider waits for their steps. Both races share these. */
const racers = Array.from({ length: RACERS }, () => new Lane(start));

/** A part of the app that computes, in a room of its own: what it remembers is nobody else's, and leaving it stops nobody else. */
export function engine<K extends keyof Parts>(part: K): Remote<Parts[K]> {
  return new Remote<Parts[K]>(pages, part);
}

/** A part that learns in a race. @param place among the racers */
export function racer<K extends keyof Parts>(part: K, place: number): Remote<Parts[K]> {
  return new Remote<Parts[K]>(racers[place % RACERS]!, part);
}

/** A worker with nobody beside, for what measures and tries the machine itself: it sets what others rely on, and ends with its page. */
export function apart<K extends keyof Parts>(part: K): Pick<Remote<Parts[K]>, "call" | "close"> {
  const lane = new Lane(start);
  const remote = new Remote<Parts[K]>(lane, part);
  return { call: (...args) => remote.call(...args), close: () => lane.end() };
}
