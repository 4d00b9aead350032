/** Where the parts of the picture of signals stand, in its own units. */
export interface FlowLayout {
  readonly width: number;
  readonly height: number;
  /** Middle of each box. */
  readonly boxes: Readonly<Record<"A" | "B" | "C" | "D" | "∫", readonly [x: number, y: number]>>;
  /** Middle of the two sums. */
  readonly sums: readonly (readonly [x: number, y: number])[];
  /** Wires, each ending in an arrow. */
  readonly wires: readonly string[];
  /** Where each signal's value is written, and which part of the text stands there. */
  readonly labels: Readonly<Record<Signal, readonly [x: number, y: number, anchor: "start" | "middle" | "end"]>>;
}

export type Signal = "u" | "Bu" | "change" | "x" | "Ax" | "Cx" | "Du" | "y";

/** From left to right. */
export const BROAD: FlowLayout = {
  width: 680,
  height: 226,
  boxes: { B: [96, 110], "∫": [300, 110], C: [480, 110], A: [300, 190], D: [300, 30] },
  sums: [
    [210, 110],
    [570, 110],
  ],
  wires: [
    "M10 110H74",
    "M118 110H198",
    "M222 110H278",
    "M322 110H458",
    "M502 110H558",
    "M582 110H640",
    "M42 110V30H278",
    "M322 30H570V98",
    "M390 110V190H322",
    "M278 190H210V122",
  ],
  labels: {
    u: [40, 134, "middle"],
    Bu: [157, 100, "middle"],
    change: [246, 84, "middle"],
    x: [400, 100, "middle"],
    Ax: [205, 214, "middle"],
    Cx: [530, 134, "middle"],
    Du: [430, 22, "middle"],
    y: [616, 100, "middle"],
  },
};

/** From top to bottom, for a phone: as wide as its screen. */
export const TALL: FlowLayout = {
  width: 310,
  height: 408,
  boxes: { B: [150, 70], "∫": [150, 190], C: [150, 296], A: [44, 186], D: [284, 186] },
  sums: [
    [150, 130],
    [150, 352],
  ],
  wires: [
    "M150 4V50",
    "M150 88V116",
    "M150 142V170",
    "M150 208V276",
    "M150 314V338",
    "M150 364V402",
    "M150 28H284V166",
    "M284 204V352H164",
    "M150 236H44V206",
    "M44 168V130H136",
  ],
  labels: {
    u: [142, 18, "end"],
    Bu: [158, 106, "start"],
    change: [158, 160, "start"],
    x: [142, 254, "end"],
    Ax: [2, 122, "start"],
    Cx: [158, 330, "start"],
    Du: [276, 372, "end"],
    y: [158, 394, "start"],
  },
};
