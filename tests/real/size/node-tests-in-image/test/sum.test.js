const { test } = require("uvu");
const assert = require("uvu/assert");

test("adds", () => assert.is(1 + 1, 2));
test.run();
