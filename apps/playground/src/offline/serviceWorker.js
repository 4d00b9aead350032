/**
 * Keeps the site on the visitor's computer, so that the whole tour works without a network after one visit. The build writes the version and
 * the list of files into it. One version is one cache: a page never gets pieces of two.
 */
const VERSION = "__VERSION__";
/** { code: { path: bytes }, data: { path: bytes } } */
const FILES = "__FILES__";

const PREFIX = "statespace-site-";
const NAME = PREFIX + VERSION;
/** The version before stays too: pages that were open when a new one came still fetch its pieces. */
const VERSIONS_KEPT = 2;

const absolute = (path) => new URL(path, self.registration.scope).href;
/** The document's own name says nothing of its contents; all others change when they do. */
const named = (path) => path !== "./";

async function keep(path, cache) {
  const url = absolute(path);
  if (await cache.match(url)) return;
  const known = named(path) ? await caches.match(url) : undefined;
  const response = known ?? (await fetch(url, { cache: named(path) ? "default" : "reload" }));
  if (!response.ok) throw new Error(`${path}: HTTP ${response.status}`);
  await cache.put(url, response);
}

/** Fetches one after another, so that the page's own requests are not kept waiting; tells how far it is. */
async function keepAll(files, onKept) {
  const cache = await caches.open(NAME);
  for (const [path, bytes] of Object.entries(files)) {
    await keep(path, cache);
    onKept?.(bytes);
  }
}

const sum = (files) => Object.values(files).reduce((total, bytes) => total + bytes, 0);

self.addEventListener("install", (event) => {
  event.waitUntil(keepAll(FILES.code).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const tidy = async () => {
    const own = (await caches.keys()).filter((name) => name.startsWith(PREFIX));
    for (const name of own.slice(0, -VERSIONS_KEPT)) await caches.delete(name);
    await self.clients.claim();
  };
  event.waitUntil(tidy());
});

/** A page asks for everything to be kept, and hears how far it is: { kept, total } in bytes, at last { complete: true }. */
self.addEventListener("message", (event) => {
  if (event.data !== "keep everything") return;
  const [code, total] = [sum(FILES.code), sum(FILES.code) + sum(FILES.data)];
  const tell = (kept, complete) => event.source?.postMessage({ offline: { kept, total, complete } });
  let kept = code;
  tell(kept, false);
  const all = async () => {
    try {
      await keepAll(FILES.data, (bytes) => tell((kept += bytes), false));
      tell(total, true);
    } catch {
      // the network went away: the next visit goes on here
    }
  };
  event.waitUntil(all());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== self.location.origin) return;
  event.respondWith(answer(request));
});

/** A request for a part of a file is answered with the whole, as HTTP allows. */
async function answer(request) {
  const wanted = request.mode === "navigate" ? absolute("./") : request.url;
  const cache = await caches.open(NAME);
  const kept = (await cache.match(wanted)) ?? (await caches.match(wanted));
  return kept ?? fetch(request);
}
