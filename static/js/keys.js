/* Copying, the guard of a secret that is shown once, and below the form of a key. Loaded after app.js. */
"use strict";

(() => {
  const { say } = window.keyadmin;
  const select = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    const selection = getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
  };

  /* Plain HTTP has no Clipboard API. A text area inside a focus trap copies nothing; a range over the text does. */
  const copied = async (text, node) => {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch {
      if (!node) return false;
      show(node);
      select(node);
      const done = document.execCommand("copy");
      if (done) getSelection().removeAllRanges();
      return done;
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy], [data-copy-text]");
    if (!button) return;
    const node = button.dataset.copy && find(button.dataset.copy);
    find(".ka-tell")?.remove();
    if (await copied(node ? node.textContent : button.dataset.copyText, node)) {
      say(button.dataset.copied);
      const words = find("span", button);
      if (!words || words.dataset.words) return;
      words.dataset.words = words.textContent;
      words.textContent = "Copied";
      setTimeout(() => {
        words.textContent = words.dataset.words;
        delete words.dataset.words;
      }, 3000);
    } else if (node) {
      const what = node.id === "secret" ? "key" : "text";
      tell(node, `Copying is blocked by your browser. The ${what} is selected: press Ctrl+C (Cmd+C).`);
    } else {
      say(`Copying is blocked by your browser. The text is ${button.dataset.copyText}`);
    }
  });

  const tell = (node, text) => {
    const line = document.createElement("p");
    line.className = "ka-tell";
    line.textContent = text;
    (node.closest(".ka-secret-row") || node).after(line);
    say(text);
  };

  /* --- hiding, and a file --- */
  const toggle = () => find("[data-hide]");
  const hide = (hidden) => {
    find("[data-reveal]").toggleAttribute("data-hidden", hidden);
    find("span", toggle()).textContent = hidden ? "Show" : "Hide";
  };
  const show = (node) => { if (node.closest("[data-hidden]")) hide(false); };

  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-hide]")) hide(!find("[data-hidden]"));
    const button = event.target.closest("[data-download]");
    if (!button) return;
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([`${find(button.dataset.download).textContent}\n`], { type: "text/plain" }));
    link.download = button.dataset.file;
    link.click();
    URL.revokeObjectURL(link.href);
  });

  /* --- tabs: a click, arrows, Home, End --- */
  const pick = (tab) => {
    for (const one of tab.parentElement.children) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      find(`#${one.getAttribute("aria-controls")}`).hidden = one !== tab;
    }
    tab.focus();
  };
  document.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (tab) pick(tab);
  });
  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest("[role=tab]");
    if (!tab) return;
    const tabs = [...tab.parentElement.children];
    const at = tabs.indexOf(tab);
    const to = { ArrowLeft: at - 1, ArrowRight: (at + 1) % tabs.length, Home: 0, End: -1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    pick(tabs.at(to));
  });

  /* --- the guard --- */
  const open = () => find("[data-reveal]");
  const saved = () => find("[data-reveal-saved]").checked;
  const wipe = () => {
    if (!open()) return;
    getSelection().removeAllRanges();
    for (const node of document.querySelectorAll("#secret, [data-secret]")) node.textContent = "";
    open().remove();
  };

  const ask = (asking) => {
    find("[data-reveal-foot]").hidden = asking;
    find("[data-reveal-question]").hidden = !asking;
    find(asking ? "[data-reveal-back]" : "[data-reveal-ask]").focus();
  };

  window.keyadmin.askToCloseReveal = () => {
    const box = open().closest(".modal-dialog, .ka-sheet");
    box.classList.remove("ka-shake");
    void box.offsetWidth; /* so that the animation starts anew */
    box.classList.add("ka-shake");
    find("[data-reveal-hint]").hidden = false;
    say("The key is still open. Tick 'I have saved this key' to close.");
  };

  /* The server notes that the secret was saved. `keepalive`: also while the page goes. */
  const note = async () => {
    const form = find("[data-reveal-form]");
    const sent = { method: "POST", body: new FormData(form), headers: { "HX-Request": "true" }, keepalive: true };
    try {
      return (await fetch(form.action, { ...sent, signal: AbortSignal.timeout(5000) })).status === 204;
    } catch {
      return false;
    }
  };

  const leave = () => {
    const { after } = find("[data-reveal-foot]").dataset;
    const inModal = find("#modal [data-reveal-foot]");
    if (inModal) window.keyadmin.closeModal();
    const there = new URL(after, location.href);
    if (there.pathname + there.search === location.pathname + location.search) {
      history.replaceState(history.state, "", after);
      location.reload();
    } else if (inModal) location.assign(after);
    else location.replace(after); /* nothing to come back to */
  };

  const close = async (button) => {
    button.setAttribute("aria-disabled", "true");
    const noted = await note();
    wipe();
    if (noted) return leave();
    find("[data-reveal-unnoted]").hidden = false;
    for (const gone of document.querySelectorAll("[data-reveal-foot] :not(button), [data-reveal-ask]")) gone.remove();
    button.removeAttribute("aria-disabled");
    button.focus();
  };

  document.addEventListener("click", (event) => {
    const on = (name) => event.target.closest(`[data-reveal-${name}]`);
    const button = on("close");
    if (button) {
      if (!open()) leave();
      else if (saved()) close(button);
      else {
        window.keyadmin.askToCloseReveal();
        find("[data-reveal-saved]").focus();
      }
    } else if (on("ask")) ask(true);
    else if (on("back")) ask(false);
    else if (on("anyway")) {
      wipe();
      leave();
    }
  });

  window.addEventListener("beforeunload", (event) => {
    if (open() && !saved()) event.preventDefault();
  });
  window.addEventListener("pagehide", () => {
    if (open() && saved()) note();
    wipe();
  });
  /* Back to a page that was kept while it went: its secret is gone, so it goes on. */
  window.addEventListener("pageshow", () => {
    if (find("[data-reveal-foot]") && !open()) leave();
  });

  /* On a page of its own a reveal is open now. After one, the address names the row that it was about. */
  const row = /^#key-\d+$/.test(location.hash) && find(`${location.hash}-name`);
  if (open()) find("[data-first-focus]").focus();
  else if (row) {
    row.focus();
    say(find("main .ka-note[role=status]")?.textContent.trim());
  }
})();

/* The form of a key: filter, count and "all" of the permission matrix, small helpers, local times. */
(() => {
  const all = (selector, root) => [...root.querySelectorAll(selector)];
  const BOX = "[name=permissions]:not(:disabled)";

  /* What an "all" box stands for: its row, or its column as far as the filter shows it. */
  const covered = (every) =>
    every.dataset.all
      ? all(`tr:not([hidden]) [data-col="${every.dataset.all}"] ${BOX}`, every.closest("table"))
      : all(BOX, every.closest("tr"));

  const sync = (picker) => {
    const boxes = all(BOX, picker);
    const chosen = boxes.filter((box) => box.checked).length;
    find("[data-count]", picker).textContent = `${chosen} of ${boxes.length} selected`;
    for (const every of all("[data-all]", picker)) {
      const mine = covered(every);
      const on = mine.filter((box) => box.checked).length;
      every.disabled = !mine.length;
      every.checked = on > 0 && on === mine.length;
      every.indeterminate = on > 0 && on < mine.length;
    }
  };

  /* The preview listens to the form. */
  const changed = (node) => node.dispatchEvent(new Event("input", { bubbles: true }));

  /* In the capture phase: the filter is no part of the form, so the form's preview must not hear of it. */
  document.addEventListener("input", (event) => {
    if (!event.target.matches("[data-filter]")) return;
    event.stopPropagation();
    const picker = event.target.closest("[data-picker]");
    const wanted = event.target.value.trim().toLowerCase();
    let found = 0;
    for (const row of all("tbody tr:not(.ka-picker-none)", picker)) {
      const words = [row.textContent, ...all("[name=permissions]", row).map((box) => box.value)].join(" ").toLowerCase();
      row.hidden = !words.includes(wanted);
      if (!row.hidden) found += 1;
    }
    find(".ka-picker-none", picker).hidden = found > 0;
    sync(picker);
  }, true);

  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target.matches("[data-filter]")) event.preventDefault();
  });

  document.addEventListener("change", ({ target }) => {
    const picker = target.closest("[data-picker]");
    if (picker) {
      if (target.matches("[data-all]")) for (const box of covered(target)) box.checked = target.checked;
      sync(picker);
    }
    /* A choice that the other kind of key does not have is no longer seen, so it must not count. */
    const mode = target.name === "kind" && find("[name=mode]:checked", target.form);
    if (mode && !mode.offsetParent) find("[name=mode][value=read_only]", target.form).click();
  });

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-clear], [data-pick], [data-add-line]");
    if (!button) return;
    const { pick, addLine, to } = button.dataset;
    if (pick) {
      const choice = find(pick, button.form);
      choice.click();
      choice.focus();
    } else if (addLine) {
      const field = document.getElementById(to);
      const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
      if (!lines.includes(addLine)) field.value = [...lines, addLine].join("\n");
      field.focus();
      changed(field);
    } else {
      const picker = button.closest("[data-picker]");
      for (const box of all(BOX, picker)) box.checked = false;
      sync(picker);
      changed(picker);
    }
  });

  /* "(00:59 on 20 Feb where you are)": only where that is another time than UTC. */
  const tellLocal = (node) => {
    const moment = new Date(node.dataset.local);
    if (!moment.getTimezoneOffset()) return;
    const time = moment.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });
    const day = moment.toLocaleDateString("en-GB", { day: "numeric", month: "short" });
    node.textContent = ` (${time} on ${day} where you are)`;
  };

  const begin = (root) => {
    all("[data-picker]", root).forEach(sync);
    all("[data-local]", root).forEach(tellLocal);
  };
  begin(document);
  document.addEventListener("htmx:load", (event) => begin(event.target));
  /* A browser that comes back keeps what was ticked. */
  window.addEventListener("pageshow", () => begin(document));

  /* Nobody is left to read the preview of a form that is on its way. */
  document.addEventListener("htmx:configRequest", (event) => {
    if (event.target.id === "effective" && event.target.closest("form").dataset.sent) event.preventDefault();
  });

  /* An old preview must not look like the answer. */
  for (const name of ["htmx:sendError", "htmx:responseError", "htmx:timeout"]) {
    document.addEventListener(name, (event) => {
      if (event.target.id !== "effective" || event.detail.xhr.status === 401) return;
      event.stopPropagation();
      event.target.textContent = "This can't be shown now: the server did not answer.";
    }, true);
  }
})();
