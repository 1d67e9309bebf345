require("http").createServer((_, answer) => answer.end(new Date().toISOString())).listen(3000)
