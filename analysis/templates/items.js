"use strict";
// The list of all items: filters, search, order and pages of rows. Every text is set as text, never as markup.
{
  const PAGE = 200;
  const element = (id) => document.getElementById(id);
  const plain = (text) => text.normalize("NFC").toLowerCase();
  const number = (count) => count.toLocaleString("en");
  const { texts, rows, searched, numeric } = JSON.parse(element("item-data").textContent);
  const items = rows.map(([cells, codes]) => {
    const shown = cells.map((cell, column) => (column === numeric ? cell : texts[cell]));
    return { shown, codes, text: plain(searched.map((column) => shown[column]).join("\n")) };
  });
  const form = element("item-controls");
  const filters = [...form.querySelectorAll("select")];
  const heads = [...element("item-table").tHead.rows[0].cells];
  const body = element("item-table").tBodies[0];
  const order = { column: -1, falling: false };
  const collator = new Intl.Collator("en", { numeric: true });
  let found = [];

  const row = (item) => {
    const made = document.createElement("tr");
    item.shown.forEach((value, column) => {
      const cell = made.insertCell();
      cell.className = heads[column].className;
      const text = cell.appendChild(document.createElement("bdi"));
      text.textContent = column === numeric ? number(value) : value;
    });
    return made;
  };

  const more = () => {
    const shown = body.rows.length;
    body.append(...found.slice(shown, shown + PAGE).map(row));
    const left = found.length - body.rows.length;
    element("item-more").hidden = left === 0;
    element("item-more").textContent = `Show ${number(Math.min(PAGE, left))} more`;
    const part = left ? `; the first ${number(body.rows.length)} are shown` : "";
    element("item-count").textContent = `${number(found.length)} of ${number(items.length)} items match${part}.`;
  };

  const compare = (a, b) => {
    const [one, other] = [a.shown[order.column], b.shown[order.column]];
    const result = order.column === numeric ? one - other : collator.compare(one, other);
    return order.falling ? -result : result;
  };

  const draw = () => {
    const words = plain(element("item-search").value).split(/\s+/).filter(Boolean);
    const wanted = filters.map((one) => one.value && new Set(one.value.split(",").map(Number)));
    const fits = (item) => wanted.every((codes, place) => !codes || item.codes[place].some((code) => codes.has(code)));
    found = items.filter((item) => words.every((word) => item.text.includes(word)) && fits(item));
    if (order.column >= 0) found.sort(compare);
    body.replaceChildren();
    more();
  };

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      order.falling = order.column === column && !order.falling;
      order.column = column;
      heads.forEach((one) => one.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order.falling ? "descending" : "ascending");
      draw();
    });
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", draw);
  form.addEventListener("reset", () => setTimeout(draw));
  element("item-more").addEventListener("click", more);
  element("item-list").hidden = false;
  element("item-without-script").hidden = true;
  draw();
}
