const methods = { "node.add": (a, b) => a + b, "node.greet": (name) => `Hello, ${name}!` };
const write = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr); // a stray console.log goes to the log
process.on("uncaughtException", (error) => console.error(error));
require("readline").createInterface({ input: process.stdin }).on("line", async (line) => {
  const call = JSON.parse(line);
  let answer = { jsonrpc: "2.0", id: call.id };
  try {
    answer = JSON.stringify({ ...answer, result: (await methods[call.method](...call.params)) ?? null });
  } catch (error) {
    console.error(error);
    answer = JSON.stringify({ ...answer, error: { code: -32603, message: "internal error" } });
  }
  write(`${answer}\n`);
});
