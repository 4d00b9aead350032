import type { AddressInfo } from "node:net";
import { ArgumentError } from "@statespace/core";
import { makeApp } from "./app.ts";
import type { ServerOptions } from "./config.ts";
import { ModelHosts } from "./modelHost.ts";
import { nodeServer } from "./nodeServer.ts";

/** Where a server listens. */
export interface ListenOptions {
  /** Default 127.0.0.1: this machine alone. */
  readonly host?: string;
  /** Default 8080; 0 takes a free one. */
  readonly port?: number;
}

/** A server that runs. */
export interface RunningServer {
  readonly url: string;
  /** Takes no more requests, lets running answers end, and stops. */
  close(): Promise<void>;
  /** Stops at once. */
  stop(): Promise<void>;
}

/** Starts the HTTP server. @throws ArgumentError where it cannot listen, such as a port that is taken. */
export async function serve(options: ServerOptions & ListenOptions): Promise<RunningServer> {
  const { host = "127.0.0.1", port = 8080, receiveTimeoutSeconds = 30 } = options;
  const hosts = await ModelHosts.start(options);
  const app = makeApp(hosts, options);
  const server = nodeServer((request) => app.fetch(request), receiveTimeoutSeconds);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  }).catch((error: NodeJS.ErrnoException) => {
    hosts.dispose();
    throw new ArgumentError(whyNot(error, host, port), { cause: error });
  });
  const { address, port: taken } = server.address() as AddressInfo;
  const closed = new Promise<void>((resolve) => void server.once("close", resolve));
  return {
    url: `http://${address.includes(":") ? `[${address}]` : address}:${taken}`,
    close: async () => {
      server.close();
      // Connections that wait for another request are no answers.
      const idle = setInterval(() => server.closeIdleConnections(), 20);
      await closed.finally(() => clearInterval(idle));
      await hosts.close();
      hosts.dispose();
    },
    stop: async () => {
      server.close();
      server.closeAllConnections();
      hosts.dispose();
      await closed;
    },
  };
}

/** Why a server cannot listen, in plain words. */
function whyNot({ code, message }: NodeJS.ErrnoException, host: string, port: number): string {
  switch (code) {
    case "EADDRINUSE":
      return `port ${port} of ${host} is taken; port 0 takes a free one`;
    case "EACCES":
      return `port ${port} is not for everybody; those from 1024 are`;
    case "ENOTFOUND":
    case "EADDRNOTAVAIL":
    case "EAI_AGAIN":
      return `${host} is no address of this machine`;
    default:
      return `cannot listen on ${host}, port ${port}: ${message}`;
  }
}
