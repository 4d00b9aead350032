import {
  basisNorms,
  fourierBasis,
  gaussLegendre,
  hippoBasis,
  laguerreBasis,
  legendreBasis,
} from "@statespace/core/hippo";

const { nodes, weights } = gaussLegendre(6);
let product = 0;
for (let i = 0; i < 6; i++) product += weights[i]! * legendreBasis(3, nodes[i]!)[2]! ** 2;
console.log(product.toFixed(6)); // 1: the functions are orthonormal
console.log(
  legendreBasis(3, 1),
  laguerreBasis(3, 0),
  fourierBasis(4, 0),
  hippoBasis("legs", 3, 0.5),
  basisNorms("legs", 3),
);
