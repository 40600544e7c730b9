// Serves the pages that `examples/preview.rs` wrote, with the built site beside them and the headers of the real server.
//
//   node frontend/e2e/support/preview.mjs target/preview [port]

import { createReadStream, existsSync, readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";

const [folder = "target/preview", port = "8090"] = process.argv.slice(2);

const TYPES = {
  ".css": "text/css",
  ".geojson": "application/geo+json",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".mjs": "text/javascript",
  ".svg": "image/svg+xml",
  ".wasm": "application/wasm",
};

const POLICY = [
  "default-src 'none'",
  "script-src 'nonce-preview' 'strict-dynamic' 'wasm-unsafe-eval'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "connect-src 'self'",
  "worker-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

function list() {
  const names = readdirSync(folder).filter((file) => file.endsWith(".html")).map((file) => file.slice(0, -".html".length));
  return names.map((name) => `<li><a href="/t/${name}">${name}</a></li>`).join("");
}

createServer((request, response) => {
  const path = normalize(new URL(request.url, "http://localhost").pathname);
  if (path === "/") {
    response.writeHead(200, { "content-type": TYPES[".html"] }).end(`<title>Previews</title><ul>${list()}</ul>`);
    return;
  }
  const name = path.split("/").pop();
  const isArea = path.startsWith("/area/");
  const isAsset = path.startsWith("/assets/");
  const file = isArea ? join("static/area", name) : isAsset ? join("target/site", path.slice("/assets/".length)) : join(folder, `${name}.html`);
  if (!isArea && !isAsset && !path.startsWith("/t/")) {
    // There is no feed here: the page behaves as if it could not reach the server.
    response.writeHead(503).end();
    return;
  }
  if (!existsSync(file) || !statSync(file).isFile()) {
    response.writeHead(404).end();
    return;
  }
  const size = statSync(file).size;
  const range = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "");
  const start = range ? Number(range[1]) : 0;
  const end = range?.[2] ? Math.min(Number(range[2]), size - 1) : size - 1;
  const headers = { "content-type": TYPES[extname(file)] ?? "application/octet-stream", "content-length": end - start + 1 };
  if (extname(file) === ".html") headers["content-security-policy"] = POLICY;
  if (range) headers["content-range"] = `bytes ${start}-${end}/${size}`;
  response.writeHead(range ? 206 : 200, headers);
  createReadStream(file, { start, end }).pipe(response);
}).listen(Number(port), () => console.log(`http://localhost:${port}/`));
