import { ArgumentError } from "@statespace/core";
import { Chat, type LoadedModel, type Point, type Session, type StreamOptions } from "@statespace/models";
import type { ChatTemplate } from "@statespace/text";

/** A conversation that can be taken back turn by turn. */
interface Branch {
  readonly session: Session;
  /** Absent for a model without a template: it goes on from what is written. */
  readonly chat: Chat | undefined;
  /** Places before each turn that may be taken back, but the first. */
  readonly points: Point[];
  /** Nothing stood before its turns, and all of them may be taken back. */
  fromStart: boolean;
}

/** Turns that can be taken back; older places are let go, since each takes the memory of a state. */
const MOST_POINTS = 32;

/** The conversations of one model: branches of which one is spoken in. */
export class ChatRoom {
  readonly lm: LoadedModel;
  readonly #template: ChatTemplate | undefined;
  readonly #seed: number;
  readonly #branches: Branch[] = [];
  #at = 0;

  constructor(lm: LoadedModel, { system, seed = 0 }: { system?: string | undefined; seed?: number | undefined } = {}) {
    this.lm = lm;
    this.#template = lm.template;
    this.#seed = seed;
    this.#branches.push(this.#begin(system));
  }

  /** Whether it has turns; otherwise the model goes on from what is written. */
  get hasTemplate(): boolean {
    return this.#template !== undefined;
  }

  /** Number of the branch, from 1, and of branches. */
  get where(): { readonly branch: number; readonly branches: number } {
    return { branch: this.#at + 1, branches: this.#branches.length };
  }

  get session(): Session {
    return this.#branch.session;
  }

  /** Says something, and streams the answer. */
  async *say(text: string, options: StreamOptions): AsyncGenerator<string, void, undefined> {
    const branch = this.#branch;
    const { session, chat, points } = branch;
    if (session.ids.length > 0) {
      points.push(session.keep());
      if (points.length > MOST_POINTS) {
        session.forget(points.shift()!);
        branch.fromStart = false;
      }
    }
    if (chat !== undefined) {
      yield* chat.say(text, options);
      return;
    }
    await session.read(text, { signal: options.signal });
    yield* session.stream(options);
  }

  /** A conversation of its own from here on; the former one stays as it is. */
  fork(): void {
    const { session } = this.#branch;
    this.#branches.push(this.#branchOf(session.fork()));
    this.#at = this.#branches.length - 1;
  }

  /** Speaks in another branch, counted from 1. @throws ArgumentError where there is none. */
  goTo(branch: number): void {
    if (!(branch >= 1 && branch <= this.#branches.length && Number.isInteger(branch)))
      throw new ArgumentError(`there are branches 1 to ${this.#branches.length}`);
    this.#at = branch - 1;
  }

  /** Takes back so many turns. @throws ArgumentError where there are not so many to take back. */
  rewind(turns: number): void {
    const { session, points, fromStart } = this.#branch;
    const known = points.length;
    const most = known + (fromStart && session.ids.length > 0 ? 1 : 0);
    if (!(turns >= 1 && turns <= most && Number.isInteger(turns)))
      throw new ArgumentError(`there are ${most} turns to take back`);
    if (turns > known) {
      this.#replace(this.#begin(this.#system));
      return;
    }
    session.rewind(points[known - turns]!);
    for (const point of points.splice(known - turns)) session.forget(point);
  }

  /** Begins anew, with another system message. */
  system(text: string): void {
    this.#replace(this.#begin(text === "" ? undefined : text));
  }

  /** The branch as bytes. */
  save(): Promise<Uint8Array> {
    return this.session.save();
  }

  /** Goes on in this branch from what was saved. */
  load(bytes: Uint8Array): void {
    const session = this.lm.session();
    try {
      session.restore(bytes);
      this.#replace(this.#branchOf(session));
    } catch (error) {
      session.dispose();
      throw error;
    }
  }

  dispose(): void {
    for (const { session } of this.#branches) session.dispose();
  }

  get #branch(): Branch {
    return this.#branches[this.#at]!;
  }

  #system: string | undefined;

  #begin(system: string | undefined): Branch {
    this.#system = system;
    const session = this.lm.session({ seed: this.#seed });
    return { ...this.#branchOf(session, system), fromStart: true };
  }

  #branchOf(session: Session, system = this.#system): Branch {
    const template = this.#template;
    const own = system === undefined ? {} : { system };
    return { session, chat: template && new Chat(session, { template, ...own }), points: [], fromStart: false };
  }

  #replace(branch: Branch): void {
    this.#branch.session.dispose();
    this.#branches[this.#at] = branch;
  }
}
