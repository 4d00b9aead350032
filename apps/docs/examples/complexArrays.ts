import { complex, complexAt, complexSet } from "@statespace/core/math";

const data = new Float64Array(4); // two numbers, re and im beside each other
complexSet(data, 1, complex(5, 6));
console.log(data, complexAt(data, 1)); // 0 0 5 6
