// Elements are made of text alone, never of markup: what a file or a server says cannot become part of the page.

/** An element with attributes and children; an attribute that is `false` or absent is left out. */
export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== false));
  return element;
}

/** The element of the page with this id. */
export const byId = (id) => document.getElementById(id);

/** Pairs of what is meant and what it is; pairs without a value are left out. */
export function facts(pairs, kind = "facts") {
  const known = pairs.filter(([, value]) => value !== undefined && value !== null);
  return el("dl", { class: kind }, known.flatMap(([label, value]) => [el("dt", {}, label), el("dd", {}, value)]));
}

/**
 * A table. Its parts say their roles, because on a phone they are laid out as blocks, which would take them away.
 * @param {string[]} columns
 * @param {(string|Node)[][]} rows
 */
export function table(caption, columns, rows) {
  const cell = (value, at) => el("td", { role: "cell", "data-label": columns[at] }, value);
  const head = columns.map((column) => el("th", { role: "columnheader", scope: "col" }, column));
  return el("div", { class: "table" },
    el("table", { role: "table" },
      el("caption", {}, caption),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, head)),
      el("tbody", { role: "rowgroup" }, rows.map((row) => el("tr", { role: "row" }, row.map(cell))))));
}

/** A hash, an address, bytes. */
export const hex = (value) => el("span", { class: "hex" }, value);

/** Something said in a box; `tone` is good, caution, bad or neutral. */
export function notice(tone, title, ...lines) {
  const paragraphs = lines.filter(Boolean).map((line) => (line instanceof Node ? line : el("p", {}, line)));
  return el("div", { class: `notice ${tone}` }, el("p", { class: "verdict" }, title), paragraphs);
}
