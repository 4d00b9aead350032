import { threefry2x32 } from "@statespace/core/math";

console.log(threefry2x32([1, 2], [0, 0]), threefry2x32([1, 2], [0, 1])); // two words each, the same on every machine
