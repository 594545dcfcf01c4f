/* Copying, and the guard of a secret that is shown once. Loaded after app.js. */
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
    if (node) show(node);
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
      tell(node, "Copying is blocked by your browser. The text is selected: press Ctrl+C (Cmd+C).");
    } else {
      say(`Copying is blocked by your browser. The text is ${button.dataset.copyText}`);
    }
  });

  const tell = (node, text) => {
    const old = find(".ka-tell");
    if (old) old.remove();
    const line = document.createElement("p");
    line.className = "ka-tell";
    line.textContent = text;
    (node.id === "secret" ? find(".ka-secret-acts") : node).after(line);
    say(text);
  };

  /* --- hiding, and a file --- */
  const toggle = () => find("[data-hide]");
  const hide = (hidden) => {
    find("[data-reveal]").toggleAttribute("data-hidden", hidden);
    toggle().setAttribute("aria-pressed", String(hidden));
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

  /* --- the guard --- */
  const open = () => find("[data-reveal]");
  const saved = () => find("[data-reveal-saved]").checked;
  const wipe = () => {
    if (!open()) return;
    getSelection().removeAllRanges();
    for (const node of document.querySelectorAll("#secret, [data-secret]")) node.textContent = "not shown again";
  };

  const ask = (asking) => {
    find("[data-reveal-foot]").hidden = asking;
    find("[data-reveal-question]").hidden = !asking;
    find(asking ? "[data-reveal-back]" : "[data-reveal-ask]").focus();
  };

  window.keyadmin.askToCloseReveal = () => {
    if (saved()) return close();
    const box = find(".modal-dialog");
    box.classList.remove("ka-shake");
    void box.offsetWidth; /* so that the animation starts anew */
    box.classList.add("ka-shake");
    say("The key is still open. Tick 'I have saved this key' to close.");
  };

  const close = () => {
    const { after, focusNext, done } = find("[data-reveal-foot]").dataset;
    const inModal = open().closest("#modal");
    wipe();
    open().remove();
    if (!inModal || !focusNext) return location.assign(after);
    window.keyadmin.focusNext = focusNext;
    window.keyadmin.closeModal();
    if (done) say(done);
    document.body.dispatchEvent(new CustomEvent("keys-changed"));
  };

  document.addEventListener("click", (event) => {
    const on = (name) => event.target.closest(`[data-reveal-${name}]`);
    if (on("close")) {
      if (saved()) close();
      else {
        window.keyadmin.askToCloseReveal();
        find("[data-reveal-saved]").focus();
      }
    } else if (on("ask")) ask(true);
    else if (on("back")) ask(false);
    else if (on("anyway")) close();
  });

  window.addEventListener("beforeunload", (event) => {
    if (open() && !saved()) event.preventDefault();
  });
  window.addEventListener("pagehide", wipe);
  /* On a page of its own: a heading that the keyboard starts from. */
  if (open()) find("[data-first-focus]").focus();
})();
