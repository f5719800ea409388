"use strict";

// Times in the reader's own zone.
function tellTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (!Number.isNaN(at.getTime())) {
      time.textContent = at.toLocaleString(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" });
    }
  }
}

// The code of an invitation stands behind the # of its link, which browsers do not send. It is taken out of the address
// bar and posted.
function takeInvitation() {
  const form = document.querySelector("form.invite");
  const code = location.hash.slice(1);
  if (form && /^[A-Za-z0-9_-]+$/.test(code)) {
    history.replaceState(null, "", location.pathname);
    form.elements.code.value = code;
    form.requestSubmit();
  }
}

function human(bytes) {
  const units = ["B/s", "kB/s", "MB/s", "GB/s"];
  let unit = 0;
  for (; bytes >= 1000 && unit < units.length - 1; unit++) {
    bytes /= 1000;
  }
  return (bytes >= 100 || unit === 0 ? bytes.toFixed(0) : bytes.toFixed(1)) + " " + units[unit];
}

// The numbers, the plot, the table and the list of the live page, from the stream of the gateway's state.
function followGateway() {
  const plot = document.getElementById("plot");
  if (!plot) {
    return;
  }
  const points = [];
  let last = null;
  let sessions = null;

  function put(word, text) {
    for (const place of document.querySelectorAll(`[data-live="${word}"]`)) {
      place.textContent = text;
    }
  }

  function draw() {
    const most = Math.max(1000, ...points.map((p) => Math.max(p.in, p.out)));
    for (const way of ["in", "out"]) {
      const line = points.map((p, i) => `${600 - (points.length - 1 - i) * 5},${(156 - (p[way] / most) * 150).toFixed(1)}`);
      plot.querySelector(`polyline.${way}`).setAttribute("points", line.join(" "));
    }
  }

  async function renewTable() {
    const answer = await fetch("/admin", { credentials: "same-origin", redirect: "error", headers: { "X-Sekisho-Unasked": "1" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("#sessions tbody");
    const old = document.querySelector("#sessions tbody");
    if (answer.ok && fresh && !old.contains(document.activeElement)) {
      tellTimes(fresh);
      old.replaceWith(document.adoptNode(fresh));
    }
  }

  // What has happened, newest first; a stream that begins anew tells again what is here already.
  const list = document.getElementById("events");
  let newest = Number(list.dataset.last);

  function part(tag, name, text) {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text;
    return made;
  }

  function addEvent(happened) {
    if (happened.id <= newest) {
      return;
    }
    newest = happened.id;
    const item = part("li", happened.bad ? "bad" : "", "");
    const time = part("time", "", happened.time);
    time.dateTime = happened.time;
    item.append(time, " ", part("strong", "", happened.what), " ", part("span", "where", happened.where), " ", part("span", "why", happened.why));
    tellTimes(item);
    list.prepend(item);
    document.getElementById("events-none").textContent = "";
    while (list.children.length > Number(list.dataset.most)) {
      list.lastElementChild.remove();
    }
  }

  const stream = new EventSource(`/admin/stream?since=${newest}`);
  stream.addEventListener("happened", (event) => addEvent(JSON.parse(event.data)));
  stream.addEventListener("status", (event) => {
    const now = JSON.parse(event.data);
    for (const word of Object.keys(now)) {
      put(word, now[word]);
    }
    if (last && now.time > last.time) {
      const passed = (now.time - last.time) / 1000;
      const rate = { in: Math.max(0, now.bytes_in - last.bytes_in) / passed, out: Math.max(0, now.bytes_out - last.bytes_out) / passed };
      points.push(rate);
      points.splice(0, points.length - 121);
      put("rate_in", human(rate.in));
      put("rate_out", human(rate.out));
      plot.hidden = false;
      draw();
    }
    if (sessions !== null && sessions !== now.sessions) {
      renewTable().catch(() => {});
    }
    sessions = now.sessions;
    last = now;
  });
}

// A pattern: tapped cells go into the field in their order, and each shows its place; a second tap takes it out. What the
// pattern is worth is asked of the gateway, as the button does that is there without the script.
function takePattern() {
  const form = document.querySelector("form.pattern");
  if (!form) {
    return;
  }
  const field = form.elements.cells;
  const buttons = [...form.querySelectorAll("button[data-cell]")];
  const names = new Map(buttons.map((button) => [button, button.getAttribute("aria-label")]));
  const trial = form.querySelector("button.trial");
  const path = trial.getAttribute("formaction");
  let waiting = null;
  let asked = null;

  function order() {
    return field.value.split(/[, ]+/).filter((cell) => cell !== "");
  }

  function show() {
    const cells = order();
    for (const button of buttons) {
      const place = cells.indexOf(button.dataset.cell);
      button.textContent = place < 0 ? "" : place + 1;
      button.setAttribute("aria-pressed", place >= 0);
      button.setAttribute("aria-label", names.get(button) + (place < 0 ? "" : `: ${place + 1}`));
    }
  }

  async function judge() {
    const what = new URLSearchParams();
    for (const name of ["token", "code", "cells"]) {
      if (form.elements[name]) {
        what.set(name, form.elements[name].value);
      }
    }
    asked?.abort();
    asked = new AbortController();
    const answer = await fetch(path, { method: "POST", body: what, credentials: "same-origin", redirect: "error", signal: asked.signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const word = page.getElementById("strength");
    if (word) {
      document.getElementById("strength").replaceChildren(...word.childNodes);
    }
  }

  function changed() {
    show();
    clearTimeout(waiting);
    waiting = setTimeout(() => judge().catch(() => {}), 350);
  }

  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-cell]");
    if (!button) {
      return;
    }
    const cell = button.dataset.cell;
    const cells = order();
    field.value = (cells.includes(cell) ? cells.filter((other) => other !== cell) : [...cells, cell]).join(",");
    changed();
  });
  field.addEventListener("input", changed);
  trial.remove(); // as the first button it would be what Enter presses
  show();
}

// A button that copies what stands in the field before it.
function offerCopies() {
  for (const button of document.querySelectorAll("button.copy")) {
    const field = document.getElementById(button.getAttribute("aria-controls"));
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.select();
      try {
        await navigator.clipboard.writeText(field.value);
      } catch {
        document.execCommand("copy");
      }
      button.textContent = button.dataset.done;
    });
  }
}

document.addEventListener("DOMContentLoaded", () => {
  tellTimes(document);
  takeInvitation();
  takePattern();
  offerCopies();
  followGateway();
});
