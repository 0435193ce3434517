// What the page does beyond what it does without a script: filters while one types, knows keys, remembers the language
// of the samples, copies and colours them, and tries methods in place.

const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
const one = (selector, inside = document) => inside.querySelector(selector);
const made = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};
const on = (what, act, where = document) => where.addEventListener(what, act);

// A browser may forbid to remember anything.
const remembering = (store) => ({
  get(key) { try { return store().getItem(key); } catch { return null; } },
  set(key, value) { try { store().setItem(key, value); } catch { /* then it is not remembered */ } },
});
const always = remembering(() => localStorage);

// --- Finding

const methods = all(".method");
const found = one(".found");
const box = one("#q");

// The same words as on the server: all but those of the samples.
const entries = methods.map((method) => ({
  method,
  text: all("h3 a, .about, .more", method).map((part) => part.textContent).join("\n").toLowerCase(),
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
    const items = all(".method, li:has([href^='#m-'])", group);
    group.hidden = items.length > 0 && items.every((item) => item.hidden);
    if (group.matches("details")) group.open = wanted.length > 0 && !group.hidden;
  }
  found.textContent = !wanted.length ? "" : count ? `${count} of ${methods.length} methods`
    : "No method has all of these words. A part of a word is enough; Esc shows all.";
}

// A link to a method shows it, whatever the filter says; one to no method is told so.
function show() {
  const id = decodeURIComponent(location.hash.slice(1));
  if (!id.startsWith("m-")) return;
  const target = methods.find((method) => method.id === id);
  if (!target && box.dataset.paged !== undefined) {
    return location.replace(`?q=${encodeURIComponent(id.slice(2))}#${id}`);
  }
  if (!target) {
    found.textContent = `There is no method ${id.slice(2)} here.`;
    return;
  }
  const fold = target.closest("details.group");
  if (!target.hidden && (!fold || fold.open)) return;
  if (target.hidden) {
    box.value = "";
    filter();
  }
  if (fold) fold.open = true;
  target.scrollIntoView();
}

// Marks the name of the method that is being read, where the browser does not do that by itself.
function followReader() {
  if (CSS.supports("selector(:target-current)")) return;
  const place = new IntersectionObserver((items) => {
    const method = items.find(({ isIntersecting }) => isIntersecting)?.target;
    for (const entry of method ? entries : []) entry.link?.classList.toggle("here", entry.method === method);
  }, { rootMargin: "-12% 0px -85% 0px" });
  for (const method of methods) place.observe(method);
}

// --- Keys

const keys = [["/", "goes to the filter"], ["j", "goes to the next method"], ["k", "goes to the one before"],
  ["?", "shows these keys"], ["Esc", "empties the filter"]];

function keysDialog() {
  const rows = keys.map(([key, what]) => made("div", {},
    made("dt", {}, made("kbd", { textContent: key })), made("dd", { textContent: what })));
  const enabled = made("input", { type: "checkbox", checked: always.get("rpcgi-keys") !== "off" });
  on("change", () => always.set("rpcgi-keys", enabled.checked ? "on" : "off"), enabled);
  const close = made("button", { textContent: "Close" });
  const dialog = made("dialog", {}, made("h2", { textContent: "Keys", id: "keys" }), made("dl", {}, ...rows),
    made("p", {}, made("label", {}, enabled, " Keys are on"), " ", close));
  on("click", () => dialog.close(), close);
  dialog.setAttribute("aria-labelledby", "keys");
  document.body.append(dialog);
  return { dialog, areOn: () => enabled.checked };
}

function step(by) {
  const shown = methods.filter((method) => !method.hidden && method.offsetHeight);
  const current = shown.findLastIndex((method) => method.getBoundingClientRect().top <= 80);
  const focused = shown.findIndex((method) => method.contains(document.activeElement));
  const next = shown[Math.min(Math.max((focused >= 0 ? focused : current) + by, 0), shown.length - 1)];
  one("h3 a", next)?.focus();
  next?.scrollIntoView();
}

function listen({ dialog, areOn }) {
  on("keydown", (event) => {
    const isTyping = event.target.matches("input, textarea, select");
    if (event.key === "Escape" && event.target === box && isLive()) {
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
const title = (details) => one("summary", details).textContent;

// Without https a browser has no clipboard to write to, but what is selected can be copied.
async function copy(text) {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(text.textContent);
    return true;
  }
  getSelection().selectAllChildren(text);
  return document.execCommand("copy");
}

// What is copied is the text of the place without the button, which stands before it.
function addCopying(place) {
  const button = made("button", { type: "button", className: "copy", textContent: "Copy" });
  on("click", async () => {
    const text = one("code", place) ?? made("pre", { textContent: place.lastChild.data });
    const done = await copy(text).catch(() => false);
    button.textContent = done ? "Copied" : "Select and copy";
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  }, button);
  place.prepend(button);
}

// Names, strings and numbers of any of the languages: ranges of text have colours without elements of their own.
const TOKENS = /("(?:\\.|[^"\\\n])*"(?=\s*:)|<\/?[\w.:]+\/?>)|("(?:\\.|[^"\\\n])*"|'[^'{<\n]*')|(?<![\w.:/-])(-?\d[\w.]*|true|false|null)\b/g;
const KINDS = ["word", "string", "number"];

function colour(place) {
  const text = place.lastChild;
  if (!globalThis.Highlight || text?.nodeType !== Node.TEXT_NODE || text.length > 1e5) return;
  for (const match of text.data.matchAll(TOKENS)) {
    const range = new Range();
    range.setStart(text, match.index);
    range.setEnd(text, match.index + match[0].length);
    const kind = KINDS[[1, 2, 3].findIndex((group) => match[group])];
    if (!CSS.highlights.has(kind)) CSS.highlights.set(kind, new Highlight());
    CSS.highlights.get(kind).add(range);
  }
}

// Not every browser and no checker knows these rules yet.
function addStyle() {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(KINDS.map((kind) => `::highlight(${kind}) { color: var(--${kind}) }`).join("")
    + `@media (min-width: 60rem) { nav { scroll-target-group: auto }
      nav :is(a:target-current, .here a) { background: var(--wash); box-shadow: inset 2px 0 var(--accent); color: var(--accent); font-weight: 600 } }`);
  document.adoptedStyleSheets = [sheet];
}

// What comes into view is coloured, and can be copied.
const seen = new IntersectionObserver((items) => {
  for (const { isIntersecting, target } of items) {
    if (!isIntersecting) continue;
    seen.unobserve(target);
    if (target.matches("pre")) colour(target);
    if (target.matches(".url, .tabs pre, .url + pre")) addCopying(target);
  }
}, { rootMargin: "300px" });
const watch = (inside) => { for (const place of all("pre, .url", inside)) seen.observe(place); };

function choose(chosen) {
  for (const tabs of all(".calls > .tabs")) {
    const samples = [...tabs.children];
    if (!samples.some((details) => title(details) === chosen)) return;
    for (const details of samples) details.open = title(details) === chosen;
  }
}

function startSamples() {
  on("click", (event) => {
    const details = event.target.closest?.(".tabs > details > summary")?.parentElement;
    if (!details) return;
    event.preventDefault();
    const tabs = details.parentElement;
    if (!tabs.matches(".calls > .tabs")) {
      for (const other of tabs.children) other.open = other === details;
      return;
    }
    always.set(LANGUAGE, title(details));
    const before = tabs.getBoundingClientRect().top;
    choose(title(details));
    // the others above have grown or shrunk as well
    scrollBy({ top: tabs.getBoundingClientRect().top - before, behavior: "instant" });
  });
  const chosen = always.get(LANGUAGE);
  if (chosen) choose(chosen);
  watch();
}

// --- The start

// What stands on other pages, or what the server has left out, is not here to be found.
function isLive() {
  return !box.defaultValue && box.dataset.paged === undefined;
}

if (box) {
  if (isLive()) {
    on("input", filter, box);
    // a reader who comes back finds the words there again
    on("pageshow", () => { if (box.value) filter(); }, window);
    one("form[role=search] button").hidden = true;
    on("submit", (event) => event.preventDefault(), box.form);
  }
  on("hashchange", show, window);
  const opener = keysDialog();
  listen(opener);
  const button = made("button", { type: "button", textContent: "?" });
  button.setAttribute("aria-label", "Keys");
  on("click", () => opener.dialog.showModal(), button);
  one("form[role=search]").insertBefore(button, found);
  addStyle();
  startSamples();
  followReader();
  show();
} else {
  addStyle();
  startSamples();
}
