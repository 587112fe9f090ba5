// Says three minutes before that the session ends, lets the person stay, and leaves the page when it
// is over, with what was written kept. The server decides all of it (accounts/sessions): it is asked
// before anything is said or done, since another tab may have made the session longer.
const dialog = document.querySelector("dialog[data-status]");
const told = dialog.dataset;
const warning = Number(told.warning) * 1000;
const tabs = new BroadcastChannel("session");
let ends = Date.now() + Number(told.seconds) * 1000;
let isWarned = false;
let timer;

function plan() {
  const left = ends - Date.now();
  clearTimeout(timer);
  timer = setTimeout(ask, Math.max(250, isWarned ? left : left - warning));
}

async function ask() {
  let answer;
  try {
    answer = await (await fetch(told.status, { cache: "no-store" })).json();
  } catch {
    // Out of reach: nothing stays in sight beyond the end, and the server is asked again.
    document.body.classList.toggle("is-over", Date.now() >= ends);
    clearTimeout(timer);
    timer = setTimeout(ask, 15_000);
    return;
  }
  document.body.classList.remove("is-over");
  if (answer.seconds <= 0) {
    tabs.postMessage("over");
    leave();
    return;
  }
  ends = Date.now() + answer.seconds * 1000;
  isWarned = answer.seconds * 1000 <= warning;
  if (!isWarned) dialog.close();
  else if (!dialog.open) warn(answer);
  plan();
}

function warn(answer) {
  document.getElementById("session-end").textContent = answer.said;
  dialog.querySelector("[data-extend]").hidden = !answer.can_be_extended;
  dialog.showModal();
}

// The first form in which something was changed goes along, and waits for whoever wrote it.
function leave() {
  clearTimeout(timer);
  const here = location.pathname + location.search;
  const written = [...document.querySelectorAll("main form[method=post]")].find(isChanged);
  if (!written) {
    location.replace(`${told.signIn}?next=${encodeURIComponent(here)}`);
    return;
  }
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: told.keep, hidden: true });
  const token = dialog.querySelector("[name=csrfmiddlewaretoken]").value;
  const own = [["csrfmiddlewaretoken", token], ["kept_page", here]];
  const fields = [...new FormData(written)].filter(
    ([name, value]) => typeof value === "string" && name !== "csrfmiddlewaretoken",
  );
  for (const [name, value] of [...own, ...fields]) {
    const input = document.createElement("textarea");
    Object.assign(input, { name, value });
    form.append(input);
  }
  document.body.append(form);
  form.submit();
}

function isChanged(form) {
  return [...form.elements].some((one) => {
    if (one.type === "hidden" || one.type === "password" || one.type === "file") return false;
    if (one.type === "checkbox" || one.type === "radio") return one.checked !== one.defaultChecked;
    if (one.tagName === "SELECT") return [...one.options].some((o) => o.selected !== o.defaultSelected);
    return "defaultValue" in one && one.value !== one.defaultValue;
  });
}

dialog.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  event.stopPropagation();
  const form = event.target;
  try {
    await fetch(form.action, { method: "post", body: new FormData(form), redirect: "manual" });
    tabs.postMessage("longer");
  } finally {
    await ask();
  }
});
dialog.querySelector("[data-close]").addEventListener("click", () => dialog.close());
tabs.addEventListener("message", () => ask());
// A computer that slept, a tab that was out of sight, a page from the browser's memory.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden && Date.now() >= ends - warning) ask();
});
window.addEventListener("pageshow", (event) => {
  if (event.persisted) ask();
});
plan();
