// Reads .env files with Node's dotenv: a path a line comes in, what was read goes out as a line of JSON.
const { parse } = require("dotenv");
const { readFileSync } = require("fs");
const lines = require("readline").createInterface({ input: process.stdin });
lines.on("line", (path) => console.log(JSON.stringify(parse(readFileSync(path)))));
