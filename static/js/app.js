/* Menus by keyboard, the page's dialog, live refresh, counting timers. Pages work without it. */
"use strict";

(() => {
  const body = document.body;
  const POLL_MS = 2000;
  const HIDDEN_POLL_MS = 30000;
  const READ_MS = 3000;

  // Sentences stand in the page, in the reader's language, with their fields in braces.
  const texts = document.getElementById("texts").content;
  const sentence = (name, fields = {}) => {
    const text = texts.querySelector(`[data-text="${name}"]`).textContent.trim();
    return text.replace(/\{(\w+)\}/g, (_, field) => fields[field]);
  };

  /* ---- Lab time ---- */
  let rate = Number(body.dataset.labRate) || 1;
  let labStart = Number(body.dataset.labNow) || Date.now() / 1000;
  let wallStart = Date.now();
  const labNow = () => labStart + ((Date.now() - wallStart) / 1000) * rate;

  // A page may stay open while the product is started again with another rate.
  const setClock = (now, newRate) => {
    if (!now || !newRate) return;
    // How long answers take to come must not make the timers jump back and forth.
    if (newRate === rate && Math.abs(now - labNow()) < 2 * rate) return;
    [labStart, wallStart, rate] = [now, Date.now(), newRate];
    body.dataset.labNow = now;
    body.dataset.labRate = newRate;
    const banner = document.getElementById("lab-clock");
    // Pages that show no lab have none.
    if (!banner) return;
    banner.querySelector("[data-rate]").textContent = newRate;
    banner.hidden = newRate === 1;
  };

  // The same shape as the filter `duration` of the server: the two largest units.
  const words = (seconds) => {
    const whole = Math.max(0, Math.floor(seconds));
    const parts = [
      [Math.floor(whole / 86400), "d"],
      [Math.floor(whole / 3600) % 24, "h"],
      [Math.floor(whole / 60) % 60, "min"],
      [whole % 60, "s"],
    ];
    const first = parts.findIndex(([amount]) => amount);
    if (first < 0) return "0 s";
    const shown = parts.slice(first, first + 2).filter(([amount]) => amount);
    return shown.map(([amount, unit]) => `${amount} ${unit}`).join(" ");
  };

  const count = () => {
    // What is old does not count on: nobody knows what has come of it.
    if (region()?.classList.contains("old")) return;
    for (const el of document.querySelectorAll("[data-until]")) {
      el.textContent = words(Number(el.dataset.until) - labNow());
    }
    for (const el of document.querySelectorAll("[data-since]")) {
      el.dataset.seen ??= el.textContent;
      // Counted on it would contradict the word beside it, which is from the last look: so is the age then.
      const counts = labNow() <= Number(el.dataset.most ?? Infinity);
      el.textContent = counts ? words(labNow() - Number(el.dataset.since)) : el.dataset.seen;
    }
  };
  setInterval(count, 500);

  /* ---- Live refresh: one event `poll` on the body, which regions listen to ---- */
  const region = () => document.getElementById("live");
  let paused = false;
  let gone = false;
  let timer = 0;
  const tick = () => {
    if (gone) return;
    if (!paused) body.dispatchEvent(new Event("poll"));
    timer = setTimeout(tick, document.hidden ? HIDDEN_POLL_MS : POLL_MS);
  };
  const pollNow = () => {
    clearTimeout(timer);
    tick();
  };
  timer = setTimeout(tick, POLL_MS);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) pollNow();
  });

  for (const button of document.querySelectorAll("[data-poll-pause]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      paused = !paused;
      button.setAttribute("aria-pressed", String(paused));
      button.querySelector("[data-label]").textContent = sentence(paused ? "paused" : "refreshing");
      if (!paused) pollNow();
    });
  }

  const note = document.getElementById("connection-note");
  // Where something is refreshed, what goes wrong with it is said at that place.
  const liveNote = document.getElementById("live-note");
  const tell = (place, text) => {
    if (place.textContent === text) return;
    place.hidden = !text;
    place.textContent = text;
  };
  const isPoll = (event) => event.detail.requestConfig?.triggeringEvent?.type === "poll";
  const isOfRegion = (event) => event.detail.requestConfig?.elt?.id === "live";
  const tellOld = (text) => {
    tell(liveNote || note, text);
    region()?.classList.add("old");
  };

  const isSignIn = (event) => {
    const answered = event.detail.xhr.responseURL;
    return Boolean(answered) && new URL(answered).pathname === note.dataset.login;
  };

  // Whether a form of the page holds what the server has not seen.
  const isTyped = () => [...document.querySelectorAll("main form [name], dialog form [name]")].some((field) => {
    if (field.type === "hidden") return false;
    if (field.type === "checkbox" || field.type === "radio") return field.checked !== field.defaultChecked;
    // Of a list the first one stands there unless the server has chosen one.
    if (field.options) {
      const given = [...field.options].find((option) => option.defaultSelected) || field.options[0];
      return field.value !== (given?.value ?? "");
    }
    return field.value !== (field.defaultValue ?? field.value);
  });

  body.addEventListener("htmx:beforeSwap", (event) => {
    // A sign-in page in the place of a fragment: the sign-in has ended. The page goes there, and
    // comes back, unless something is typed: that stays.
    if (isSignIn(event)) {
      event.detail.shouldSwap = false;
      if (isPoll(event) && !isTyped()) {
        const signIn = new URL(event.detail.xhr.responseURL);
        signIn.searchParams.set("next", location.pathname + location.search);
        location.assign(signIn);
        return;
      }
      const text = sentence("signed-out");
      if (isPoll(event)) tellOld(text); else tell(note, text);
    }
  });
  body.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful || !isPoll(event) || isSignIn(event)) return;
    const header = (name) => event.detail.xhr.getResponseHeader(name);
    setClock(Number(header("X-Lab-Now")), Number(header("X-Lab-Rate")));
    tell(note, "");
    if (!isOfRegion(event)) return;
    tell(liveNote, "");
    region().classList.remove("old");
    const asOf = header("X-Wall-Time") ?? header("X-Lab-Time");
    for (const el of document.querySelectorAll("[data-as-of]")) el.textContent = asOf;
  });
  const lost = (event) => {
    const status = event.detail.xhr?.status;
    if (!isPoll(event)) {
      tell(note, status ? sentence("refused", { status }) : sentence("no-answer"));
    } else if (isOfRegion(event) && status === 404) {
      gone = true;
      for (const button of document.querySelectorAll("[data-poll-pause]")) button.hidden = true;
      tellOld(sentence("deleted", { what: region().dataset.what }));
    } else if (isOfRegion(event) || !liveNote) {
      tellOld(status ? sentence("not-refreshed", { status }) : sentence("not-refreshed-no-answer"));
    }
  };
  body.addEventListener("htmx:responseError", lost);
  body.addEventListener("htmx:sendError", lost);

  /* ---- The focus: what had it may be gone or disabled after a refresh, or after what was done ---- */
  // By their ids, the nearest first, an element, what stands for it when it is gone, and those around it.
  const placeOf = (element) => {
    const ids = [];
    for (let at = element; at && at !== body; at = at.parentElement) {
      if (at.id) ids.push(at.id);
      if (at.dataset.place) ids.push(...at.dataset.place.split(" "));
    }
    return ids;
  };
  const focusAt = (place, options) => {
    for (const id of [...place, "main"]) {
      const found = document.getElementById(id);
      if (!found || found.matches(":disabled")) continue;
      found.focus(options);
      if (document.activeElement === found) return;
      // A place takes the focus for as long as it stays there.
      found.tabIndex = -1;
      found.addEventListener("blur", () => found.removeAttribute("tabindex"), { once: true });
      found.focus(options);
      return;
    }
  };
  // Kept until it is back: another region may be swapped before this one has settled.
  let focused = null;
  body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.shouldSwap && document.activeElement !== body) focused = placeOf(document.activeElement);
  });
  body.addEventListener("htmx:afterSettle", () => {
    if (focused && document.activeElement === body) focusAt(focused, { preventScroll: true });
    focused = null;
  });
  // The page that follows is told where the focus was.
  const FOCUS = "focus";
  body.addEventListener("htmx:beforeOnLoad", (event) => {
    if (!event.detail.xhr.getResponseHeader("HX-Redirect")) return;
    sessionStorage.setItem(FOCUS, JSON.stringify(dialog.open ? opener : placeOf(document.activeElement)));
  });
  const told = sessionStorage.getItem(FOCUS);
  sessionStorage.removeItem(FOCUS);
  if (told) focusAt(JSON.parse(told), { preventScroll: true });

  /* ---- A log that is followed: its end stays in sight, unless somebody has scrolled up ---- */
  let scrolled = null;
  const log = () => document.querySelector("[data-follow]");
  body.addEventListener("htmx:beforeSwap", () => {
    const shown = log();
    const atEnd = !shown || shown.scrollTop + shown.clientHeight >= shown.scrollHeight - 4;
    scrolled = atEnd ? null : shown.scrollTop;
  });
  const follow = () => {
    if (log()) log().scrollTop = scrolled ?? log().scrollHeight;
  };
  body.addEventListener("htmx:afterSettle", follow);
  follow();

  /* ---- Announcements, and the Status fieldset after something was done in the dialog ---- */
  body.addEventListener("announce", (event) => {
    document.getElementById("announcer").textContent = event.detail.value;
  });
  const say = (kind, text) => {
    const line = document.getElementById(`${kind}-line`).content.cloneNode(true);
    if (text) line.querySelector("span").textContent = text;
    document.getElementById("status").replaceChildren(line);
  };
  body.addEventListener("refused", () => dialog.close());
  // It is said until SRM has answered, and long enough to be read.
  body.addEventListener("requested", (event) => {
    dialog.close();
    say("waiting", event.detail.value);
    pollNow();
  });
  body.addEventListener("answered", (event) => {
    const waiting = [...document.querySelectorAll("#status [data-waiting]")];
    if (waiting.length && event.detail.value) {
      say("refused", event.detail.value);
      return;
    }
    setTimeout(() => {
      for (const line of waiting) line.remove();
      if (!document.getElementById("status").childElementCount) say("ready");
    }, READ_MS);
  });

  /* ---- The page's dialog ---- */
  const dialog = document.getElementById("dialog");
  let opener = [];
  body.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== dialog || !dialog.hasChildNodes()) return;
    if (dialog.open) {
      // Refused: what is left to press is in the new content.
      dialog.querySelector("[autofocus]")?.focus();
      return;
    }
    const { elt, triggeringEvent } = event.detail.requestConfig;
    opener = placeOf(triggeringEvent?.submitter || elt);
    dialog.showModal();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-dialog-close]")) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.addEventListener("close", () => {
    dialog.replaceChildren();
    // The live region may have been replaced meanwhile: the opener is found again by its id.
    focusAt(opener);
    opener = [];
  });

  /* ---- Menu bar ---- */
  const bar = document.querySelector(".menu-bar");
  if (bar) {
    const menus = [...bar.querySelectorAll("details")];
    const closeAll = () => menus.forEach((menu) => { menu.open = false; });
    const isOpen = () => menus.some((menu) => menu.open);
    const head = (menu) => menu.querySelector("summary");
    const move = (menu, step) => {
      const other = menus[(menus.indexOf(menu) + step + menus.length) % menus.length];
      const open = isOpen();
      closeAll();
      other.open = open;
      head(other).focus();
    };
    bar.addEventListener("keydown", (event) => {
      const menu = event.target.closest("details");
      if (!menu) return;
      const links = [...menu.querySelectorAll("a")];
      const at = links.indexOf(document.activeElement);
      const keys = {
        ArrowLeft: () => move(menu, -1),
        ArrowRight: () => move(menu, 1),
        ArrowDown: () => { menu.open = true; links[(at + 1) % links.length].focus(); },
        ArrowUp: () => { if (at > 0) links[at - 1].focus(); else head(menu).focus(); },
        Home: () => links[0].focus(),
        End: () => links[links.length - 1].focus(),
        Escape: () => { closeAll(); head(menu).focus(); },
      };
      if (!keys[event.key] || (["Home", "End", "ArrowUp"].includes(event.key) && !menu.open)) return;
      event.preventDefault();
      keys[event.key]();
    });
    for (const menu of menus) {
      menu.addEventListener("mouseenter", () => {
        if (isOpen() && !menu.open) { closeAll(); menu.open = true; }
      });
    }
    document.addEventListener("click", (event) => { if (!bar.contains(event.target)) closeAll(); });
    bar.addEventListener("focusout", (event) => {
      if (event.relatedTarget && !bar.contains(event.relatedTarget)) closeAll();
    });
  }

  for (const select of document.querySelectorAll("select[data-submit]")) {
    select.addEventListener("change", () => select.form.requestSubmit());
  }

  /* ---- Find and List: Select All and Clear All without a reload ---- */
  for (const [attribute, checked] of [["data-select-all", true], ["data-clear-all", false]]) {
    for (const link of document.querySelectorAll(`[${attribute}]`)) {
      link.addEventListener("click", (event) => {
        event.preventDefault();
        for (const box of document.querySelectorAll("table.list input[name='pk']")) box.checked = checked;
      });
    }
  }
})();
