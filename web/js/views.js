// Which view is shown: what stands behind the # of the address. Links and the back button do the rest.

const shows = new Map();

/** Calls `show(rest)` each time that the view is shown, with what follows its name after a slash, and `hide()` after. */
export function onView(name, { show = () => {}, hide = () => {} }) {
  shows.set(name, { show, hide });
}

/** Shows what the address says, from now on. */
export function start() {
  addEventListener("hashchange", route);
  route();
}

function route() {
  const [name, rest] = location.hash.slice(1).split("/", 2);
  const shown = document.querySelector("main > section:not([hidden])");
  const wanted = shows.has(name) ? name : (shown?.id ?? "check");
  for (const section of document.querySelectorAll("main > section")) section.hidden = section.id !== wanted;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.hash === `#${wanted}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  if (shown && shown.id !== wanted) shows.get(shown.id)?.hide();
  if (shown?.id !== wanted || rest) shows.get(wanted)?.show(rest);
  document.title = `Sextant: ${document.querySelector(`#${wanted} h1`).textContent}`;
}
