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

// The numbers, the plot and the table of the live page, from the stream of the gateway's state.
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
    const answer = await fetch("/admin", { credentials: "same-origin", redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector("#sessions tbody");
    const old = document.querySelector("#sessions tbody");
    if (answer.ok && fresh && !old.contains(document.activeElement)) {
      tellTimes(fresh);
      old.replaceWith(document.adoptNode(fresh));
    }
  }

  const stream = new EventSource("/admin/stream");
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

// A pattern: tapped cells go into the field in their order, and each shows its place; a second tap takes it out.
function takePattern() {
  const form = document.querySelector("form.pattern");
  if (!form) {
    return;
  }
  let order = [];
  form.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-cell]");
    if (!button) {
      return;
    }
    const cell = button.dataset.cell;
    order = order.includes(cell) ? order.filter((other) => other !== cell) : [...order, cell];
    form.elements.cells.value = order.join(",");
    for (const each of form.querySelectorAll("button[data-cell]")) {
      const place = order.indexOf(each.dataset.cell);
      each.textContent = place < 0 ? "" : place + 1;
      each.setAttribute("aria-pressed", place >= 0);
    }
  });
}

document.addEventListener("DOMContentLoaded", () => {
  tellTimes(document);
  takeInvitation();
  takePattern();
  followGateway();
});
