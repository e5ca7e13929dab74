// Which words of the text each word of the translation looked at: marked in both texts, and drawn as a table.

/** Start and end of each word in a text, in order; null for a word that is not found there. */
export function spans(text, words) {
  let from = 0;
  return words.map((word) => {
    const start = word ? text.indexOf(word, from) : -1;
    if (start < 0) return null;
    from = start + word.length;
    return [start, from];
  });
}

/** Fill an element with a text whose words are elements of their own; `dress` is called with each and its number. */
export function wrap(element, text, found, tag, dress) {
  const pieces = [];
  let from = 0;
  found.forEach((span, number) => {
    if (!span) return;
    const word = document.createElement(tag);
    word.textContent = text.slice(...span);
    dress(word, number);
    pieces.push(text.slice(from, span[0]), word);
    from = span[1];
  });
  element.replaceChildren(...pieces, text.slice(from));
}

/** The numbers of the words that a row of weights gives most to, the greatest first. */
export function strongest(row) {
  const most = Math.max(0, ...row);
  const numbers = row.map((_, number) => number).filter((number) => row[number] > 0 && row[number] >= most / 2);
  return numbers.sort((one, other) => row[other] - row[one]);
}

/** A table with a row for each word of the translation and a column for each of the text. */
export function table({ source, target, weights }, sourceLanguage, targetLanguage) {
  const made = document.createElement("table");
  const head = made.createTHead().insertRow();
  head.append(document.createElement("td"), ...source.map((word) => header(word, "col", sourceLanguage)));
  const body = made.createTBody();
  target.forEach((word, number) => {
    const row = body.insertRow();
    row.append(header(word, "row", targetLanguage));
    for (const weight of weights[number]) {
      const cell = row.insertCell();
      const percent = Math.round(100 * weight);
      cell.textContent = percent || "";
      cell.style.setProperty("--share", weight);
    }
  });
  return made;
}

function header(word, scope, language) {
  const cell = document.createElement("th");
  cell.scope = scope;
  if (language) cell.lang = language;
  cell.dir = "auto";
  cell.textContent = word;
  return cell;
}
