import { timingSafeEqual } from "node:crypto";
import { Hono, type Context } from "hono";
import { ApiError, asApiError } from "./apiError.ts";
import { chatEvents, wholeChat } from "./chatAnswer.ts";
import { readChatRequest } from "./chatRequest.ts";
import { completionEvents, readCompletionRequest, wholeCompletion } from "./completion.ts";
import type { ServerOptions } from "./config.ts";
import { embeddings } from "./embeddings.ts";
import { Metrics } from "./metrics.ts";
import { submitPrompts, type Choice, type ModelHost, type ModelHosts } from "./modelHost.ts";

type Env = { Variables: { signal: AbortSignal } };

/** The routes. @param signal of an answer: aborted when its reader leaves */
export function makeApp(hosts: ModelHosts, options: ServerOptions): Hono<Env> {
  const { apiKey, corsOrigin, maxBodyBytes = 4 * 2 ** 20, timeoutSeconds = 600, maxNewTokens = 1024 } = options;
  const app = new Hono<Env>();
  const metrics = new Metrics();
  const created = Math.floor(Date.now() / 1000);

  app.onError((error) => errorResponse(error));
  app.notFound(() => errorResponse(new ApiError(404, "there is nothing at this address", { code: "not_found" })));
  app.use(async (c, next) => {
    metrics.begin();
    const from = performance.now();
    await next();
    if (corsOrigin !== undefined) c.header("access-control-allow-origin", corsOrigin);
    metrics.end(c.req.routePath, c.res.status, (performance.now() - from) / 1000);
  });
  if (corsOrigin !== undefined)
    app.options("*", (c) => {
      c.header("access-control-allow-methods", "GET, POST, OPTIONS");
      c.header(
        "access-control-allow-headers",
        c.req.header("access-control-request-headers") ?? "content-type, authorization",
      );
      c.header("access-control-max-age", "600");
      return c.body(null, 204);
    });
  app.get("/health", (c) => c.json({ status: "ok" }));
  app.use(async (c, next) => {
    if (apiKey !== undefined && !bears(c.req.header("authorization"), apiKey))
      throw new ApiError(401, "the key is missing or wrong", { type: "authentication_error", code: "invalid_api_key" });
    c.set("signal", AbortSignal.any([c.req.raw.signal, AbortSignal.timeout(1000 * timeoutSeconds)]));
    await next();
  });
  app.get("/metrics", (c) => c.text(metrics.text(hosts), 200, { "content-type": "text/plain; version=0.0.4" }));
  const describe = (id: string): object => ({ id, object: "model", created, owned_by: "statespace" });
  app.get("/v1/models", (c) => c.json({ object: "list", data: [...hosts.hosts.keys()].map(describe) }));
  app.get("/v1/models/:name{.+}", (c) => c.json(describe(hostNamed(hosts, c.req.param("name")).name)));

  app.post("/v1/chat/completions", async (c) => {
    const { body, host } = await bodyOf(c, hosts, maxBodyBytes);
    const request = await readChatRequest(body, host, maxNewTokens);
    return answer(
      c,
      request,
      () => submitPrompts(host, [request.prompt], request.n, { ...request.options, signal: c.get("signal") }),
      {
        whole: (choices) => wholeChat(host, request, choices),
        events: (choices) => chatEvents(host, request, choices),
      },
    );
  });
  app.post("/v1/completions", async (c) => {
    const { body, host } = await bodyOf(c, hosts, maxBodyBytes);
    const request = await readCompletionRequest(body, host, maxNewTokens);
    return answer(
      c,
      request,
      () => submitPrompts(host, request.prompts, request.n, { ...request.options, signal: c.get("signal") }),
      {
        whole: (choices) => wholeCompletion(host, request, choices),
        events: (choices) => completionEvents(host, request, choices),
      },
    );
  });
  app.post("/v1/embeddings", async (c) => {
    const { body, host } = await bodyOf(c, hosts, maxBodyBytes);
    return c.json(await embeddings(body, host, c.get("signal")));
  });
  return app;
}

/** Answers at once, or event by event; what was taken up is given back whatever comes. */
async function answer(
  c: Context<Env>,
  { stream, grammar }: { stream: boolean; grammar: { dispose(): void } | undefined },
  submit: () => Choice[],
  make: { whole(choices: Choice[]): Promise<object>; events(choices: Choice[]): AsyncGenerator<object> },
): Promise<Response> {
  let choices: Choice[] = [];
  const free = (): void => {
    for (const { generation } of choices) generation.cancel();
    grammar?.dispose();
  };
  try {
    choices = submit();
    if (!stream) return c.json(await make.whole(choices));
  } catch (error) {
    if (stream) free();
    throw error;
  } finally {
    if (!stream) free();
  }
  const events = make.events(choices);
  return new Response(eventStream(events, free), {
    headers: { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" },
  });
}

/** Server-sent events, ended by `[DONE]`; one is made when the one before is on its way. */
function eventStream(events: AsyncGenerator<object>, free: () => void): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { value, done } = await events.next();
      controller.enqueue(encoder.encode(`data: ${done === true ? "[DONE]" : JSON.stringify(value)}\n\n`));
      if (done !== true) return;
      free();
      controller.close();
    },
    async cancel() {
      free();
      await events.return(undefined);
    },
  });
}

/** The body of a request, and the model that it asks for. @throws ApiError */
async function bodyOf(c: Context<Env>, hosts: ModelHosts, most: number): Promise<{ body: unknown; host: ModelHost }> {
  const body = parseBody(await boundedText(c.req.raw, most));
  const name = (body as { model?: unknown } | null)?.model;
  if (typeof name !== "string") throw new ApiError(400, "model must be the name of one", { param: "model" });
  return { body, host: hostNamed(hosts, name) };
}

async function boundedText(request: Request, most: number): Promise<string> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of request.body ?? []) {
      size += part.byteLength;
      if (size > most) break;
      parts.push(part as Uint8Array);
    }
  } catch {
    throw new ApiError(400, "the body did not come whole");
  }
  if (size > most) throw new ApiError(413, `the body must have at most ${most} bytes`, { code: "body_too_large" });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(Buffer.concat(parts));
  } catch {
    throw new ApiError(400, "the body must be UTF-8");
  }
}

function parseBody(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ApiError(400, "the body must be JSON");
  }
}

function hostNamed({ hosts }: ModelHosts, name: string): ModelHost {
  const host = hosts.get(name);
  if (host !== undefined) return host;
  const there = [...hosts.keys()].join(", ");
  throw new ApiError(404, `there is no model ${JSON.stringify(name.slice(0, 200))}; there are ${there}`, {
    param: "model",
    code: "model_not_found",
  });
}

/** Compared in the same time however much of it is right. */
function bears(header: string | undefined, key: string): boolean {
  const [given, wanted] = [Buffer.from(header ?? ""), Buffer.from(`Bearer ${key}`)];
  return given.length === wanted.length && timingSafeEqual(given, wanted);
}

function errorResponse(error: unknown): Response {
  const told = asApiError(error);
  if (told.status === 500) console.error(error);
  return Response.json(told.toJson(), { status: told.status });
}
