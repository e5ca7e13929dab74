"""The configuration's one loader: who wins over whom, and what it says of a wrong setting."""

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from mtcli.config import PRESETS, Config, ModelConfig, load_config, merge, parse_assignment
from mtcli.errors import ConfigError, DataError


def write_toml(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_nothing_given_means_the_defaults() -> None:
    assert load_config() == Config()


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_changes_what_it_names_and_nothing_else(preset: str) -> None:
    loaded, plain = load_config(preset), Config()
    for section in ("model", "data", "training", "decoding"):
        changed = PRESETS[preset].get(section, {})
        before, after = (getattr(config, section).model_dump() for config in (plain, loaded))
        assert after == {**before, **changed}
    assert loaded.preset == preset


def test_the_tiny_preset_is_the_published_one() -> None:
    model = load_config("tiny").model
    assert (model.encoder_layers, model.decoder_layers, model.d_model, model.ffn_dim, model.heads) == (
        4,
        4,
        128,
        256,
        4,
    )
    assert model.head_dim == 32


def test_a_later_source_wins(tmp_path: Path) -> None:
    file = write_toml(
        tmp_path / "run.toml", "[model]\nd_model = 96\nffn_dim = 100\nheads = 2\n[data]\nvocab_size = 500\n"
    )
    config = load_config(
        "tiny", file, ["model.ffn_dim=200", "model.heads=3"], {"model": {"heads": 6}, "training": {"seed": 9}}
    )
    assert config.model.activation == Config().model.activation  # default
    assert config.model.dropout == 0.3  # preset
    assert config.model.d_model == 96  # file over preset
    assert config.data.vocab_size == 500  # file over preset
    assert config.model.ffn_dim == 200  # --set over file
    assert config.model.heads == 6  # option over --set
    assert config.training.seed == 9


def test_a_file_may_name_the_preset(tmp_path: Path) -> None:
    file = write_toml(tmp_path / "run.toml", 'preset = "tiny"\n[model]\ndropout = 0.2\n')
    config = load_config(file=file)
    assert (config.preset, config.model.d_model, config.model.dropout) == ("tiny", 128, 0.2)
    assert load_config("small", file).model.d_model == 512


def test_the_last_assignment_wins() -> None:
    assert load_config(assignments=["model.dropout=0.2", "model.dropout=0.4"]).model.dropout == 0.4


def test_merging_leaves_its_layers_alone() -> None:
    first: dict[str, Any] = {"model": {"heads": 1}}
    assert merge(first, {"model": {"d_model": 8}}) == {"model": {"heads": 1, "d_model": 8}}
    assert first == {"model": {"heads": 1}}


def test_configurations_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Config().model.heads = 3


@pytest.mark.parametrize("preset", ["huge", 3, ["tiny"], {"tiny": 1}])
def test_an_unknown_preset_lists_the_presets(preset: object) -> None:
    with pytest.raises(ConfigError, match=r"There is no preset .* tiny, small, base, big, deep"):
        load_config(options={"preset": preset})


def test_an_unknown_key_in_a_file_lists_the_valid_ones(tmp_path: Path) -> None:
    file = write_toml(tmp_path / "run.toml", "[model]\ndropuot = 0.2\n")
    with pytest.raises(ConfigError) as caught:
        load_config(file=file)
    message = str(caught.value)
    assert message.startswith(f"In {file}: there is no setting model.dropuot. Did you mean dropout?")
    assert all(key in message for key in Config().model.model_dump())
    assert "batch_tokens" not in message


def test_an_unknown_key_in_set_lists_the_valid_ones(tmp_path: Path) -> None:
    file = write_toml(tmp_path / "run.toml", "[model]\ndropout = 0.2\n")
    with pytest.raises(
        ConfigError, match=r"In .*run.toml and --set: there is no setting training.lr\. Valid here: "
    ) as caught:
        load_config(file=file, assignments=["training.lr=1"])
    assert "learning_rate" in str(caught.value)
    with pytest.raises(ConfigError, match=r"In --set: there is no setting training\.lr\."):
        load_config(assignments=["training.lr=1"])


@pytest.mark.parametrize("assignment", ["modle.heads=1", "modle.heads.more=1"])
def test_an_unknown_section_lists_the_sections(assignment: str) -> None:
    with pytest.raises(ConfigError, match=r"there is no setting modle\. Did you mean model.* data, decoding, model"):
        load_config(assignments=[assignment])


def test_every_wrong_setting_is_named_at_once() -> None:
    with pytest.raises(ConfigError, match=r"model\.dropout = 2.*training\.wrong"):
        load_config(assignments=["model.dropout=2", "training.wrong=1"])


@pytest.mark.parametrize(
    ("assignment", "named"),
    [
        ("model.heads=four", "model.heads = 'four'"),
        ("model.heads=0", "model.heads = 0"),
        ("model.heads=1.5", "model.heads = 1.5"),
        ("model.dropout=1", "model.dropout = 1"),
        ("model.dropout=nan", "model.dropout = nan"),
        ("model.norm=both", "model.norm = 'both'"),
        ("training.learning_rate=inf", "training.learning_rate = inf"),
        ("training.max_minutes=0", "training.max_minutes = 0"),
        ("data.vocab_size=[1]", r"data.vocab_size = \[1\]"),
        ("data.vocab_size=", "data.vocab_size = ''"),
        ("data.sampling=1.1", "data.sampling = 1.1"),
        ("data.sampling=-0.1", "data.sampling = -0.1"),
        ("decoding.beam_size=0", "decoding.beam_size = 0"),
    ],
)
def test_a_wrong_type_or_value_is_named(assignment: str, named: str) -> None:
    with pytest.raises(ConfigError, match=named):
        load_config(assignments=[assignment])


def test_a_section_must_be_a_section(tmp_path: Path) -> None:
    file = write_toml(tmp_path / "run.toml", "model = 3\n")
    with pytest.raises(ConfigError, match="model = 3 does not fit"):
        load_config("tiny", file)
    assert load_config("tiny", file, ["model.dropout=0.5"]).model.dropout == 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": {"d_model": 100, "heads": 8}}, "heads = 8 does not divide d_model = 100"),
        ({"model": {"d_model": 9, "heads": 3}}, "d_model = 9 must be even"),
        ({"data": {"src": ["a", "b"], "tgt": ["c"]}}, r"src names 2 file\(s\) and tgt 1"),
        ({"data": {"valid_src": ["a"]}}, r"valid_src names 1 file\(s\) and valid_tgt 0"),
        ({"data": {"src_tokenizer": "a"}}, "both src_tokenizer and tgt_tokenizer"),
        ({"data": {"tokenizer": "a", "src_tokenizer": "b", "tgt_tokenizer": "c"}}, "not both"),
    ],
)
def test_contradictions_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(options=options)


@pytest.mark.parametrize(
    ("data", "shared"),
    [
        ({}, True),
        ({"joint": False}, False),
        ({"joint": False, "tokenizer": "a"}, True),
        ({"src_tokenizer": "a", "tgt_tokenizer": "b"}, False),
    ],
)
def test_who_shares_a_vocabulary(data: dict[str, Any], shared: bool) -> None:
    assert load_config(options={"data": data}).data.shared_vocabulary is shared


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a.b=1", 1),
        ("a.b = 1.5 ", 1.5),
        ("a.b=1e-3", 1e-3),
        ("a.b=true", True),
        ("a.b=word", "word"),
        ('a.b="1"', "1"),
        ("a.b=x=y", "x=y"),
        ('a.b=["x", "y"]', ["x", "y"]),
        ("a.b=/some/file", "/some/file"),
    ],
)
def test_an_assignment_reads_toml_or_a_bare_word(text: str, value: object) -> None:
    assert parse_assignment(text) == {"a": {"b": value}}


@pytest.mark.parametrize("text", ["", "heads=3", "model.heads", ".heads=3", "model.=3", "=3"])
def test_an_assignment_of_another_form_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"expected section\.key=value"):
        parse_assignment(text)


def test_paths_in_a_file_are_relative_to_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    directory = tmp_path / "configs"
    directory.mkdir()
    file = write_toml(
        directory / "run.toml",
        '[data]\nsrc = "a.en"\ntgt = ["sub/a.de"]\nvalid_src = ["/abs/v.en"]\nvalid_tgt = "../v.de"\n'
        'tokenizer = "t.model"\n',
    )
    monkeypatch.chdir(tmp_path)
    data = load_config(file=Path("configs/run.toml")).data
    assert data.src == (Path("configs/a.en"),)
    assert data.tgt == (Path("configs/sub/a.de"),)
    assert data.valid_src == (Path("/abs/v.en"),)
    assert data.valid_tgt[0].resolve() == tmp_path / "v.de"
    assert data.tokenizer == Path("configs/t.model")
    assert load_config(file=file).data.src == (directory / "a.en",)


def test_stdin_in_a_file_is_not_relative_to_it(tmp_path: Path) -> None:
    file = write_toml(tmp_path / "run.toml", '[data]\ntsv = ["-", "a.tsv"]\n')
    assert load_config(file=file).data.tsv == (Path("-"), tmp_path / "a.tsv")


CORPORA = """
[data]
src = "a.en"
tgt = "a.de"
[[data.corpora]]
src = "b.en"
tgt = ["sub/b.de"]
weight = 2
[[data.corpora]]
tsv = ["/abs/c.tsv", "-"]
"""


def test_a_file_may_name_several_corpora(tmp_path: Path) -> None:
    data = load_config(file=write_toml(tmp_path / "run.toml", CORPORA)).data
    assert [(corpus.src, corpus.tgt, corpus.tsv) for corpus in data.corpora] == [
        ((tmp_path / "b.en",), (tmp_path / "sub/b.de",), ()),
        ((), (), (Path("/abs/c.tsv"), Path("-"))),
    ]
    assert data.weights == (1.0, 2.0, 1.0)
    assert data.model_copy(update={"src": (), "tgt": ()}).weights == (2.0, 1.0)


def test_weights_are_in_the_record_of_settings(tmp_path: Path) -> None:
    config = load_config(file=write_toml(tmp_path / "run.toml", CORPORA))
    settings = config.model_dump(mode="json")
    assert [corpus["weight"] for corpus in settings["data"]["corpora"]] == [2.0, 1.0]
    assert Config.model_validate(settings) == config


def test_corpora_may_be_set_in_one_line() -> None:
    data = load_config(assignments=['data.corpora=[{tsv="a", weight=0.5}]']).data
    assert [(corpus.tsv, corpus.weight) for corpus in data.corpora] == [((Path("a"),), 0.5)]


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ("weight = 0\ntsv = 'a'", r"data\.corpora\.0\.weight = 0 does not fit"),
        ("weight = inf\ntsv = 'a'", r"data\.corpora\.0\.weight = inf does not fit"),
        ("weight = 2", r"a corpus needs src and tgt, or tsv"),
        ("src = 'a'", r"src names 1 file\(s\) and tgt 0"),
        ("tsv = 'a'\nwieght = 2", r"there is no setting wieght; valid here: src, tgt, tsv, weight"),
        ("tsv = 3", r"data\.corpora\.0\.tsv"),
    ],
)
def test_a_wrong_corpus_is_named(tmp_path: Path, corpus: str, message: str) -> None:
    file = write_toml(tmp_path / "run.toml", f"[[data.corpora]]\n{corpus}\n")
    with pytest.raises(ConfigError, match=message):
        load_config(file=file)


@pytest.mark.parametrize("corpora", ["3", "[3]", "'a'"])
def test_corpora_that_are_none_are_named(tmp_path: Path, corpora: str) -> None:
    file = write_toml(tmp_path / "run.toml", f"[data]\ncorpora = {corpora}\n")
    with pytest.raises(ConfigError, match=r"data\.corpora"):
        load_config(file=file)


def test_paths_of_options_stay_as_they_are(tmp_path: Path) -> None:
    file = write_toml(tmp_path / "run.toml", '[data]\nsrc = "a"\ntgt = "b"\n')
    data = load_config(file=file, options={"data": {"src": [Path("mine")]}}).data
    assert (data.src, data.tgt) == ((Path("mine"),), (tmp_path / "b",))


@pytest.mark.parametrize("content", [b"[model\n", b"heads = \n", b"a = 1\na = 2\n", b"\xff = 1\n"])
def test_a_file_that_is_not_toml_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "run.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=f"{file} is not valid TOML"):
        load_config(file=file)


def test_a_missing_configuration_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=f"The configuration file {tmp_path}/no.toml does not exist"):
        load_config(file=tmp_path / "no.toml")
    with pytest.raises(DataError, match="is a directory"):
        load_config(file=tmp_path)


def test_the_decoder_may_have_sizes_of_its_own() -> None:
    config = ModelConfig(d_model=24, heads=3, ffn_dim=40)
    assert config.of_decoder is config
    unlike = ModelConfig(d_model=24, heads=3, ffn_dim=40, decoder_heads=2, decoder_ffn_dim=30)
    assert (unlike.of_decoder.heads, unlike.of_decoder.ffn_dim, unlike.largest_head_dim) == (2, 30, 12)
    assert unlike.of_decoder.of_decoder == unlike.of_decoder
    with pytest.raises(ValidationError, match="decoder_heads = 5 does not divide d_model = 24"):
        ModelConfig(d_model=24, heads=3, decoder_heads=5)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_a_file_may_begin_with_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / "run.toml"
    file.write_text('[card]\ncredit = "Müller"\n', encoding=encoding)
    assert load_config(file=file).card.credit == "Müller"
