import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: {}, at: "s4-parts", answer: 1 },
    { view: { init: "lin", n: "8" }, at: "init", answer: 0 },
    { view: { init: "legs", n: "32" }, at: "init", answer: 2 },
    { view: { init: "real", target: "echo", lag: "80" }, at: "target", answer: 1 },
  ],
  words: defineMessages(
    [
      {
        say: "<strong>S4</strong>, structured state spaces for sequences, is three things that you have met: a state space model, HiPPO’s matrix, and discretization, which gives it a recurrent and a convolutional view.",
        ask: "Which of the three is there for <em>long</em> dependencies?",
        options: ["the state space model", "HiPPO", "discretization"],
        reveal:
          "HiPPO fills the state with history. Discretization makes it run on tokens; the state space model is the frame.",
      },
      {
        say: "In the basis of its eigenvectors A is diagonal, and every eigenvalue gives the filter one <strong>wave</strong>: the real part makes it fade, the imaginary part makes it swing.",
        ask: "What does C do then?",
        options: [
          "it says how much of each wave is in the filter",
          "it moves the eigenvalues",
          "it sets the time scale",
        ],
        reveal: "So learning C is easy. Where the eigenvalues start is what matters, and that is the plot on the left.",
      },
      {
        say: "HiPPO’s matrix cannot be made diagonal in a way that keeps its digits, so <strong>S4</strong> writes it as diagonal plus rank one. <strong>S4D</strong> drops the rest.",
        ask: "What does a diagonal A cost for each step, with N states?",
        options: ["N³", "N²", "N"],
        reveal: "A multiplication a state. That is what makes thousands of channels affordable, in Mamba, too.",
      },
      {
        say: "The wanted filter is an echo: silence, then a peak 80 steps ago. The chosen start has real eigenvalues only.",
        ask: "Why can’t it make the echo?",
        options: [
          "80 steps are too far for any state",
          "its waves only fade: without swinging no sum of them has a sharp peak",
          "C is fixed",
        ],
        reveal:
          "Mamba starts from these all the same: it does not need echoes at fixed distances, since it chooses by content what to keep.",
      },
    ],
    [
      {
        say: "<strong>S4</strong>（序列的结构化状态空间）由你见过的三样东西组成：状态空间模型、HiPPO 矩阵，以及离散化，后者给出递推和卷积两种视角。",
        ask: "三者之中，哪一个是为<em>长程</em>依赖准备的？",
        options: ["状态空间模型", "HiPPO", "离散化"],
        reveal: "HiPPO 用历史填满状态。离散化让它能处理词元；状态空间模型是骨架。",
      },
      {
        say: "在特征向量的基下，A 是对角的，每个特征值给滤波器一个<strong>波</strong>：实部让它衰减，虚部让它摆动。",
        ask: "那么 C 做什么？",
        options: ["决定滤波器里每个波有多少", "移动特征值", "设定时间尺度"],
        reveal: "所以学习 C 很容易。要紧的是特征值从哪里出发，也就是左边的图。",
      },
      {
        say: "HiPPO 矩阵无法在不损失精度的情况下对角化，所以 <strong>S4</strong> 把它写成对角加秩一。<strong>S4D</strong> 丢掉后一部分。",
        ask: "A 是对角的，有 N 个状态，每步要多少计算？",
        options: ["N³", "N²", "N"],
        reveal: "每个状态一次乘法。正因如此，几千个通道才负担得起，Mamba 也一样。",
      },
      {
        say: "想要的滤波器是回声：先安静，80 步前有一个峰。选中的起点只有实特征值。",
        ask: "它为什么造不出回声？",
        options: ["80 步对任何状态都太远", "它的波只会衰减：没有摆动，怎么相加也没有尖峰", "C 是固定的"],
        reveal: "Mamba 仍从它们出发：它不需要固定距离上的回声，因为它按内容选择保留什么。",
      },
    ],
  ),
};
