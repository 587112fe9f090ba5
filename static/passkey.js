// Passkeys: the browser is asked for one, and its answer goes into the form of the page.
// Without this script, and in browsers without passkeys, the page offers a code instead.
(() => {
  const form = document.querySelector("form[data-passkey]");
  if (!form || !window.PublicKeyCredential) return;

  const bytes = (text) =>
    Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const text = (buffer) =>
    btoa(String.fromCharCode(...new Uint8Array(buffer)))
      .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const known = (credentials = []) => credentials.map((one) => ({ ...one, id: bytes(one.id) }));

  const make = async (asked) => {
    const made = await navigator.credentials.create({
      publicKey: {
        ...asked,
        challenge: bytes(asked.challenge),
        user: { ...asked.user, id: bytes(asked.user.id) },
        excludeCredentials: known(asked.excludeCredentials),
      },
    });
    return {
      response: {
        attestationObject: text(made.response.attestationObject),
        transports: made.response.getTransports?.() ?? [],
      },
      made,
    };
  };
  const use = async (asked) => {
    const made = await navigator.credentials.get({
      publicKey: {
        ...asked,
        challenge: bytes(asked.challenge),
        allowCredentials: known(asked.allowCredentials),
      },
    });
    const { authenticatorData, signature, userHandle } = made.response;
    return {
      response: {
        authenticatorData: text(authenticatorData),
        signature: text(signature),
        userHandle: userHandle && text(userHandle),
      },
      made,
    };
  };

  const problem = form.querySelector("[data-problem-text]");
  const answer = form.querySelector("input[data-passkey]");
  const ask = async (how) => {
    problem.hidden = true;
    try {
      const options = JSON.parse(document.getElementById(form.dataset.options).textContent);
      const { response, made } = await how(options.publicKey);
      answer.value = JSON.stringify({
        id: made.id,
        rawId: text(made.rawId),
        type: made.type,
        response: { clientDataJSON: text(made.response.clientDataJSON), ...response },
        clientExtensionResults: made.getClientExtensionResults(),
      });
      form.submit();
    } catch {
      problem.hidden = false;
    }
  };

  if (form.dataset.passkey === "add") {
    form.querySelector("button[disabled]").disabled = false;
    form.addEventListener("submit", (event) => {
      if (!form.elements.name.value.trim()) return; // the page says that it needs one
      event.preventDefault();
      delete form.dataset.sent;
      event.submitter?.classList.remove("is-sent");
      ask(make);
    });
  } else {
    form.querySelector("[data-needs-script]").hidden = false;
    form.querySelector("[data-use-passkey]").addEventListener("click", () => ask(use));
  }
})();
