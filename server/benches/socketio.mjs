// A baseline of `cargo xtask bench`: socket.io as its documentation shows it, with rooms.
// node socketio.mjs <port> <folder of the package>
import { createServer } from "node:http";
import { createRequire } from "node:module";

const [port, folder] = process.argv.slice(2);
const { Server } = createRequire(`${folder}/package.json`)(folder);
const http = createServer();
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false });

io.on("connection", (socket) => {
  socket.on("watch", (topic) => {
    socket.join(topic);
    socket.emit("watching");
  });
  socket.on("publish", (topic, position) => io.to(topic).emit("position", position));
});

http.listen(Number(port), "127.0.0.1");
