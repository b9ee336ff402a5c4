"""Activations of a user's own torch module: any layer of it, any items, never saved."""

from __future__ import annotations

import json

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the extra `torch`")

from encoders.samples import SAMPLES  # noqa: E402 - behind what may skip
from spaceport.encoders.activations import Activations  # noqa: E402
from spaceport.encoders.base import load  # noqa: E402
from spaceport.errors import InputError, NotFoundError, ParameterError  # noqa: E402
from spaceport.methods import parse  # noqa: E402
from spaceport.testing.encoders import CHECKS  # noqa: E402

nn = torch.nn


class Block(nn.Module):
    def __init__(self, given, wanted):
        super().__init__()
        self.conv1 = nn.Conv2d(given, wanted, 3, 2, 1)
        self.norm = nn.BatchNorm2d(wanted)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        return self.relu(self.norm(self.conv1(x)))


class Residual(nn.Module):
    """A network as torchvision names its parts."""

    def __init__(self):
        super().__init__()
        self.layer1 = nn.Sequential(Block(3, 4), Block(4, 6))
        self.layer2 = nn.Sequential(Block(6, 8))
        self.fc = nn.Linear(8, 5)

    def forward(self, x):
        return self.fc(self.layer2(self.layer1(x)).mean((2, 3)))


class Detector(nn.Module):
    """Gives a dict, or a tuple."""

    def __init__(self, plain=False):
        super().__init__()
        self.body, self.plain = nn.Linear(12, 6), plain
        self.parts = nn.ModuleList([nn.Linear(6, 3), nn.Linear(6, 4)])

    def forward(self, x):
        scores, boxes = (part(self.body(x)) for part in self.parts)
        return (scores, boxes) if self.plain else {"scores": scores, "boxes": boxes}


def seeded(make):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        return make().eval()


def pixels(files):
    """PPM files of one size, as the sample makes them, in [0, 1]."""
    shown = [np.frombuffer(data[-24 * 20 * 3 :], np.uint8).reshape(20, 24, 3) for data in files]
    return torch.from_numpy(np.stack(shown).transpose(0, 3, 1, 2) / np.float32(255))


def files():
    return SAMPLES["images"]().made(np.random.default_rng(0)).to_pylist()


def by_hand(network, upto):
    with torch.inference_mode():
        return upto(network, pixels(files())).numpy()


@pytest.mark.parametrize(
    ("where", "wanted"),
    [
        ("layer1.1.relu", lambda net, x: net.layer1(x).mean((2, 3))),
        ("layer1.0.conv1", lambda net, x: net.layer1[0].conv1(x).mean((2, 3))),
        ("layer2", lambda net, x: net.layer2(net.layer1(x)).mean((2, 3))),
        ("last", lambda net, x: net(x)),
        ("fc", lambda net, x: net(x)),
    ],
)
def test_any_module_by_its_name(where, wanted):
    network = seeded(Residual)
    vectors = Activations.of(network, pixels, where=where).encode(files())
    assert np.abs(vectors - by_hand(network, wanted)).max() < 1e-5


def test_the_pass_ends_at_the_module(monkeypatch):
    network = seeded(Residual)
    encoder = Activations.of(network, pixels, where="layer1.1.relu")
    encoder.encode(files())
    monkeypatch.setattr(network.fc, "forward", lambda _: pytest.fail("the last layer was run"))
    encoder.encode(files())


def test_flatten_keeps_every_place():
    network = seeded(Residual)
    vectors = Activations.of(network, pixels, where="layer2", pooling="flatten").encode(files())
    wanted = by_hand(network, lambda net, x: net.layer2(net.layer1(x)).flatten(1))
    assert vectors.shape == wanted.shape == (40, 8 * 3 * 3)
    assert np.abs(vectors - wanted).max() < 1e-5


def test_vectors_and_rows_of_numbers_go_in_as_they_are():
    network = seeded(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)))
    rows = np.random.default_rng(2).normal(size=(10, 3))
    wanted = np.tanh(rows @ network[0].weight.detach().numpy().T + network[0].bias.detach().numpy())
    encoder = Activations.of(network, where="2")
    assert np.abs(encoder.encode(rows) - wanted).max() < 1e-6
    table = [dict(zip("abc", row, strict=True)) for row in rows.tolist()]
    assert np.abs(encoder.encode(table) - wanted).max() < 1e-6
    with pytest.raises(InputError, match="hold other than numbers"):
        encoder.encode([{"a": 1.0, "b": "red", "c": None}])


def test_rows_of_a_table_are_prepared_from_dicts():
    network = seeded(lambda: nn.Linear(2, 2))

    def prepare(rows):
        return torch.tensor([[row["size"] or 0.0, float(row["ringed"])] for row in rows])

    vectors = Activations.of(network, prepare).encode(SAMPLES["table"]())
    rows = [row for batch in SAMPLES["table"]().batches() for row in batch["content"].to_pylist()]
    with torch.inference_mode():
        assert np.abs(vectors - network(prepare(rows)).numpy()).max() < 1e-5


def test_inputs_by_name_and_a_mask():
    class Reader(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(30, 4)

        def forward(self, letters, attention_mask):
            return self.table(letters)

    def prepare(texts):
        longest = max(map(len, texts))
        codes = [[ord(c) % 30 for c in t] + [0] * (longest - len(t)) for t in texts]
        real = [[1] * len(t) + [0] * (longest - len(t)) for t in texts]
        return {"letters": torch.tensor(codes), "attention_mask": torch.tensor(real)}

    network = seeded(Reader)
    texts = ["abcd", "ab", "bacd" * 20]
    table = network.table.weight.detach().numpy()
    wanted = [table[[ord(c) % 30 for c in text]].mean(0) for text in texts]
    assert np.abs(Activations.of(network, prepare).encode(texts) - wanted).max() < 1e-6


@pytest.mark.parametrize(
    ("where", "rows"), [("output boxes", 4), ("output scores", 3), ("parts.0", 3), ("body", 6)]
)
def test_one_of_several_outputs(where, rows):
    numbers = np.ones((5, 12))
    assert Activations.of(seeded(Detector), where=where).encode(numbers).shape == (5, rows)


def test_several_outputs_are_listed():
    numbers = np.ones((5, 12))
    with pytest.raises(
        InputError, match=r"gives 2 tensors: scores \(5, 3\), boxes \(5, 4\)"
    ) as raised:
        Activations.of(seeded(Detector)).encode(numbers)
    assert 'where="output scores"' in raised.value.remedy
    with pytest.raises(InputError, match=r"gives 2 tensors: 0 \(5, 3\), 1 \(5, 4\)"):
        Activations.of(seeded(lambda: Detector(plain=True))).encode(numbers)
    second = Activations.of(seeded(lambda: Detector(plain=True)), where="output 1")
    assert second.encode(numbers).shape == (5, 4)
    with pytest.raises(NotFoundError, match="has no output `masks`"):
        Activations.of(seeded(Detector), where="output masks").encode(numbers)


@pytest.mark.parametrize(("where", "upto"), [("first", 1), ("2", 2), ("last", 3), ("0", 0)])
def test_the_parts_of_a_sequence_are_its_layers(where, upto):
    network = seeded(lambda: nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2)))
    rows = np.random.default_rng(2).normal(size=(10, 3)).astype(np.float32)
    with torch.inference_mode():
        wanted = network[:upto](torch.from_numpy(rows)).numpy()
    assert np.abs(Activations.of(network, where=where).encode(rows) - wanted).max() < 1e-6


def test_a_module_that_is_not_there_lists_those_that_are():
    with pytest.raises(NotFoundError, match="has no module `layer1.1.rleu`") as raised:
        Activations.of(seeded(Residual), pixels, where="layer1.1.rleu").encode(files())
    assert "layer1.1.relu" in raised.value.remedy
    assert "(6, 5, 6)" in raised.value.remedy


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (lambda items: pixels(items)[1:], r"shape \(0, 3, 20, 24\) for 1 item\."),
        (lambda items: pixels(items).numpy(), "gave ndarray, and no tensor"),
        (lambda items: {"x": [1]}, "gave list, and no tensor"),
        (lambda items: torch.tensor(1.0), r"shape \(\) for 1 item"),
    ],
)
def test_what_was_prepared_is_checked(prepare, message):
    with pytest.raises(InputError, match=message):
        Activations.of(seeded(Residual), prepare).encode(files())


def test_values_without_an_axis_of_items_are_refused():
    class Summing(nn.Module):
        def forward(self, x):
            return x.sum(0, keepdim=True)

    with pytest.raises(InputError, match=r"`last` gives values of shape \(1, 3\) for 4 items"):
        Activations.of(Summing()).encode(np.ones((4, 3)))


def test_a_value_that_is_no_number_names_the_item():
    rows = np.ones((5, 2))
    rows[3] = -1

    class Root(nn.Module):
        def forward(self, x):
            return x.sqrt()

    with pytest.raises(InputError, match="NaN or infinity for 1 of 5 items; the first, number 3"):
        Activations.of(Root()).encode(rows)


def test_too_little_memory_halves_the_batch():
    class Narrow(nn.Module):
        """Holds nine rows at once."""

        def forward(self, x):
            if len(x) > 9:
                raise torch.OutOfMemoryError("CUDA out of memory")
            return 2 * x

    rows = np.random.default_rng(0).normal(size=(100, 3)).astype(np.float32)
    encoder = Activations.of(Narrow(), tokens=64)
    assert np.array_equal(encoder.encode(rows), 2 * rows)
    assert encoder.facts()["out of memory"] == 3  # 64, 32, 16, 8
    assert encoder.facts()["tokens at once"] == 8


def test_saved_without_the_module_and_bound_again(tmp_path):
    network = seeded(Residual)
    encoder = Activations.of(network, pixels, where="layer2", name="signs", revision="3")
    assert encoder.spec == "activations(model='module:signs@3', where='layer2')"
    assert parse("encoders", encoder.spec).params() == encoder.params()
    assert not encoder.portable
    assert encoder.takes("images")
    encoder.save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "encoder.json",
        "encoder.safetensors",
    ]
    again = load(tmp_path)
    assert again.fingerprint == encoder.fingerprint
    with pytest.raises(InputError, match="code is never saved") as raised:
        again.encode(files())
    assert "bind(module, prepare)" in raised.value.remedy
    assert again.bind(network, pixels) is again
    assert np.array_equal(again.encode(files()), encoder.encode(files()))


def test_another_module_is_refused_when_it_is_bound(tmp_path):
    network = seeded(Residual)
    Activations.of(network, pixels).save(tmp_path)
    with torch.no_grad():
        network.fc.bias[2] += 1e-3
    with pytest.raises(InputError, match="not those that this encoder was saved with"):
        load(tmp_path).bind(network, pixels)


@pytest.mark.parametrize("tokens", [1, 100, 5000])
def test_how_many_go_through_at_once_changes_nothing(tokens):
    network = seeded(Residual)
    whole = Activations.of(network, pixels, where="layer2")
    parts = Activations.of(network, pixels, where="layer2", tokens=tokens)
    assert parts.fingerprint == whole.fingerprint
    assert np.abs(parts.encode(files()) - whole.encode(files())).max() < 1e-5


def test_identity_is_the_parameters_and_the_revision_and_never_the_name():
    network = seeded(Residual)
    bare = Activations.of(network, pixels).fingerprint
    assert Activations.of(network, pixels, name="other").fingerprint == bare
    assert Activations.of(network, pixels, revision="2").fingerprint != bare
    assert (
        Activations.of(network, pixels).numbers() != Activations.of(network, revision="2").numbers()
    )
    buffers = seeded(Residual)
    buffers.layer1[0].norm.running_mean += 0.1
    assert Activations.of(buffers, pixels).fingerprint != bare


def test_nothing_of_a_module_is_in_the_files(tmp_path):
    Activations.of(seeded(Residual), pixels).save(tmp_path)
    told = json.loads((tmp_path / "encoder.json").read_text())
    assert told["params"]["model"] == "module:network@1"
    assert set(told["state"]) == {"module", "revision"}
    assert (tmp_path / "encoder.safetensors").stat().st_size < 100


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"module": len}, "`module` must be a torch.nn.Module. Got builtin_function"),
        ({"name": "my net"}, "`name` and `revision` must be of letters"),
        ({"revision": ""}, "`name` and `revision` must be of letters"),
    ],
)
def test_parameters_are_checked(params, message):
    with pytest.raises(ParameterError, match=message):
        Activations.of(**{"module": nn.Identity(), **params})


def test_a_folders_model_needs_no_module():
    with pytest.raises(ParameterError, match="needs no module"):
        Activations("minilm").bind(nn.Identity())


REMADE = ("check_fingerprint", "check_neutral")
"""They make encoders anew from their parameters, and so without a module; they are above."""


def decoded(items):
    from spaceport.encoders._pictures import arrays

    return torch.from_numpy(arrays(items, (24, 20), False).transpose(0, 3, 1, 2).copy())


@pytest.mark.parametrize("check", [c for c in CHECKS if c.__name__ not in REMADE])
def test_it_passes_the_checks_of_every_encoder(check):
    network = seeded(lambda: nn.Sequential(nn.Linear(12, 5), nn.Tanh()))
    check(lambda: Activations.of(network, where="1"), SAMPLES["vectors"]())
    residual = seeded(Residual)
    check(lambda: Activations.of(residual, decoded, where="layer2"), SAMPLES["images"]())
