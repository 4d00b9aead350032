import { defineMessages } from "../../shell/language.ts";
import type { Story } from "../../story/tell.ts";

export const story: Story = {
  steps: [
    { view: { depth: "quick" }, at: "gpu", answer: 2 },
    { view: { check: "wasm", depth: "quick" }, at: "run", answer: 1 },
    { view: { check: "wasm,cpu", depth: "quick" }, at: "run", answer: 0 },
    { view: { check: "wasm", depth: "thorough" }, at: "run", answer: 2 },
  ],
  words: defineMessages(
    [
      {
        say: "All that you saw was computed here, on this device: the page tells what it found.",
        ask: "What sends your texts and models to a server?",
        options: ["loading the model", "training", "nothing does"],
        reveal: "Files come to you; nothing of yours leaves. After one visit the tour works without a network.",
      },
      {
        say: "Run the checks. Each operation is compared with plain loops in double precision, and with what the official implementations computed.",
        ask: "Why are the numbers not exactly equal?",
        options: [
          "the operations are guesses",
          "float32 rounds, and sums are added in another order",
          "the device is old",
        ],
        reveal: "So every comparison has a bound derived from rounding, and the table says how much of it was used.",
      },
      {
        say: "Two backends side by side: the same kernels written in C and run as wasm, and in plain JavaScript.",
        ask: "What should differ?",
        options: ["the times, and the last digits", "the results, a lot", "nothing"],
        reveal: "If more than the last digits differs, it is a fault: copy the table into a report.",
      },
      {
        say: "You have come to the end of the tour. The last page, “Ideas”, lists all that you met, and asks you to explain it.",
        ask: "In one sentence: what is selective about a selective state space model?",
        options: [
          "it selects some tokens and drops the others",
          "it selects a model for each task",
          "each token computes how much it is written, kept and read",
        ],
        reveal: "No token is dropped by a rule: Δ, B and C are computed from it, and learned.",
      },
    ],
    [
      {
        say: "你看到的一切都在这台设备上算出：本页告诉你它发现了什么。",
        ask: "哪一步会把你的文字和模型发到服务器？",
        options: ["载入模型", "训练", "都不会"],
        reveal: "文件来到你这里；你的东西一样也不离开。访问一次之后，没有网络也能用。",
      },
      {
        say: "运行核对。每个算子都与双精度的朴素循环比较，也与官方实现算出的结果比较。",
        ask: "为什么数值不完全相等？",
        options: ["算子只是猜的", "单精度有舍入，求和的顺序也不同", "设备太旧"],
        reveal: "所以每次比较都有一个由舍入推出的界，表里说明用掉了多少。",
      },
      {
        say: "两个后端并排：同样的内核，一个用 C 写成、以 wasm 运行，一个是普通脚本。",
        ask: "什么应该不同？",
        options: ["时间，和最后几位数字", "结果，差别很大", "没有不同"],
        reveal: "如果不止最后几位不同，那就是毛病：把表格复制到报告里。",
      },
      {
        say: "导览到了终点。最后一页“概念”列出你遇到的一切，并请你来讲解。",
        ask: "一句话：选择性状态空间模型“选择”了什么？",
        options: ["选出一些词元，丢掉其余", "为每个任务选一个模型", "每个词元自己算出写入多少、保留多少、读出多少"],
        reveal: "没有哪个词元按规则被丢掉：Δ、B、C 由它算出，而且是学来的。",
      },
    ],
  ),
};
