const answer = await fetch({{url}}, {
  method: "POST",
  headers: { "Content-Type": "application/json" },
  body: JSON.stringify({{call}}),
});
console.log(await answer.json());
