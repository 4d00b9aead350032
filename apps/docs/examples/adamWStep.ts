import { cpuBackend, setBackend, tensor } from "statespace";
import { adamW } from "@statespace/core/ops";

await setBackend(cpuBackend());
const [param, m, v] = [tensor([1, -1]), tensor([0, 0]), tensor([0, 0])];
const [rate, beta1, beta2, eps, decay] = [0.1, 0.9, 0.999, 1e-8, 0];
const hyper = tensor([rate, beta1, beta2, eps, decay, 1 - beta1, 1 - beta2, 0]); // corrections of the first step
adamW({ param, m, v, grad: tensor([0.5, -0.5]), hyper });
console.log(await param.data(), await m.data()); // 0.9 -0.9: a step against the gradient
