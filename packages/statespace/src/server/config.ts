import type { LoadedModel } from "@statespace/models";

/** A model that is served, by the name that requests ask for it. */
export interface ServedModel {
  readonly name: string;
  readonly lm: LoadedModel;
}

/** How a server serves. */
export interface ServerOptions {
  readonly models: readonly ServedModel[];
  /** Texts of a model that go on at once; default 8. */
  readonly slots?: number;
  /** Tokens of a prompt read at once; default 64. The others step in between, after some of the layers each. */
  readonly prefillChunk?: number;
  /** Bytes of states that are kept; default 256 MiB, 0 keeps none. */
  readonly cacheBytes?: number;
  /** Folder for them, so that they outlive the server; default memory. */
  readonly cacheFolder?: string;
  /** Requests of a model that may wait for their prompt to be read; more are answered 429. Default 64. */
  readonly maxWaiting?: number;
  /** Key that requests must bear; without one, everybody on this machine may ask. */
  readonly apiKey?: string;
  /** Origin of pages that may ask, `*` for all; default none. */
  readonly corsOrigin?: string;
  /** Bytes of a request's body; default 4 MiB. */
  readonly maxBodyBytes?: number;
  /** Seconds within which a request must have come, its body too; default 30. */
  readonly receiveTimeoutSeconds?: number;
  /** Seconds that an answer may take; default 600. */
  readonly timeoutSeconds?: number;
  /** Tokens of an answer, unless the request says fewer; default 1024. */
  readonly maxNewTokens?: number;
}
