import * as math from "@statespace/core/math";
import {
  complex,
  complexAbs,
  complexAdd,
  complexConj,
  complexDiv,
  complexExp,
  complexMul,
} from "@statespace/core/math";
import { complexScale, complexSqrt, complexSub } from "@statespace/core/math";

const [a, b] = [complex(3, 4), complex(0, 1)];
console.log(complexAbs(a), complexConj(a), complexAdd(a, b), complexSub(a, b), complexMul(a, b)); // 5; 3 - 4i; ...
console.log(complexDiv(a, b), complexScale(a, 2), complexSqrt(complex(-1))); // 4 - 3i; 6 + 8i; i
console.log(complexExp(math.complexScale(b, Math.PI))); // -1
