/* Passkeys: starts allauth's scripts on the form of the page, and says what went wrong. Loaded after them. */
"use strict";

(() => {
  const form = find("form[data-passkey]");
  const button = find("#passkey-start");
  if (!form || !button) return;
  const failed = find("[data-passkey-failed]", form);
  const kind = form.dataset.passkey;
  window.allauth.webauthn.forms[`${kind}Form`]({
    ids: { [kind]: button.id, credential: "passkey-credential", passwordless: kind === "add" ? "id_passwordless" : null },
    data: JSON.parse(form.dataset.options || "null"),
  });
  document.addEventListener("allauth.error", (event) => {
    event.preventDefault();
    const refused = event.detail.exception.name === "NotAllowedError";
    failed.textContent = refused ? "Your browser got no passkey. Try again." : "The passkey could not be used.";
    if (event.detail.exception.name === "InvalidStateError") failed.textContent = "This device has a passkey for you already.";
    failed.hidden = false;
  });
})();
