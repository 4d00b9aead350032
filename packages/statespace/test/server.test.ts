import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { cpuBackend } from "@statespace/backend-cpu";
import { memory, registerBackend, Rng, setBackend } from "@statespace/core";
import { LoadedModel, Model } from "@statespace/models";
import { ByteTokenizer, ChatTemplate } from "@statespace/text";
import OpenAI from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { ServerOptions } from "../src/server/config.ts";
import { serve, type RunningServer } from "../src/server/serve.ts";

const EOS = 256;
const TEMPLATE =
  "{% if tools %}[tools: {% for t in tools %}{{ t.function.name }} {% endfor %}]{% endif %}" +
  "{% for m in messages %}<{{ m.role }}>{{ m.content }}</{{ m.role }}>{% endfor %}" +
  "{% if add_generation_prompt %}<assistant>{% endif %}";

async function makeModel(seed: number): Promise<LoadedModel> {
  const model = new Model(
    {
      dModel: 8,
      encoder: { kind: "embedding", vocabSize: 264 },
      layers: [
        { kind: "mamba", dState: 4 },
        { kind: "attention", nHeads: 2, nHeadsKv: 1, rotaryDim: 4 },
      ],
      head: { kind: "language" },
      norm: "rms",
      initializerRange: 0.7,
    },
    seed,
  );
  const template = await ChatTemplate.parse(TEMPLATE);
  return new LoadedModel({ model, tokenizer: new ByteTokenizer(), template, defaults: { eosTokenIds: [EOS] } });
}

let lm: LoadedModel;
let server: RunningServer;
let client: OpenAI;

async function start(options: Partial<ServerOptions> = {}): Promise<RunningServer> {
  return serve({ models: [{ name: "tiny", lm }], port: 0, slots: 4, maxNewTokens: 4000, ...options });
}

const clientOf = ({ url }: RunningServer, apiKey = "none"): OpenAI =>
  new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 });

/** What the metrics say of something. */
async function metric(name: string, at = server): Promise<number> {
  const text = await (await fetch(`${at.url}/metrics`)).text();
  return Number(new RegExp(`^statespace_${name}(?:\\{[^}]*\\})? (\\S+)$`, "m").exec(text)?.[1]);
}

/** Until nothing runs or waits. */
async function quiet(at = server): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if ((await metric("texts_running", at)) + (await metric("texts_waiting", at)) === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("texts are still going on");
}

beforeAll(async () => {
  registerBackend(cpuBackend());
  await setBackend("cpu");
  lm = await makeModel(7);
  server = await start();
  client = clientOf(server);
});
afterAll(async () => {
  await server.close();
  lm.dispose();
});

const messages = [{ role: "user" as const, content: "Hello" }];

describe("OpenAI's client", () => {
  it("lists models", async () => {
    const list = await client.models.list();
    expect(list.data.map(({ id }) => id)).toEqual(["tiny"]);
    expect((await client.models.retrieve("tiny")).id).toBe("tiny");
    await expect(client.models.retrieve("large")).rejects.toMatchObject({ status: 404, code: "model_not_found" });
  });

  it("chats: the answer is the model's own, and its usage is told", async () => {
    const answer = await client.chat.completions.create({ model: "tiny", messages, max_tokens: 12, temperature: 0 });
    const chat = lm.chat();
    let want = "";
    for await (const text of chat.say("Hello", { maxNewTokens: 12, temperature: 0 })) want += text;
    chat.dispose();
    expect(answer.choices[0]!.message).toMatchObject({ role: "assistant", content: want });
    const made = answer.usage!.completion_tokens;
    expect(answer.choices[0]!.finish_reason).toBe(made === 12 ? "length" : "stop");
    expect(answer.usage).toMatchObject({ prompt_tokens: 29, total_tokens: 29 + made });
  });

  it("streams the same, with usage at the end", async () => {
    const body = { model: "tiny", messages, max_tokens: 20, temperature: 1.2, seed: 3 };
    const whole = await client.chat.completions.create(body);
    const stream = await client.chat.completions.create({
      ...body,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = "";
    let finish: string | null = null;
    let usage: OpenAI.CompletionUsage | null | undefined;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      finish = chunk.choices[0]?.finish_reason ?? finish;
      usage = chunk.usage ?? usage;
    }
    expect(text).toBe(whole.choices[0]!.message.content);
    expect(finish).toBe("length");
    expect(usage).toMatchObject({ completion_tokens: 20, prompt_tokens_details: { cached_tokens: 29 } });
  });

  it("goes on with a conversation without reading it again", async () => {
    const first = await client.chat.completions.create({
      model: "tiny",
      messages,
      max_tokens: 9,
      temperature: 0,
      stop: "</",
    });
    const longer = [
      ...messages,
      { role: "assistant" as const, content: first.choices[0]!.message.content },
      { role: "user" as const, content: "And then?" },
    ];
    const second = await client.chat.completions.create({
      model: "tiny",
      messages: longer,
      max_tokens: 4,
      temperature: 0,
    });
    expect(second.usage!.prompt_tokens_details!.cached_tokens).toBeGreaterThanOrEqual(29);
  });

  it("n answers of one reading, log probabilities, stops, seeds, biases", async () => {
    const read = await metric("prompt_tokens_total");
    const answer = await client.chat.completions.create({
      model: "tiny",
      messages: [{ role: "user", content: "something new" }],
      n: 8,
      max_tokens: 6,
      temperature: 2,
      seed: 1,
      logprobs: true,
      top_logprobs: 3,
    });
    expect((await metric("prompt_tokens_total")) - read).toBe(answer.usage!.prompt_tokens);
    expect(answer.choices.map(({ index }) => index)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect(new Set(answer.choices.map(({ message }) => message.content)).size).toBe(8);
    const { content } = answer.choices[0]!.logprobs!;
    expect(content!.length).toBe(6);
    for (const { logprob, top_logprobs } of content!) {
      expect(logprob).toBeLessThan(0);
      expect(top_logprobs.length).toBe(3);
      expect(top_logprobs[0]!.logprob).toBeGreaterThanOrEqual(top_logprobs[1]!.logprob);
    }
    const biased = await client.chat.completions.create({
      model: "tiny",
      messages,
      max_tokens: 5,
      logit_bias: { "65": 100 },
    });
    expect(biased.choices[0]!.message.content).toBe("AAAAA");
    const stopped = await client.chat.completions.create({
      model: "tiny",
      messages,
      max_tokens: 50,
      logit_bias: { "65": 60, "66": 60 },
      temperature: 2,
      seed: 5,
      stop: ["AB", "zz"],
    });
    expect(stopped.choices[0]!.message.content).not.toContain("AB");
    expect(stopped.choices[0]!.finish_reason).toBe("stop");
  });

  it("answers by a JSON schema", async () => {
    const schema = {
      type: "object",
      properties: {
        city: { type: "string", pattern: "^[A-Z][a-z]{2,5}$" },
        degrees: { type: "integer" },
        rain: { type: "boolean" },
      },
      required: ["city", "degrees", "rain"],
      additionalProperties: false,
    };
    for (let seed = 0; seed < 5; seed++) {
      const answer = await client.chat.completions.create({
        model: "tiny",
        messages,
        seed,
        temperature: 1.5,
        response_format: { type: "json_schema", json_schema: { name: "weather", schema, strict: true } },
      });
      const value = JSON.parse(answer.choices[0]!.message.content!) as Record<string, unknown>;
      expect(answer.choices[0]!.finish_reason).toBe("stop");
      expect(value).toMatchObject({ degrees: expect.any(Number), rain: expect.any(Boolean) });
      expect(value["city"]).toMatch(/^[A-Z][a-z]{2,5}$/);
    }
  });

  it("calls a tool that it must call, in a piece or streamed", async () => {
    const tools = [
      {
        type: "function" as const,
        function: {
          name: "get_weather",
          parameters: {
            type: "object",
            properties: { city: { enum: ["Rome", "Oslo"] } },
            required: ["city"],
            additionalProperties: false,
          },
        },
      },
    ];
    const body = { model: "tiny", messages, tools, tool_choice: "required" as const, seed: 2 };
    const answer = await client.chat.completions.create(body);
    expect(answer.choices[0]!.finish_reason).toBe("tool_calls");
    const [call] = answer.choices[0]!.message.tool_calls!;
    expect(call).toMatchObject({ type: "function", function: { name: "get_weather" } });
    const given = JSON.parse((call as { function: { arguments: string } }).function.arguments) as { city: string };
    expect(["Rome", "Oslo"]).toContain(given.city);
    let name = "";
    let args = "";
    for await (const { choices } of await client.chat.completions.create({ ...body, stream: true })) {
      name += choices[0]!.delta.tool_calls?.[0]?.function?.name ?? "";
      args += choices[0]!.delta.tool_calls?.[0]?.function?.arguments ?? "";
    }
    expect(name).toBe("get_weather");
    expect(JSON.parse(args)).toEqual(given);
    // The template got to know of it.
    const [plain, told] = await Promise.all([
      client.chat.completions.create({ model: "tiny", messages, max_tokens: 1 }),
      client.chat.completions.create({ model: "tiny", messages, tools, max_tokens: 1 }),
    ]);
    expect(told.usage!.prompt_tokens).toBe(plain.usage!.prompt_tokens + "[tools: get_weather ]".length);
  });

  it("completes texts, of several prompts, with echo", async () => {
    const answer = await client.completions.create({
      model: "tiny",
      prompt: ["one", "two"],
      max_tokens: 5,
      temperature: 0,
      echo: true,
      logprobs: 2,
    });
    for (const [i, prompt] of ["one", "two"].entries()) {
      const want = await lm.complete(prompt, { maxNewTokens: 5, temperature: 0 });
      expect(answer.choices[i]!.text).toBe(prompt + want);
      const { tokens, token_logprobs: logprobs } = answer.choices[i]!.logprobs!;
      expect(tokens!.length).toBeGreaterThanOrEqual(want.length);
      expect(logprobs!.length).toBe(tokens!.length);
    }
    const ids = await client.completions.create({
      model: "tiny",
      prompt: [111, 110, 101],
      max_tokens: 5,
      temperature: 0,
    });
    expect("one" + ids.choices[0]!.text).toBe(answer.choices[0]!.text);
    let text = "";
    for await (const { choices } of await client.completions.create({
      model: "tiny",
      prompt: "one",
      max_tokens: 5,
      temperature: 0,
      stream: true,
    }))
      text += choices[0]!.text;
    expect(text).toBe(ids.choices[0]!.text);
  });

  it("embeds texts", async () => {
    const { data, usage } = await client.embeddings.create({ model: "tiny", input: ["alpha", "beta", "alpha"] });
    expect(data.length).toBe(3);
    expect(data[0]!.embedding).toEqual(data[2]!.embedding);
    expect(data[0]!.embedding).not.toEqual(data[1]!.embedding);
    expect(data[0]!.embedding.reduce((sum, x) => sum + x * x, 0)).toBeCloseTo(1, 5);
    expect(usage.prompt_tokens).toBe(14);
  });

  it("an abort frees the slot, whole or streamed", async () => {
    const abort = new AbortController();
    const long = client.chat.completions.create(
      { model: "tiny", messages, max_tokens: 4000, logit_bias: { [EOS]: -100 } },
      { signal: abort.signal },
    );
    setTimeout(() => abort.abort(), 100);
    await expect(long).rejects.toThrow("aborted");
    const stream = await client.chat.completions.create({
      model: "tiny",
      messages,
      max_tokens: 4000,
      logit_bias: { [EOS]: -100 },
      stream: true,
    });
    let seen = 0;
    for await (const _ of stream) if (++seen === 5) break;
    await quiet();
  });

  it("tells what is wrong with a request", async () => {
    const refused: [object, number, RegExp][] = [
      [{ model: "other" }, 404, /no model "other"/],
      [{ temperature: -1 }, 400, /temperature must be/],
      [{ top_p: 2 }, 400, /top_p must be/],
      [{ max_tokens: 1.5 }, 400, /max_tokens must be/],
      [{ n: 0 }, 400, /n must be/],
      [{ stop: [""] }, 400, /stop must be/],
      [{ logit_bias: { x: 1 } }, 400, /logit_bias must have/],
      [{ logit_bias: { 9999: 1 } }, 400, /logitBias must have/],
      [{ messages: [] }, 400, /messages must be/],
      [{ messages: [{ role: "user", content: [{ type: "image_url" }] }] }, 400, /content must be/],
      [{ tools: [{}] }, 400, /tools must be/],
      [{ response_format: { type: "xml" } }, 400, /response_format must be/],
      [{ temprature: 1 }, 400, /unknown field "temprature"/],
      [{ top_logprobs: 99, logprobs: true }, 400, /top_logprobs must be/],
    ];
    for (const [fields, status, message] of refused)
      await expect(
        client.chat.completions.create({
          model: "tiny",
          messages,
          ...fields,
        } as OpenAI.ChatCompletionCreateParamsNonStreaming),
      ).rejects.toMatchObject({ status, message: expect.stringMatching(message) as unknown });
  });
});

describe("the server", () => {
  it("asks for a key where it has one, and lets no page in unless told", async () => {
    const locked = await start({ apiKey: "secret", corsOrigin: "https://app.example" });
    await expect(clientOf(locked, "wrong").models.list()).rejects.toMatchObject({ status: 401 });
    expect((await clientOf(locked, "secret").models.list()).data.length).toBe(1);
    const health = await fetch(`${locked.url}/health`);
    expect(await health.json()).toEqual({ status: "ok" });
    expect(health.headers.get("access-control-allow-origin")).toBe("https://app.example");
    const preflight = await fetch(`${locked.url}/v1/models`, { method: "OPTIONS" });
    expect(preflight.status).toBe(204);
    await locked.close();
    expect((await fetch(`${server.url}/health`)).headers.get("access-control-allow-origin")).toBeNull();
  });

  it("refuses more than may wait with 429, and answers that take too long with 408", async () => {
    const small = await start({ slots: 1, maxWaiting: 1, timeoutSeconds: 1, maxNewTokens: 100_000 });
    const body = { model: "tiny", messages, logit_bias: { [EOS]: -100 } };
    const all = await Promise.allSettled(
      Array.from({ length: 6 }, () => clientOf(small).chat.completions.create(body)),
    );
    const statuses = all.map((one) => (one.status === "rejected" ? (one.reason as { status: number }).status : 200));
    expect(statuses).toContain(429);
    expect(statuses).toContain(408);
    expect(statuses).not.toContain(500);
    await small.close();
  });

  it("a graceful stop loses no running answer", async () => {
    const own = await start();
    const body = { model: "tiny", messages, max_tokens: 300, logit_bias: { [EOS]: -100 }, temperature: 2 };
    const whole = clientOf(own).chat.completions.create(body);
    const stream = await clientOf(own).chat.completions.create({ ...body, stream: true });
    while ((await metric("texts_running", own)) < 2) await new Promise((resolve) => setTimeout(resolve, 2));
    let finish: string | null = null;
    let pieces = 0;
    let closing: Promise<void> | undefined;
    for await (const { choices } of stream) {
      if (++pieces === 3) closing = own.close();
      finish = choices[0]?.finish_reason ?? finish;
    }
    expect(finish).toBe("length");
    expect((await whole).usage!.completion_tokens).toBe(300);
    await closing;
    await expect(fetch(`${own.url}/health`)).rejects.toThrow("fetch failed");
  });

  it("64 clients, one request after the other: no error, and nothing stays behind", async () => {
    const own = await start({ slots: 8, maxWaiting: 200, cacheBytes: 2 ** 20 });
    const work = async (): Promise<void> => {
      await Promise.all(
        Array.from({ length: 64 }, async (_, i) => {
          for (let k = 0; k < 3; k++) {
            const body = {
              model: "tiny",
              messages: [{ role: "user" as const, content: `text ${i} ${k}` }],
              max_tokens: 8,
              seed: i,
            };
            if (k === 1) {
              let done = false;
              for await (const { choices } of await clientOf(own).chat.completions.create({ ...body, stream: true }))
                done ||= choices[0]?.finish_reason !== null;
              expect(done).toBe(true);
            } else expect((await clientOf(own).chat.completions.create(body)).choices.length).toBe(1);
          }
        }),
      );
      await quiet(own);
    };
    await work();
    const before = memory();
    await work();
    expect(memory()).toEqual(before);
    await own.close();
  }, 120_000);

  it("16 clients at once get what each gets alone", async () => {
    const bodies = Array.from({ length: 16 }, (_, i) => ({
      model: "tiny",
      messages: [{ role: "user" as const, content: `text ${i}` }],
      max_tokens: 4 + i,
      temperature: 1.5,
      seed: i,
    }));
    const alone: (string | null)[] = [];
    const fresh = await start({ cacheBytes: 0 });
    for (const body of bodies)
      alone.push((await clientOf(fresh).chat.completions.create(body)).choices[0]!.message.content);
    const crowd = await Promise.all(bodies.map((body) => clientOf(fresh).chat.completions.create(body)));
    expect(crowd.map(({ choices }) => choices[0]!.message.content)).toEqual(alone);
    await fresh.close();
  });
});

describe("hostile requests", () => {
  const post = (path: string, body: BodyInit, headers: Record<string, string> = {}): Promise<Response> =>
    fetch(server.url + path, { method: "POST", body, headers: { "content-type": "application/json", ...headers } });

  it("bodies that are cut, changed, huge or no JSON are told so, and nothing stays behind", async () => {
    const rng = new Rng(1);
    const good = JSON.stringify({
      model: "tiny",
      messages,
      max_tokens: 2,
      temperature: 1,
      seed: 3,
      stop: ["x"],
      logit_bias: { "65": 1 },
      n: 2,
    });
    const odd = [0, -1, 1e308, "", "x", null, true, [], {}, [[]], { a: 1 }, "\u0000", "💣".repeat(50)];
    for (let i = 0; i < 1000; i++) {
      let body = good;
      const kind = rng.integer(4);
      if (kind === 0) body = good.slice(0, rng.integer(good.length));
      else if (kind === 1) {
        const at = rng.integer(good.length);
        body = good.slice(0, at) + String.fromCharCode(rng.integer(256)) + good.slice(at + 1);
      } else {
        const json = JSON.parse(good) as Record<string, unknown>;
        const names = [
          ...Object.keys(json),
          "tools",
          "response_format",
          "stream_options",
          "tool_choice",
          "top_p",
          "prompt",
        ];
        for (let k = 0; k <= rng.integer(2); k++)
          json[names[rng.integer(names.length)]!] = odd[rng.integer(odd.length)];
        body = JSON.stringify(json);
      }
      const path = kind === 3 ? "/v1/completions" : "/v1/chat/completions";
      const response = await post(path, body);
      expect([200, 400, 404, 413], `${body} ${response.status}`).toContain(response.status);
      const text = await response.text();
      if (response.status !== 200)
        expect(JSON.parse(text)).toMatchObject({ error: { message: expect.any(String) as unknown } });
    }
    expect((await post("/v1/chat/completions", "x".repeat(5 * 2 ** 20))).status).toBe(413);
    expect((await post("/v1/chat/completions", Uint8Array.of(0xff, 0xfe))).status).toBe(400);
    expect((await post("/v1/chat/completions", "[".repeat(100_000))).status).toBe(400);
    expect((await fetch(`${server.url}/v1/../../etc/passwd`)).status).toBe(404);
    await quiet();
    expect((await client.models.list()).data.length).toBe(1);
  }, 120_000);

  it("huge headers, broken lines and readers that leave in the middle", async () => {
    const status = await new Promise<number>((resolve, reject) => {
      const huge = httpRequest(`${server.url}/health`, { headers: { "x-huge": "x".repeat(64_000) } }, (r) =>
        resolve(r.statusCode ?? 0),
      );
      huge.on("error", reject).end();
    });
    expect(status).toBe(431);
    const { port } = new URL(server.url);
    const lines = (text: string): Promise<string> =>
      new Promise((resolve) => {
        let answer = "";
        const socket = connect(Number(port), "127.0.0.1", () => socket.end(text));
        socket.on("data", (data) => (answer += data.toString("latin1")));
        socket.on("close", () => resolve(answer));
        socket.on("error", () => resolve(answer));
      });
    expect(await lines("what is this\r\n\r\n")).toMatch(/^HTTP\/1.1 400/);
    expect(await lines("GET //evil.example/health HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n")).toMatch(
      /^HTTP\/1.1 404/,
    );
    // A body that never comes, and readers that leave.
    const body = JSON.stringify({
      model: "tiny",
      messages,
      stream: true,
      max_tokens: 4000,
      logit_bias: { [EOS]: -100 },
    });
    for (let i = 0; i < 12; i++)
      await new Promise<void>((resolve) => {
        const length = i % 3 === 0 ? body.length + 10 : body.length;
        const socket = connect(Number(port), "127.0.0.1", () =>
          socket.write(
            `POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${body}`,
          ),
        );
        setTimeout(() => socket.destroy(), 20 + 5 * i);
        socket.on("close", () => resolve());
        socket.on("error", () => resolve());
      });
    await quiet();
    expect((await client.models.list()).data.length).toBe(1);
  });

  it("senders that take their time, byte by byte, are sent away, and hold up nobody else", async () => {
    const own = await start({ receiveTimeoutSeconds: 0.4 });
    const body = JSON.stringify({ model: "tiny", messages, max_tokens: 2 });
    const head = "POST /v1/chat/completions HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n";
    const whole = `${head}content-length: ${body.length}\r\n\r\n${body}`;
    const { port } = new URL(own.url);
    /** Sends the first part at once, then a byte at a time, for as long as it may. */
    const dribble = (atOnce: number): Promise<{ sent: number; answer: string }> =>
      new Promise((resolve) => {
        let [sent, answer] = [atOnce, ""];
        const socket = connect(Number(port), "127.0.0.1", () => socket.write(whole.slice(0, atOnce)));
        const timer = setInterval(() => {
          if (socket.writable && sent < whole.length - 1) socket.write(whole[sent++]!);
        }, 25);
        socket.on("data", (data) => (answer += data.toString("latin1")));
        socket.on("error", () => undefined);
        socket.on("close", () => {
          clearInterval(timer);
          resolve({ sent, answer });
        });
      });
    const slow = [0, 1, head.length, head.length + 30, whole.length - body.length, whole.length - 20].flatMap(
      (atOnce) => [dribble(atOnce), dribble(atOnce)],
    );
    const answer = await clientOf(own).chat.completions.create({ model: "tiny", messages, max_tokens: 2 });
    expect(answer.choices.length).toBe(1);
    // Each is closed by the server: nobody ends what he sends, and none of the texts is whole.
    for (const { sent, answer: told } of await Promise.all(slow)) {
      expect(sent).toBeLessThan(whole.length);
      expect(told).toMatch(/^(HTTP\/1.1 (408|400) |$)/);
    }
    await quiet(own);
    expect(await metric("requests_open", own)).toBe(1); // the question itself
    await own.close();
  });
});
