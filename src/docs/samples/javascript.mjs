const answer = await fetch({{url}}, {
  method: "POST",
{{open}}  headers: { "Content-Type": "application/json" },
{{auth}}  headers: {
{{auth}}    "Content-Type": "application/json",
{{bearer}}    Authorization: `Bearer ${process.env.TOKEN}`,
{{basic}}    Authorization: `Basic ${btoa(process.env.LOGIN)}`,
{{auth}}  },
  body: JSON.stringify({{call}}),
});
console.log(await answer.json());
