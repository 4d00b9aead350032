import { complex, phi1, phi1Derivative } from "@statespace/core/math";

console.log(phi1(complex(0)), phi1(complex(1))); // 1 and e - 1: the mean of exp from 0 to z
console.log(phi1Derivative(complex(0))); // 1/2
