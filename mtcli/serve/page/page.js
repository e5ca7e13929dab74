// The page: translates while one types, and shows what the translation's words looked at.

import { spans, strongest, table, wrap } from "./attention.js";
import { translateFile } from "./files.js";
import { ask } from "./server.js";

const PAUSE = 350; // milliseconds without typing until a text is translated
const ALTERNATIVES = 3;
const RIGHT_TO_LEFT = new Set(["ar", "arc", "ckb", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]);
const $ = (id) => document.getElementById(id);
const limit = Number(document.body.dataset.charLimit) || 0;
const state = { timer: 0, request: null, shown: null, isCurrent: false, attention: null, current: -1, detected: "" };
let languages = [];

document.documentElement.classList.add("scripted");

const nameOf = (code) => languages.find((one) => one.code === code)?.name ?? code;
const sourceLanguage = () => ($("source").value === "auto" ? state.detected : $("source").value);
const key = () => $("key").value || undefined;
const question = () => ({ q: $("q").value, source: $("source").value, target: $("target").value, api_key: key() });

function setLanguages() {
  for (const [element, code] of [[$("q"), sourceLanguage()], [$("translation"), $("target").value]]) {
    element.lang = code;
    element.dir = !code ? "auto" : RIGHT_TO_LEFT.has(code.split("-")[0].toLowerCase()) ? "rtl" : "ltr";
  }
  $("mirror").lang = $("q").lang;
  $("mirror").dir = $("q").dir;
}

function setTargets() {
  const known = languages.find((one) => one.code === $("source").value);
  for (const option of $("target").options) {
    option.disabled = Boolean(known) && !(known.targets.includes(option.value) && option.value !== known.code);
  }
  if ($("target").selectedOptions[0]?.disabled) {
    const usable = [...$("target").options].find((option) => !option.disabled);
    if (usable) $("target").value = usable.value;
  }
}

function count() {
  const length = [...$("q").value].length;
  $("count").textContent = limit ? `${length} of ${limit} characters` : `${length} characters`;
  $("count").classList.toggle("over", limit > 0 && length > limit);
  return limit === 0 || length <= limit;
}

function clearMarks() {
  state.current = -1;
  $("mirror").textContent = `${$("q").value}\n`;
  $("translation").querySelector(".current")?.classList.remove("current");
}

function changed(pause = PAUSE) {
  clearTimeout(state.timer);
  state.request?.abort();
  state.request = null;
  state.attention?.abort.abort();
  state.attention = null;
  state.isCurrent = false; // what is shown translates another text
  clearMarks();
  $("message").textContent = "";
  setLanguages();
  if (!count()) return fail(`The text is longer than the ${limit} characters that this server takes.`);
  if (!$("q").value.trim()) return show("", []);
  busy(true);
  state.timer = setTimeout(translate, pause);
}

function busy(on) {
  $("busy").textContent = on ? "Translating …" : "";
  $("target-pane").setAttribute("aria-busy", on);
  $("translation").classList.toggle("stale", on);
}

function fail(sentence) {
  busy(false);
  $("translation").classList.add("stale");
  showAlternatives([]);
  $("message").textContent = sentence;
}

async function translate() {
  const request = (state.request = new AbortController());
  try {
    const body = { ...question(), format: "text", alternatives: ALTERNATIVES };
    const answer = await ask("/translate", { body, signal: request.signal });
    if (request !== state.request) return;
    state.detected = answer.detectedLanguage?.language ?? "";
    show(answer.translatedText, answer.alternatives ?? [], answer.pivot);
  } catch (error) {
    if (request === state.request) fail(error.message);
  }
}

function show(text, alternatives, pivot) {
  busy(false);
  if (!text) state.detected = "";
  state.shown = text;
  state.isCurrent = true;
  setLanguages();
  $("translation").textContent = text;
  $("translation").tabIndex = text ? 0 : -1;
  $("copy").disabled = $("show-attention").disabled = !text;
  const detected = state.detected && `Detected: ${nameOf(state.detected)}`;
  $("detected").textContent = [detected, pivot && `over ${nameOf(pivot)}`].filter(Boolean).join(", ");
  $("spoken").textContent = text;
  showAlternatives(alternatives);
  if (!$("attention").hidden) text ? drawAttention() : openAttention(false);
}

function showAlternatives(texts) {
  const others = texts.filter((text) => text !== state.shown);
  $("alternatives").hidden = others.length === 0;
  $("alternatives").querySelector("ul").replaceChildren(
    ...others.map((text) => {
      const button = document.createElement("button");
      button.type = "button";
      button.lang = $("target").value;
      button.dir = $("translation").dir;
      button.textContent = text;
      button.addEventListener("click", () => choose(text, others));
      const item = document.createElement("li");
      item.append(button);
      return item;
    }),
  );
}

function choose(text, others) {
  const before = state.shown;
  show(text, others.map((other) => (other === text ? before : other)));
  $("translation").focus();
}

/** What each word looked at, asked for once a translation; null where there is none, as for a chosen alternative. */
function attention() {
  if (!state.attention) {
    const abort = new AbortController();
    const answer = ask("/attention", { body: question(), signal: abort.signal });
    state.attention = { abort, answer };
  }
  return state.attention.answer;
}

async function prepareWords() {
  if (!state.shown || !state.isCurrent || $("translation").querySelector(".word")) return null;
  const mine = state.shown;
  try {
    const found = await attention();
    if (state.shown !== mine || found.translation !== mine) return null;
    if ($("translation").querySelector(".word")) return null;
    wrap($("translation"), mine, spans(mine, found.target), "span", (word, number) => {
      word.className = "word";
      word.dataset.number = number;
    });
    return found;
  } catch (error) {
    if (error.name !== "AbortError") $("message").textContent = error.message;
    return null;
  }
}

async function mark(number) {
  const found = await state.attention?.answer.catch(() => null);
  const word = $("translation").querySelector(`[data-number="${number}"]`);
  if (!found || !word) return;
  clearMarks();
  state.current = number;
  word.classList.add("current");
  const row = found.weights[number];
  const most = Math.max(...row, 0) || 1;
  const text = $("q").value;
  wrap($("mirror"), `${text}\n`, spans(text, found.source), "mark", (piece, place) => {
    piece.style.setProperty("--share", row[place] / most >= 0.2 ? row[place] / most : 0);
  });
  const seen = strongest(row).map((place) => found.source[place]);
  $("spoken").textContent = seen.length ? `${word.textContent} looked at ${seen.join(", ")}` : word.textContent;
}

function walk(event) {
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  const words = [...$("translation").querySelectorAll(".word")];
  if (!step || !words.length) return;
  event.preventDefault();
  const forward = $("translation").dir === "rtl" ? -step : step;
  const at = words.findIndex((word) => Number(word.dataset.number) === state.current);
  const next = at < 0 ? 0 : Math.min(words.length - 1, Math.max(0, at + forward));
  mark(Number(words[next].dataset.number));
}

async function drawAttention() {
  const picture = $("attention").querySelector(".scroll");
  if (!state.isCurrent) {
    picture.textContent = "It appears with the next translation.";
    return;
  }
  picture.textContent = "Looking …";
  const mine = state.shown;
  try {
    const found = await attention();
    if (state.shown !== mine) return;
    if (found.translation === mine) picture.replaceChildren(table(found, sourceLanguage(), $("target").value));
    else picture.textContent = "Attention is told of the first translation only, not of a chosen alternative.";
  } catch (error) {
    if (error.name !== "AbortError") picture.textContent = error.message;
  }
}

function openAttention(open) {
  $("attention").hidden = !open;
  $("show-attention").setAttribute("aria-expanded", open);
  if (open) drawAttention();
}

function swap() {
  const from = sourceLanguage();
  const to = $("target").value;
  const has = (select, code) => [...select.options].some((option) => option.value === code);
  if (!from || !has($("target"), from) || !has($("source"), to)) {
    $("message").textContent = from
      ? `Nothing is translated from ${nameOf(to)} into ${nameOf(from)} here.`
      : "Choose the language of the text, or type some, before you swap.";
    return;
  }
  $("source").value = to;
  $("target").value = from;
  if (state.shown) $("q").value = state.shown;
  setTargets();
  changed(0);
}

async function copy() {
  try {
    await navigator.clipboard.writeText(state.shown);
    $("spoken").textContent = $("busy").textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren($("translation"));
    $("busy").textContent = "Selected: copy with Ctrl+C.";
  }
}

function send(files) {
  for (const file of files) translateFile(file, { source: $("source").value, target: $("target").value, key: key() });
}

function listen() {
  $("q").addEventListener("input", () => changed());
  $("source").addEventListener("change", () => { state.detected = ""; $("detected").textContent = ""; setTargets(); changed(0); });
  $("target").addEventListener("change", () => changed(0));
  $("key").addEventListener("change", () => changed(0));
  $("form").addEventListener("submit", (event) => { event.preventDefault(); changed(0); });
  $("swap").addEventListener("click", swap);
  $("copy").addEventListener("click", copy);
  $("show-attention").addEventListener("click", () => openAttention($("attention").hidden));
  $("pick").addEventListener("click", () => $("file").click());
  $("file").addEventListener("change", () => { send($("file").files); $("file").value = ""; });
  const words = $("translation");
  for (const kind of ["pointerenter", "focus"]) words.addEventListener(kind, prepareWords);
  words.addEventListener("pointerover", (event) => event.target.dataset.number && mark(Number(event.target.dataset.number)));
  for (const kind of ["pointerleave", "blur"]) words.addEventListener(kind, clearMarks);
  words.addEventListener("keydown", walk);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); changed(0); }
    if (event.altKey && event.code === "KeyS") { event.preventDefault(); swap(); }
    if (event.key === "Escape" && !$("attention").hidden) { openAttention(false); $("show-attention").focus(); }
  });
  const pane = $("source-pane");
  document.addEventListener("dragover", (event) => { event.preventDefault(); pane.classList.add("dropping"); });
  document.addEventListener("dragleave", () => pane.classList.remove("dropping"));
  document.addEventListener("drop", (event) => {
    pane.classList.remove("dropping");
    if (event.dataTransfer.files.length) { event.preventDefault(); send(event.dataTransfer.files); }
  });
}

async function start() {
  listen();
  $("file").accept = document.body.dataset.suffixes;
  try {
    languages = await ask("/languages");
    setTargets();
  } catch (error) {
    fail(error.message);
  }
  if ($("q").value && !$("translation").textContent) changed(0);
  else { state.shown = $("translation").textContent; clearMarks(); count(); setLanguages(); if (state.shown) show(state.shown, []); }
}

start();
