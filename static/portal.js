// A form that is on its way shows it, and is not sent a second time by an impatient click.
// The server keeps the promise (pages/once.py); this only says so sooner.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.method !== "post") return;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
  event.submitter?.classList.add("is-sent");
});
// What takes several steps goes on by itself; without this, the person presses its button.
document.querySelector("form[data-goes-on]")?.requestSubmit();
// A page that the browser brings back from its memory can be sent again.
window.addEventListener("pageshow", () => {
  for (const form of document.forms) {
    delete form.dataset.sent;
    form.querySelector(".is-sent")?.classList.remove("is-sent");
  }
});
