"use strict";

// The page says everything without this script. It adds two comforts: sorting by a click on a heading, and a filter.

const words = new Intl.Collator("en", { numeric: true, sensitivity: "base" });

function keyOf(row, index) {
  const cell = row.cells[index];
  if (cell.dataset.value !== undefined) return cell.dataset.value === "" ? null : Number(cell.dataset.value);
  const absent = cell.firstElementChild?.className === "quiet";
  return absent ? null : cell.textContent.trim();
}

function compare(left, right) {
  return typeof left === "number" ? left - right : words.compare(left, right);
}

function sortBy(table, heading, index) {
  const downward = heading.getAttribute("aria-sort") === "ascending";
  const direction = downward ? -1 : 1;
  const rows = [...table.tBodies[0].rows].map((row) => ({ row, key: keyOf(row, index) }));
  rows.sort((left, right) => {
    if (left.key === null || right.key === null) return (left.key === null) - (right.key === null);
    return direction * compare(left.key, right.key);
  });
  table.tBodies[0].append(...rows.map(({ row }) => row));
  for (const other of heading.parentElement.cells) other.removeAttribute("aria-sort");
  heading.setAttribute("aria-sort", downward ? "descending" : "ascending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  [...table.tHead.rows[0].cells].forEach((heading, index) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    button.addEventListener("click", () => sortBy(table, heading, index));
    heading.replaceChildren(button);
  });
}

for (const filter of document.querySelectorAll(".filter")) {
  const input = filter.querySelector("input");
  const output = filter.querySelector("output");
  const rows = [...filter.parentElement.querySelectorAll("tbody tr")];
  if (rows.length < 2) continue;
  const texts = rows.map((row) => row.textContent.toLowerCase());
  filter.hidden = false;
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    let left = 0;
    rows.forEach((row, index) => {
      row.hidden = !texts[index].includes(wanted);
      if (!row.hidden) left += 1;
    });
    output.value = wanted ? `${left} of ${rows.length} shown` : "";
  });
}
