/* The form of a key: filter, count and "all" of the permission matrix, small helpers, local times. Loaded after app.js. */
"use strict";

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
