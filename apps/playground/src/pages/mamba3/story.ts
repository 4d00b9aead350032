import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { bits: "1011010111", turn: "0.5" }, at: "turns", answer: 2 },
    { view: { bits: "1011010111", turn: "0.5" }, at: "hand", answer: 0 },
    { view: { delta: "0.4", lambda: "1" }, at: "lambda", answer: 1 },
    { view: { delta: "0.4", lambda: "0.5" }, at: "error-half", answer: 2 },
  ],
  words: defineMessages(
    [
      {
        say: "Parity: is the number of ones so far even or odd? One bit of memory is enough, but it must flip at each one.",
        ask: "Why can a state that only fades not do it?",
        options: [
          "it forgets the first bits",
          "it has too few numbers",
          "it moves in one direction with each one, and never comes back",
        ],
        reveal:
          "In the table the fading states of even and of odd counts lie among each other: no threshold parts them.",
      },
      {
        say: "A state that <strong>turns</strong> by half a turn at each one is right at every length. As a complex number: multiply by −1 = e<sup>iπ</sup>.",
        ask: "How does Mamba-3 know when to turn?",
        options: [
          "the token chooses the angle, as it chooses Δ",
          "it turns at each step alike",
          "the angle is set by hand",
        ],
        reveal:
          "The turn is selective, too. It is computed by rotating B and C, as rotary embeddings rotate keys and queries.",
      },
      {
        say: "A step of Mamba counts the input at its end alone (λ = 1). The input changed on the way.",
        ask: "What does that cost?",
        options: ["nothing", "an error that shrinks only as Δ does", "the state explodes"],
        reveal: "Euler’s rule is of first order: half the step, half the error.",
      },
      {
        say: "The trapezoidal rule takes both ends: λ = 1/2 here; in Mamba-3 the token chooses it.",
        ask: "Looking at this token and the one before at once: which part of the old block does that replace?",
        options: ["the gate", "the norm", "the short convolution"],
        reveal: "Two tokens side by side are what the convolution was for. Mamba-3’s block has none.",
      },
    ],
    [
      {
        say: "奇偶：到目前为止，1 的个数是偶还是奇？一个比特的记忆就够了，但每遇到一个 1 就得翻转。",
        ask: "只会衰减的状态为什么做不到？",
        options: ["它忘掉了最初的比特", "它的数太少", "每个 1 都让它朝同一方向走，从不回来"],
        reveal: "表里，奇数与偶数时的衰减状态混在一起：没有阈值能分开它们。",
      },
      {
        say: "每个 1 都<strong>旋转</strong>半圈的状态，在任何长度上都对。写成复数：乘以 −1 = e<sup>iπ</sup>。",
        ask: "Mamba-3 怎么知道什么时候转？",
        options: ["角度由词元选择，就像选择 Δ", "每一步都同样地转", "角度是人设定的"],
        reveal: "旋转也是选择性的。做法是旋转 B 和 C，就像旋转位置编码旋转键和查询。",
      },
      {
        say: "Mamba 的一步只算末端的输入（λ = 1）。而输入在途中变了。",
        ask: "这要付出什么代价？",
        options: ["没有代价", "误差只随 Δ 同比缩小", "状态会爆炸"],
        reveal: "欧拉规则是一阶的：步长减半，误差减半。",
      },
      {
        say: "梯形规则取两端：这里 λ = 1/2；在 Mamba-3 里由词元选择。",
        ask: "同时看这个词元和前一个：这顶替了旧块的哪一部分？",
        options: ["门", "归一化", "短卷积"],
        reveal: "把相邻两个词元放在一起看，正是卷积的用处。Mamba-3 的块里没有卷积。",
      },
    ],
  ),
};
