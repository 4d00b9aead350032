import { DiscreteSsm } from "@statespace/core/ssm";
import { Matrix } from "@statespace/core/math";

const number = (value: number) => new Matrix(1, 1, Float64Array.of(value));
const ssm = new DiscreteSsm(number(0.5), number(1), number(2)); // state = 0.5 state + u; y = 2 state
console.log(ssm.step(Float64Array.of(0), Float64Array.of(1)).output); // 2
console.log(ssm.ssmFilter(4).map((K) => K.data[0])); // CB, CAB, CA2B, CA3B: 2 1 0.5 0.25
console.log(ssm.isStable());
