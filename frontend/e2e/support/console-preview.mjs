// Serves the dispatcher's console with a pretended fleet behind it: its shell as `examples/preview.rs` wrote it, the built
// site, and the headers of the real server.
//
//   node frontend/e2e/support/console-preview.mjs target/preview [port] [couriers] [active orders]

import { createReadStream, existsSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { PretendFleet } from "./pretend-fleet.mjs";

const TYPES = {
  ".css": "text/css",
  ".geojson": "application/geo+json",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

const POLICY = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self' ws:",
  "worker-src 'self' blob:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Starts to serve; answers the listening server. */
export async function serveConsole({ folder, port = 0, fleet }) {
  const server = createServer(async (request, response) => {
    const url = new URL(request.url, "http://localhost");
    if (url.pathname.startsWith("/api/v1/")) return answer(fleet, request, response, url);
    if (url.pathname === "/dispatch") {
      const html = readFileSync(join(folder, "dispatch.html"), "utf8").replace(/data-now-ms="\d+"/, `data-now-ms="${Date.now()}"`);
      response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": POLICY }).end(html);
      return undefined;
    }
    return file(request, response, normalize(url.pathname));
  });
  fleet.attach(server);
  server.timer = fleet.drive();
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return server;
}

async function answer(fleet, request, response, url) {
  let text = "";
  for await (const chunk of request) text += chunk;
  const isJson = text.startsWith("{");
  const [status, body] = fleet.answer(request.method, url, isJson ? JSON.parse(text) : text);
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function file(request, response, path) {
  const isArea = path.startsWith("/area/");
  const place = isArea ? join("static/area", path.split("/").pop()) : join("target/site", path.slice("/assets/".length));
  if (!(isArea || path.startsWith("/assets/")) || !existsSync(place) || !statSync(place).isFile()) {
    response.writeHead(404).end();
    return;
  }
  const { size } = statSync(place);
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "");
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  const headers = { "content-type": TYPES[extname(place)] ?? "application/octet-stream", "content-length": end - start + 1 };
  if (range) headers["content-range"] = `bytes ${start}-${end}/${size}`;
  response.writeHead(range ? 206 : 200, headers);
  createReadStream(place, { start, end }).pipe(response);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = "target/preview", port = "8091", couriers = "58", active = "37"] = process.argv.slice(2);
  const fleet = new PretendFleet({ couriers: Number(couriers), active: Number(active) });
  await serveConsole({ folder, port: Number(port), fleet });
  console.log(`http://localhost:${port}/dispatch`);
}
