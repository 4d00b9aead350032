/** What a pickle may hold here: plain data, and what the allowed globals make of it. */
export type PickleValue =
  | null
  | boolean
  | number
  | string
  | PickleList
  | PickleTuple
  | PickleDict
  | PickleGlobal
  | PickleObject;

/** A Python list. */
export class PickleList {
  readonly items: PickleValue[] = [];
}

/** A Python tuple. */
export class PickleTuple {
  readonly items: readonly PickleValue[];

  constructor(items: readonly PickleValue[]) {
    this.items = items;
  }
}

/** A Python dict, ordered or not. */
export class PickleDict {
  readonly items: Map<PickleValue, PickleValue> = new Map();
}

/** A name that the file asks for, found in the list of allowed ones. Nothing is ever looked up or run by its name. */
export class PickleGlobal {
  readonly name: string;
  /** What calling it makes; absent where it is only a name. */
  readonly call: ((args: readonly PickleValue[]) => PickleValue) | undefined;

  constructor(name: string, call?: (args: readonly PickleValue[]) => PickleValue) {
    this.name = name;
    this.call = call;
  }
}

/** Base of the objects that allowed globals make. */
export abstract class PickleObject {
  /** In messages. */
  abstract readonly kind: string;
}
