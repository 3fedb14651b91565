/* Warns before the sign-in ends for want of requests. Staying signed in keeps what is typed. */
"use strict";

(() => {
  const body = document.body;
  const bar = document.getElementById("session-end");
  if (!bar) return;
  const WARNING = Number(bar.dataset.warning);
  const ASK_MS = 5000;
  const place = bar.parentElement;
  const dialog = document.getElementById("dialog");
  const line = bar.querySelector("[data-sentence]");

  let ends = 0;
  let asked = 0;
  let before = null;
  const hide = () => {
    const hadFocus = bar.contains(document.activeElement);
    bar.hidden = true;
    line.textContent = "";
    place.append(bar);
    if (hadFocus) (before?.isConnected ? before : document.getElementById("main")).focus();
  };
  const show = (seconds) => {
    const minutes = Math.max(1, Math.ceil(seconds / 60));
    const text = line.dataset.sentence.replace("{minutes}", minutes);
    // A screen reader says it when it appears, and once a minute.
    if (line.textContent !== text) line.textContent = text;
    // Beside an open dialog nothing can be pressed.
    const host = dialog.open ? dialog : place;
    if (bar.parentElement !== host) host.prepend(bar);
    bar.hidden = false;
  };
  const look = () => {
    const seconds = (ends - Date.now()) / 1000;
    if (seconds < WARNING) show(seconds); else if (!bar.hidden) hide();
    // The server says whether it is over: somebody may have gone on in another tab.
    if (seconds <= 0 && Date.now() - asked > ASK_MS) {
      asked = Date.now();
      body.dispatchEvent(new Event("poll"));
    }
  };
  const endsIn = (seconds) => {
    ends = Date.now() + seconds * 1000;
    look();
  };

  bar.addEventListener("focusin", (event) => {
    if (!bar.contains(event.relatedTarget)) before = event.relatedTarget;
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    const seconds = event.detail.xhr.getResponseHeader("X-Session-Seconds");
    if (seconds !== null) endsIn(Number(seconds));
  });
  endsIn(Number(bar.dataset.seconds));
  setInterval(look, 1000);
})();
