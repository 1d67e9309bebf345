module.exports = { apps: [{ name: "static", script: "http-server", args: "/srv/public" }] };
