"""A server built as LibreTranslate is: Flask and waitress, CTranslate2, a request a thread, a list's texts in turn.

    python -m benchmarks.questions.serve_peer CT2_MODEL     (what `mtcli export ctranslate2` wrote)

Sentences are not split: the lines of the benchmark are single sentences.
"""

import sys
from pathlib import Path
from typing import Any

import ctranslate2
import sentencepiece
from flask import Flask, jsonify, request
from waitress.server import create_server

THREADS = 4  # LibreTranslate's default
BEAM = 4


def application(model: Path) -> Flask:
    """Make the server of a model."""
    translator = ctranslate2.Translator(str(model), device="cpu", inter_threads=1, intra_threads=0)
    source, target = (_tokenizer(model / f"{side}.spm") for side in ("source", "target"))
    app = Flask(__name__)

    def translated(text: str) -> str:
        [result] = translator.translate_batch([source.encode(text, out_type=str)], beam_size=BEAM)
        return str(target.decode(result.hypotheses[0]))

    def translate() -> Any:
        q = request.get_json()["q"]
        return jsonify(translatedText=translated(q) if isinstance(q, str) else [translated(one) for one in q])

    app.add_url_rule("/translate", view_func=translate, methods=["POST"])
    return app


def _tokenizer(path: Path) -> Any:
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def main() -> None:
    server = create_server(application(Path(sys.argv[1])), host="127.0.0.1", port=0, threads=THREADS)
    print(f"Serving on http://127.0.0.1:{server.effective_port}", file=sys.stderr, flush=True)
    server.run()


if __name__ == "__main__":
    main()
