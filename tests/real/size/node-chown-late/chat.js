const { Server } = require("socket.io");

new Server(3000);
