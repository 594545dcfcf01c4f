/* The dashboard's own script: theme, modal, focus, failures, busy buttons. Every page works without it. */
"use strict";

const find = (selector, root = document) => root.querySelector(selector);
const keyadmin = (window.keyadmin = { focusNext: "" });

/* A moment's pause makes a screen reader say the same words twice. */
keyadmin.say = (text) => {
  const status = find("#status");
  if (!status) return;
  status.textContent = "";
  setTimeout(() => { status.textContent = text; }, 60);
};

/* --- theme: at once, and in the cookie for the next page ------------------------------------------------------- */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-theme-form]") || !event.submitter) return;
  event.preventDefault();
  const chosen = event.submitter;
  if (chosen.value === "auto") delete document.documentElement.dataset.bsTheme;
  else document.documentElement.dataset.bsTheme = chosen.value;
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-pressed", String(button === chosen));
  const symbol = find("use", chosen).getAttribute("href");
  find(`[popovertarget="${form.id}"] use`).setAttribute("href", symbol);
  form.hidePopover();
  keyadmin.say(`Theme: ${chosen.textContent.trim()}.`);
  fetch(form.action, { method: "POST", body: new FormData(form, chosen), redirect: "manual" });
});

/* --- menus: what does not leave the page closes its menu -------------------------------------------------------- */
document.addEventListener("click", (event) => {
  const menu = event.target.closest(".ka-menu[popover]");
  if (menu && event.target.closest("[hx-get], [hx-post], [data-copy-text]")) menu.hidePopover();
});

/* --- one modal: its content comes by htmx into #modal, and it never closes by accident -------------------------- */
const frame = find("#modal-frame");
const modal = frame && bootstrap.Modal.getOrCreateInstance(frame, { backdrop: "static", keyboard: false });
let opener = null;
let typedBefore = "";

const shown = () => frame.classList.contains("show");
const typed = () => {
  const form = find("form[data-guard]", frame);
  if (!form) return "";
  const fields = [...form.elements].filter((field) => field.name && field.type !== "hidden");
  return JSON.stringify(fields.map((field) => [field.name, field.value, field.checked]));
};

/* An error first, else what the page asks to begin with, else the first field. */
const focusFirst = (root) => {
  const fields = "input:not([type=hidden]), select, textarea";
  const target = find("#errors", root) || find("[data-first-focus]", root) || find(fields, root) || find("#modal-title", root);
  if (target) target.focus();
};

keyadmin.closeModal = () => {
  opener = opener && opener.isConnected ? opener : find("main h1");
  modal.hide();
};

const askToClose = () => {
  if (find("[data-reveal]", frame)) keyadmin.askToCloseReveal();
  else if (typed() !== typedBefore) askToDiscard();
  else keyadmin.closeModal();
};

const askToDiscard = () => {
  const foot = find(".modal-footer", frame);
  if (find(".ka-ask", foot)) return;
  const ask = document.createElement("div");
  ask.className = "ka-ask";
  ask.setAttribute("role", "alert");
  const words = document.createElement("p");
  words.textContent = find("form[data-guard]", frame).dataset.guard || "Discard what you typed?";
  const button = (text, look, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = `btn ${look}`;
    made.textContent = text;
    made.addEventListener("click", act);
    return made;
  };
  const keep = button("Keep editing", "btn-quiet", () => {
    ask.remove();
    foot.classList.remove("ka-asking");
    focusFirst(frame);
  });
  ask.append(words, keep, button("Discard", "btn-danger", keyadmin.closeModal));
  foot.classList.add("ka-asking");
  foot.append(ask);
  keep.focus();
};

if (frame) {
  frame.addEventListener("hidePrevented.bs.modal", askToClose);
  frame.addEventListener("click", (event) => {
    if (!event.target.closest("[data-modal-close]")) return;
    event.preventDefault();
    askToClose();
  });
  frame.addEventListener("shown.bs.modal", () => {
    frame.append(ending); /* a modal keeps the focus inside */
    focusFirst(frame);
  });
  frame.addEventListener("hidden.bs.modal", () => {
    document.body.append(ending);
    find("#modal").replaceChildren();
    if (!keyadmin.focusNext && opener) opener.focus();
  });
  document.body.addEventListener("modal-close", () => keyadmin.closeModal());
}

/* --- htmx: what is asked, what comes back, where the focus goes ------------------------------------------------- */
const WHOLE_KEY = /[a-z0-9]+_(live|test)_[0-9A-Za-z]{50}/;
const KEY_TYPED = "That looks like a complete API key. It was not sent. Search with its last 4 characters.";

let refusedAt = 0;
const refuseWholeKey = (form) => {
  const field = [...form.elements].find((element) => WHOLE_KEY.test(element.value || ""));
  if (!field) return false;
  field.value = "";
  field.focus();
  fail(KEY_TYPED);
  refusedAt = Date.now();
  return true;
};
/* In the capture phase: before htmx and before the browser sends it in an address. */
document.addEventListener("submit", (event) => {
  if (event.target.matches("form[role=search]") && refuseWholeKey(event.target)) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
}, true);

document.addEventListener("htmx:configRequest", (event) => {
  const { elt, formData } = event.detail;
  if (!elt.matches("form[role=search]")) return;
  if (refuseWholeKey(elt)) event.preventDefault();
  for (const [name, value] of [...formData]) if (value === "") formData.delete(name);
});

document.addEventListener("htmx:beforeRequest", (event) => {
  const { elt, target } = event.detail;
  if (elt.matches("[data-modal]")) {
    /* A form in a modal on a phone is a form in a box in a box: there it is a page. */
    if (window.innerWidth < 768) {
      event.preventDefault();
      location.assign(elt.href);
      return;
    }
    const menu = elt.closest("[popover]");
    opener = (menu && find(`[popovertarget="${menu.id}"]`)) || elt;
  }
  if (elt.matches("form[method=post]") && !begin(elt)) {
    event.preventDefault();
    return;
  }
  target.setAttribute("aria-busy", "true");
  /* The live search that was on its way when the key was refused must not take the refusal away. */
  if (Date.now() - refusedAt > 1000) find("#problem").replaceChildren();
});

document.addEventListener("htmx:afterRequest", (event) => {
  event.detail.target.removeAttribute("aria-busy");
  if (event.detail.elt.matches("form")) end(event.detail.elt);
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "modal" || !event.detail.target.firstElementChild) return;
  if (shown()) {
    focusFirst(frame);
  } else {
    typedBefore = typed();
    modal.show();
  }
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "results") return;
  const wanted = keyadmin.focusNext && document.getElementById(keyadmin.focusNext);
  keyadmin.focusNext = "";
  const lost = !document.activeElement || document.activeElement === document.body;
  if (wanted) wanted.focus();
  else if (lost && !shown()) find("#results-title").focus({ preventScroll: true });
});

/* The filters stand outside of what is swapped: they show what the address says, but for what is being typed. */
document.addEventListener("htmx:afterSettle", (event) => {
  const form = event.detail.target.id === "results" && find("form[role=search]");
  if (!form) return;
  const query = new URLSearchParams(location.search);
  for (const field of form.querySelectorAll("[name]")) {
    if (field !== document.activeElement) field.value = query.get(field.name) || "";
    if (field.type === "hidden") field.disabled = !field.value;
  }
});

/* What changed is said by who changed it: a list that reads itself anew says nothing. */
document.body.addEventListener("keys-changed", () => {
  if (find("#results")) htmx.ajax("GET", location.pathname + location.search, { target: "#results", headers: { "X-Reread": "1" } });
});

document.addEventListener("announce", (event) => keyadmin.say(event.detail.text));

/* What was done without leaving the page, shown where the next page would show it. */
document.addEventListener("tell", (event) => {
  find("#done").textContent = event.detail.text;
  find("#done").hidden = false;
});

/* --- failures: said where one looks, with a way on --------------------------------------------------------------- */
const fail = (text, again) => {
  const inModal = frame && shown();
  const box = inModal ? find(".modal-body", frame) : find("#problem");
  find(".ka-failure")?.remove();
  const note = document.createElement("div");
  note.className = "ka-note ka-bad ka-failure";
  if (inModal) note.setAttribute("role", "alert"); /* #problem is one */
  const words = document.createElement("p");
  words.textContent = text;
  note.append(words);
  if (again) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-quiet";
    button.textContent = "Try again";
    button.addEventListener("click", () => { note.remove(); again(); });
    note.append(button);
  }
  box.prepend(note);
  note.scrollIntoView({ block: "nearest" });
};

const again = (elt) => () => (elt.matches("form") ? elt.requestSubmit() : elt.click());

document.addEventListener("htmx:responseError", (event) => {
  const { xhr, elt } = event.detail;
  const id = xhr.getResponseHeader("X-Request-Id");
  const request = id ? ` Request id ${id}.` : "";
  if (xhr.status === 401) location.assign(`/sign-in/?next=${encodeURIComponent(location.pathname + location.search)}`);
  else if (xhr.status === 403) fail(`You may not do this.${request}`);
  else if (xhr.status === 404) fail(`This no longer exists. Reload the page to see what there is.${request}`);
  else if (xhr.status === 429) fail(`Too many attempts. Try again in ${Math.ceil((xhr.getResponseHeader("Retry-After") || 60) / 60)} min.`);
  else if (xhr.status < 500) fail(`The server did not accept this. Nothing was changed.${request}`);
  else fail(`The server could not do this. Nothing was changed.${request}`, again(elt));
});
for (const name of ["htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, (event) => fail("The server did not answer. Check the list before you try again.", again(event.detail.elt)));
}

/* --- a form is sent once: no second click, no second Enter ------------------------------------------------------- */
const begin = (form, submitter) => {
  if (form.dataset.sent) return false;
  form.dataset.sent = "1";
  const button = submitter || find("button:not([type=button])", form);
  if (button) {
    button.setAttribute("aria-disabled", "true");
    if (button.dataset.busy) {
      button.dataset.words = button.textContent;
      button.textContent = button.dataset.busy;
    }
  }
  return true;
};
const end = (form) => {
  delete form.dataset.sent;
  for (const button of form.querySelectorAll("[aria-disabled]")) {
    button.removeAttribute("aria-disabled");
    if (button.dataset.words) button.textContent = button.dataset.words;
  }
};
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (!begin(form, event.submitter)) event.preventDefault();
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach(end));

/* --- the rules of a policy: a row more or less at once; what that does is asked for a moment later ---------------- */
document.addEventListener("click", (event) => {
  const button = event.target.closest("#id_patterns button");
  if (!button) return;
  event.preventDefault();
  const rules = find("#id_patterns");
  const row = button.closest(".ka-rule");
  const template = find("template", rules);
  if (row) row.remove();
  else template.before(template.content.cloneNode(true));
  const rows = [...rules.querySelectorAll(".ka-rule")];
  for (const [at, one] of rows.entries()) {
    const [field, remove] = [find("input", one), find("button", one)];
    field.id = `rule-${at + 1}`;
    field.setAttribute("aria-label", `Rule ${at + 1}`);
    remove.id = remove.value = `remove-${at + 1}`;
    find("span", remove).textContent = ` rule ${at + 1}`;
  }
  (row ? document.getElementById(button.id) || rules : find("input", rows.at(-1))).focus();
  htmx.trigger(document.body, "rules-changed");
});

/* --- passwords: shown while the button is pressed in; never when they are sent, or browsers would offer them again --- */
const showPassword = (button, on) => {
  document.getElementById(button.getAttribute("aria-controls")).type = on ? "text" : "password";
  button.setAttribute("aria-pressed", String(on));
};
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-show]");
  if (button) showPassword(button, button.getAttribute("aria-pressed") === "false");
});
document.addEventListener("submit", (event) => {
  for (const button of event.target.querySelectorAll("[data-show]")) showPassword(button, false);
}, true);

/* --- the session: a warning two minutes before it ends, unless another tab has used it meanwhile ------------------ */
const ending = find("#session-end");
if (ending) {
  const [words, form, link] = ["p", "form", "a"].map((selector) => find(selector, ending));
  const SOON = 120;
  const left = async (options) => {
    try {
      const answer = await fetch(form.action, options);
      return answer.redirected ? 0 : (await answer.json()).left;
    } catch {
      return SOON;
    }
  };
  let timer;
  const look = (seconds) => {
    clearTimeout(timer);
    timer = setTimeout(check, seconds * 1000);
  };
  const plan = (seconds) => {
    ending.hidden = true;
    look(seconds - SOON);
  };
  const tell = (seconds, text) => {
    form.hidden = !seconds;
    link.hidden = seconds > 0;
    if (text || !seconds) words.textContent = seconds ? text : ending.dataset.over;
    ending.hidden = false;
    keyadmin.say(words.textContent);
  };
  const check = async () => {
    const seconds = await left();
    if (seconds > SOON) return plan(seconds);
    tell(seconds);
    if (seconds) look(seconds + 1);
  };
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const seconds = await left({ method: "POST", body: new FormData(form) });
    if (seconds <= SOON) return tell(seconds, ending.dataset.last);
    plan(seconds);
    keyadmin.say("You stay signed in.");
  });
  plan(Number(ending.dataset.left));
}

/* A page that opens with errors: `autofocus` does not win over every browser's own idea. */
find("#errors:not(#modal *)")?.focus();
