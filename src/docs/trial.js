// Trying methods in place: this follows the script of the page where methods can be tried.

// What is a secret, or half done, is kept in the tab alone.
const inTab = remembering(() => sessionStorage);

// The part of the server's page that has the form and what came of it.
async function trial(url, options) {
  const response = await fetch(url, options);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const section = one(".trial", page);
  if (!section) throw new Error(page.body.textContent.trim() || `${response.status} ${response.statusText}`);
  return document.adoptNode(section);
}

const secrets = (inside) => all("[data-secret]", inside);

// The header that says who calls, made of what stands in the fields for it.
function headers(form) {
  const part = Object.fromEntries(secrets(form).map((field) => [field.dataset.secret, field.value]));
  if (part.token) return { Authorization: `Bearer ${part.token}` };
  const login = new TextEncoder().encode(`${part.user}:${part.password}`);
  return part.user ? { Authorization: `Basic ${btoa(String.fromCharCode(...login))}` } : {};
}

// Fields whose values a link may carry and the tab may keep.
function carried(form) {
  const isCarried = ([name]) => /^(way|protocol|[vgn]\d[\d.]*)$/.test(name);
  return new URLSearchParams([...new FormData(form)].filter(isCarried));
}

// What is typed stays in the tab, so that going away and back does not lose it.
function keep(section, form) {
  const base = new URL(section.dataset.url ?? location.href, location.href);
  base.search = new URLSearchParams({ try: base.searchParams.get("try") });
  const link = one(".link", form);
  if (!link) return;
  link.href = `${base.search}&${carried(form)}`;
  inTab.set(`rpcgi-form${base.search}`, link.href);
}

function prepare(section) {
  for (const place of all(".secrets", section)) place.hidden = false;
  for (const field of secrets(section)) field.value = inTab.get(`rpcgi-${field.dataset.secret}`) ?? "";
  const whole = one(".whole", section);
  if (whole) {
    const file = new Blob([whole.content.textContent], { type: "application/octet-stream" });
    one(".large", section).replaceChildren("Only the start is shown. ",
      made("a", { href: URL.createObjectURL(file), download: "answer", textContent: `Download all of it (${file.size} octets)` }));
    one(".large + pre", section).remove();
    whole.remove();
  }
  watch(section);
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
    const complaint = made("p", { className: "complaint", tabIndex: -1, textContent: `The service did not answer: ${error.message}` });
    complaint.setAttribute("role", "alert");
    const place = one(".outcome", old) ?? old;
    place.replaceChildren(complaint);
    complaint.focus();
    return;
  }
  section.dataset.url = url.split("&")[0];
  old.replaceWith(section);
  prepare(section);
  if (nextFocus === undefined) return;
  const open = one(".tabs > details[open]", section) ?? section;
  const next = one(".outcome [tabindex='-1']", section) ?? (nextFocus ? one(nextFocus, open) : null)
    ?? one("[aria-invalid], textarea, select, input:not([type=hidden]), .go", open);
  next?.focus({ preventScroll: true });
  next?.scrollIntoView({ block: "nearest" });
}

// Opens the form of a method under it, as it was left.
function open(link, nextFocus) {
  const place = made("div", { className: "trial" });
  link.closest(".method").append(place);
  link.setAttribute("aria-expanded", "true");
  const url = link.getAttribute("href");
  exchange(place, inTab.get(`rpcgi-form${url}`) ?? url, {}, nextFocus);
}

function startTrying() {
  on("click", (event) => {
    const link = event.target.closest?.("a.try");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const method = link.closest(".method");
    const old = one(".trial", method);
    history.replaceState({ trial: old ? null : method.id }, "");
    if (!old) return open(link, "");
    link.setAttribute("aria-expanded", "false");
    old.remove();
  });
  on("submit", (event) => {
    const section = event.target.closest(".trial");
    if (!section) return;
    event.preventDefault();
    if (section.ariaBusy) return;
    const url = section.dataset.url ?? location.href;
    const { name, value } = event.submitter ?? {};
    const body = new URLSearchParams(new FormData(event.target, event.submitter));
    body.set("whole", "1");
    exchange(section, url, { method: "POST", body, headers: headers(event.target) }, name ? `[name="${name}"][value="${value}"]` : "");
  });
  on("input", ({ target }) => {
    const section = target.closest(".trial");
    if (!section) return;
    if (target.dataset.secret) inTab.set(`rpcgi-${target.dataset.secret}`, target.value);
    // what somebody enters is meant to be sent
    if (/^[vs][0-9.]+$/.test(target.name)) {
      const places = target.name.slice(1).split(".");
      places.forEach((_, index) => {
        const given = target.form.elements.namedItem("g" + places.slice(0, index + 1).join("."));
        if (given) given.checked = true;
      });
    }
    keep(section, target.form);
  });
  all(".trial").forEach(prepare);
  const left = methods.find((method) => method.id === history.state?.trial);
  const link = left && one(".try", left);
  if (link) open(link);
}

startTrying();
