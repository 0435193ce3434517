const methods = { "node.add": (a, b) => a + b, "node.greet": (name) => `Hello, ${name}!` };
require("readline").createInterface({ input: process.stdin }).on("line", (line) => {
  const call = JSON.parse(line);
  let answer;
  try {
    answer = { result: methods[call.method](...call.params) };
  } catch (error) {
    answer = { error: { code: 1, message: error.message } };
  }
  console.log(JSON.stringify({ jsonrpc: "2.0", id: call.id, ...answer }));
});
