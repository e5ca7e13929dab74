// Files sent to be translated: each a line with its progress and at last a link.

import { ask } from "./server.js";

const INTERVAL = 500; // milliseconds between two looks at the progress

export async function translateFile(file, { source, target, key }) {
  const section = document.getElementById("files");
  section.hidden = false;
  const line = document.createElement("li");
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", `Progress of ${file.name}`);
  const state = document.createElement("span");
  state.setAttribute("role", "status");
  line.append(file.name, bar, state);
  section.querySelector("ul").prepend(line);
  try {
    let answer = await ask("/translate_file", { body: form(file, source, target, key) });
    while (!answer.translatedFileUrl && !answer.error) {
      bar.value = answer.share ?? 0;
      await new Promise((resolve) => setTimeout(resolve, INTERVAL));
      answer = await ask(here(answer.progressUrl));
    }
    if (answer.error) throw new Error(answer.error);
    const link = document.createElement("a");
    link.href = here(answer.translatedFileUrl);
    link.download = file.name;
    link.textContent = "Download the translation";
    state.replaceChildren(link);
  } catch (error) {
    state.className = "over";
    state.textContent = error.message;
  }
  bar.remove();
}

function form(file, source, target, key) {
  const made = new FormData();
  made.append("file", file);
  made.append("source", source);
  made.append("target", target);
  made.append("wait", "false");
  if (key) made.append("api_key", key);
  return made;
}

// The server may name itself otherwise than the browser does, behind a proxy.
function here(address) {
  return new URL(address, location.href).pathname;
}
