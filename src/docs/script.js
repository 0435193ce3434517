// What the page does beyond what it does without a script: filters while one types, knows keys, remembers the language
// of the samples, copies them, and tries methods in place.

const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const one = (selector, inside = document) => inside.querySelector(selector);
const made = (name, properties = {}) => Object.assign(document.createElement(name), properties);

// A browser may forbid to remember anything.
const memory = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* then it is not remembered */ } },
};

// --- Finding

const methods = all(".method");
const found = one(".found");
const box = one("#q");

// The same words as on the server: those of the name and the help.
const words = (method) => (one("h3", method).textContent + "\n" + one(".help", method).textContent).toLowerCase();
const entries = methods.map((method) => ({
  method,
  text: words(method),
  link: one(`nav a[href="#${CSS.escape(method.id)}"]`)?.closest("li"),
}));

function filter() {
  const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { method, text, link } of entries) {
    method.hidden = !wanted.every((word) => text.includes(word));
    if (link) link.hidden = method.hidden;
    count += method.hidden ? 0 : 1;
  }
  for (const group of all(".group")) {
    group.hidden = all(".method, nav li", group).every((item) => item.hidden);
  }
  found.textContent = wanted.length ? `${count} of ${methods.length} methods` : "";
}

// A link to a method shows it, whatever the filter says; one to no method is told so.
function show() {
  const id = location.hash.slice(1);
  if (!id.startsWith("m-")) return;
  const target = methods.find((method) => method.id === id || encodeURI(method.id) === id);
  if (!target) {
    found.textContent = `There is no method ${id.slice(2)} here.`;
  } else if (target.hidden) {
    box.value = "";
    filter();
    target.scrollIntoView();
  }
}

// --- Keys

const keys = [["/", "goes to the filter"], ["j", "goes to the next method"], ["k", "goes to the one before"],
  ["?", "shows these keys"], ["Esc", "empties the filter"]];

function keysDialog() {
  const dialog = made("dialog");
  const heading = made("h2", { textContent: "Keys", id: "keys" });
  dialog.setAttribute("aria-labelledby", heading.id);
  const list = made("dl", { className: "facts" });
  for (const [key, what] of keys) {
    const term = made("dt");
    term.append(made("kbd", { textContent: key }));
    list.append(term, made("dd", { textContent: what }));
  }
  const on = made("input", { type: "checkbox", checked: memory.get("rpcgi-keys") !== "off" });
  on.addEventListener("change", () => memory.set("rpcgi-keys", on.checked ? "on" : "off"));
  const label = made("label");
  label.append(on, " Keys are on");
  const close = made("button", { textContent: "Close" });
  close.addEventListener("click", () => dialog.close());
  const last = made("p");
  last.append(label, " ", close);
  dialog.append(heading, list, last);
  document.body.append(dialog);
  return { dialog, areOn: () => on.checked };
}

function step(by) {
  const shown = methods.filter((method) => !method.hidden);
  const current = shown.findLastIndex((method) => method.getBoundingClientRect().top <= 40);
  const focused = shown.findIndex((method) => method.contains(document.activeElement));
  const next = shown[Math.min(Math.max((focused >= 0 ? focused : current) + by, 0), shown.length - 1)];
  one("h3 a", next)?.focus();
  next?.scrollIntoView();
}

function listen({ dialog, areOn }) {
  document.addEventListener("keydown", (event) => {
    const isTyping = event.target.matches("input, textarea, select");
    if (event.key === "Escape" && event.target === box && !box.defaultValue) {
      box.value = "";
      filter();
    }
    if (isTyping || dialog.open || !areOn() || event.ctrlKey || event.metaKey || event.altKey) return;
    const action = { "/": () => box.focus(), j: () => step(1), k: () => step(-1), "?": () => dialog.showModal() }[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
}

// --- Samples

const LANGUAGE = "rpcgi-language";
const language = (details) => one("summary", details).textContent;

function choose(chosen) {
  for (const details of all(".samples > details")) details.open = language(details) === chosen;
}

function addCopying(details) {
  const text = one("pre", details);
  if (one("button", text)) return;
  const button = made("button", { className: "copy", textContent: "Copy" });
  button.addEventListener("click", async () => {
    const done = await copy(one("code", text)).catch(() => false);
    button.textContent = done ? "Copied" : "Select and copy";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  });
  text.append(button);
}

// Without https a browser has no clipboard to write to, but what is selected can be copied.
async function copy(code) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  }
  getSelection().selectAllChildren(code);
  return document.execCommand("copy");
}

function startSamples() {
  document.addEventListener("toggle", ({ target }) => {
    if (target.open && target.matches(".samples > details")) addCopying(target);
  }, true);
  document.addEventListener("click", (event) => {
    const details = event.target.closest?.(".samples > details > summary")?.parentElement;
    if (!details) return;
    event.preventDefault();
    const chosen = details.open ? "" : language(details);
    memory.set(LANGUAGE, chosen);
    const top = () => details.closest(".samples").getBoundingClientRect().top;
    const before = top();
    choose(chosen);
    // the others above have grown or shrunk as well
    scrollBy({ top: top() - before, behavior: "instant" });
  });
  const isWide = matchMedia("(min-width: 64rem)").matches;
  const chosen = memory.get(LANGUAGE) ?? (isWide ? "curl" : "");
  if (chosen) choose(chosen);
}

// --- Trying

// The part of the server's page that has the form and what came of it.
async function trial(url, options) {
  const response = await fetch(url, options);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const section = one(".trial", page);
  if (!section) throw new Error(page.body.textContent.trim() || `${response.status} ${response.statusText}`);
  return document.adoptNode(section);
}

async function exchange(old, url, options, nextFocus) {
  let section;
  // a second click is no second call
  old.setAttribute("aria-busy", "true");
  for (const button of all("button", old)) button.disabled = true;
  try {
    section = await trial(url, options);
  } catch (error) {
    old.removeAttribute("aria-busy");
    for (const button of all("button", old)) button.disabled = false;
    one(".complaint", old)?.remove();
    const complaint = made("p", { className: "complaint", tabIndex: -1, textContent: `The service did not answer: ${error.message}` });
    complaint.setAttribute("role", "alert");
    old.append(complaint);
    complaint.focus();
    return;
  }
  section.dataset.url = url;
  old.replaceWith(section);
  const open = one("details[open]", section) ?? section;
  const next = one(".outcome, .complaint", section) ?? (nextFocus && one(nextFocus, open))
    ?? one("textarea, select, input:not([type=hidden]), .go", open);
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

function startTrying() {
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a.try");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const method = link.closest(".method");
    const open = one(".trial", method);
    link.setAttribute("aria-expanded", String(!open));
    if (open) return open.remove();
    const place = made("section", { className: "trial" });
    method.append(place);
    exchange(place, link.href, {});
  });
  document.addEventListener("submit", (event) => {
    const section = event.target.closest(".trial");
    if (!section) return;
    event.preventDefault();
    if (section.ariaBusy) return;
    const url = section.dataset.url ?? location.href;
    const { name, value } = event.submitter ?? {};
    const body = new URLSearchParams(new FormData(event.target, event.submitter));
    exchange(section, url, { method: "POST", body }, name && `[name="${name}"][value="${value}"]`);
  });
  // what somebody enters is meant to be sent
  document.addEventListener("input", ({ target }) => {
    if (!/^v[0-9.]+$/.test(target.name ?? "")) return;
    const places = target.name.slice(1).split(".");
    places.forEach((_, index) => {
      const given = target.form.elements.namedItem("g" + places.slice(0, index + 1).join("."));
      if (given) given.checked = true;
    });
  });
}

if (box) {
  // the methods that the server has left out are not here to be found
  if (!box.defaultValue) {
    box.addEventListener("input", filter);
    // a reader who comes back finds the words there again
    addEventListener("pageshow", () => { if (box.value) filter(); });
  }
  addEventListener("hashchange", show);
  const opener = keysDialog();
  listen(opener);
  const button = made("button", { type: "button", textContent: "Keys" });
  button.addEventListener("click", () => opener.dialog.showModal());
  one("form[role=search]").insertBefore(button, found);
  startSamples();
  show();
}
startTrying();
