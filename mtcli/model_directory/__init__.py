"""The model directory: what `mtcli train` leaves and everything else loads. No file in it can run code.

model.safetensors (weights alone, so equal weights are equal bytes), config.json, tokenizer.model (or source.model and
target.model, and with them vocabulary.json where a model was imported), provenance.json, README.md, and int8.json where
int8 was checked. All but provenance.json and README.md are written with checksums (integrity.py) and checked against
them; a directory without any, made by hand, loads too.

Only weights.py and loading.py need PyTorch. The models in the box are in box/.
"""
