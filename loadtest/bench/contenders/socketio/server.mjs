// A chat on Socket.IO 4 with its Redis adapter, after its documentation: node server.mjs PORT REDIS-SOCKET
import { createAdapter } from "@socket.io/redis-adapter";
import { createServer } from "node:http";
import { Redis } from "ioredis";
import { Server } from "socket.io";

const [port, redisSocket] = process.argv.slice(2);
const publisher = new Redis(redisSocket);
const http = createServer();
const io = new Server(http, {
  adapter: createAdapter(publisher, publisher.duplicate()),
  path: "/ws/socket.io/", // below /ws/, where nginx expects sockets
  serveClient: false,
  transports: ["websocket"],
});

io.on("connection", (socket) => {
  socket.join("bench");
  socket.on("message", (message) => io.to("bench").emit("message", message));
});

http.listen({ host: "127.0.0.1", port: Number(port), backlog: 4096 });
