import { cauchyTree, CauchyMultipole } from "@statespace/core/math";

const n = 500;
const poles = Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? -0.5 : (i - 1) / 2)); // -1/2 + i k
const nodes = Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 0 : (i - 1) / 3));
const ones = Float64Array.from({ length: 2 * n }, (_, i) => 1 - (i % 2));
const values = new Float64Array(2 * n);
new CauchyMultipole(cauchyTree(poles), cauchyTree(nodes)).sum(ones, { values });
console.log(values.slice(0, 2)); // the sum of 1 / (z - w) over 500 poles, for each of 500 nodes, without 250,000 divisions
