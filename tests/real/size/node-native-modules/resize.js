const sharp = require("sharp");

sharp("in.png").resize(100).toFile("out.png");
