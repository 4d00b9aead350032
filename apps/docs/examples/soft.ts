import { capped, checkSoftCap } from "@statespace/core/ops";

checkSoftCap("my attention", 30); // a cap below 0 is refused
console.log(capped(1, 30), capped(1000, 30), capped(1000, 0)); // nearly 1; nearly 30; no cap: 1000
